# Losses with one mistake each: tests/loss/test_check.c requires that the check meant for it finds it.
file(GLOB mutants CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/*.c)
foreach(source IN LISTS mutants)
  get_filename_component(name ${source} NAME_WE)
  add_library(mutant_${name} MODULE ${source})
  set_target_properties(mutant_${name} PROPERTIES PREFIX "" OUTPUT_NAME ${name}
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/mutants)
  target_include_directories(mutant_${name} PRIVATE ${PROJECT_SOURCE_DIR}/include)
  target_link_libraries(mutant_${name} PRIVATE m)
  # Not gradmill_flags: the checker must find the mistake by itself, without a sanitizer in the plugin.
  target_compile_features(mutant_${name} PRIVATE c_std_17)
  target_compile_definitions(mutant_${name} PRIVATE _GNU_SOURCE)
  target_compile_options(mutant_${name} PRIVATE -fvisibility=hidden -ffp-contract=off -Wall -Wextra)
  list(APPEND mutant_targets mutant_${name})
endforeach()
add_custom_target(test_mutants DEPENDS ${mutant_targets})
