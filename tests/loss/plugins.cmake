# Plugins that the tests of the loss room load: broken ones, and ones of another age. They are built like anybody's.
file(GLOB test_plugins CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/plugins/*.c)
foreach(source IN LISTS test_plugins)
  get_filename_component(name ${source} NAME_WE)
  add_library(test_plugin_${name} MODULE ${source})
  set_target_properties(test_plugin_${name} PROPERTIES PREFIX "" OUTPUT_NAME ${name}
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/plugins)
  target_include_directories(test_plugin_${name} PRIVATE ${PROJECT_SOURCE_DIR}/include)
  target_link_libraries(test_plugin_${name} PRIVATE gradmill_flags m)
  list(APPEND test_plugin_targets test_plugin_${name})
endforeach()
target_link_libraries(test_plugin_openmp PRIVATE OpenMP::OpenMP_C)
add_custom_target(test_plugins DEPENDS ${test_plugin_targets})
