# The table of faults: its program has several sources; what it injects are a library for LD_PRELOAD and a loss.
add_library(fault_shim MODULE ${CMAKE_CURRENT_LIST_DIR}/shim.c)
set_target_properties(fault_shim PROPERTIES PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/faults)
target_compile_features(fault_shim PRIVATE c_std_17)
target_compile_definitions(fault_shim PRIVATE _GNU_SOURCE)
target_compile_options(fault_shim PRIVATE -fno-builtin -Wall -Wextra)
add_library(fault_late MODULE ${CMAKE_CURRENT_LIST_DIR}/late.c)
set_target_properties(fault_late PROPERTIES PREFIX "" OUTPUT_NAME late LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/plugins)
target_include_directories(fault_late PRIVATE ${PROJECT_SOURCE_DIR}/include)
target_compile_features(fault_late PRIVATE c_std_17)
target_compile_options(fault_late PRIVATE -fvisibility=hidden -Wall -Wextra)
target_link_libraries(fault_late PRIVATE m)
target_sources(test_faults_faults PRIVATE ${CMAKE_CURRENT_LIST_DIR}/kit.c ${CMAKE_CURRENT_LIST_DIR}/rows_save.c
  ${CMAKE_CURRENT_LIST_DIR}/rows_signal.c ${CMAKE_CURRENT_LIST_DIR}/rows_data.c ${CMAKE_CURRENT_LIST_DIR}/rows_plugin.c)
add_dependencies(test_faults_faults fault_shim fault_late test_mutants test_plugins)
# ctest's --timeout does not lengthen a test's own: this one is for GRADMILL_FAULTS=full, otherwise the program ends itself
set_tests_properties(faults/faults PROPERTIES TIMEOUT 14400)
