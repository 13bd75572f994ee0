# What `cmake --install` gives: the program, the losses beside it, the headers and what builds losses outside the tree.
# Everything is found relative to itself, so that the installed tree can be moved.
include(CMakePackageConfigHelpers)

install(TARGETS gradmill RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY include/gradmill DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")

file(GLOB man_pages CONFIGURE_DEPENDS docs/man/*.1)
install(FILES ${man_pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)

# find_package(gradmill) in lib/cmake and not in lib/<architecture>/cmake, as the losses are in lib/gradmill.
set(package_dir lib/cmake/gradmill)
configure_package_config_file(cmake/gradmillConfig.cmake.in ${PROJECT_BINARY_DIR}/gradmillConfig.cmake
  INSTALL_DESTINATION ${package_dir} PATH_VARS CMAKE_INSTALL_INCLUDEDIR GRADMILL_LOSS_DIR NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/gradmillConfigVersion.cmake COMPATIBILITY SameMinorVersion
  ARCH_INDEPENDENT)
install(FILES ${PROJECT_BINARY_DIR}/gradmillConfig.cmake ${PROJECT_BINARY_DIR}/gradmillConfigVersion.cmake
  DESTINATION ${package_dir})

configure_file(cmake/gradmill.pc.in ${PROJECT_BINARY_DIR}/gradmill.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/gradmill.pc DESTINATION lib/pkgconfig)
