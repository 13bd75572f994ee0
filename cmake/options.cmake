# Language, warnings and sanitizers, as targets that ours link: nothing is set globally.
option(GRADMILL_WERROR "Warnings are errors" OFF)
option(GRADMILL_FUZZ "Build the fuzzers of tests/fuzz (needs clang)" OFF)
set(GRADMILL_SANITIZE "" CACHE STRING "address+undefined, thread, or empty")

add_library(gradmill_flags INTERFACE)
target_compile_features(gradmill_flags INTERFACE c_std_17)
target_compile_definitions(gradmill_flags INTERFACE _GNU_SOURCE)
target_compile_options(gradmill_flags INTERFACE
  -fvisibility=hidden $<$<NOT:$<BOOL:$<TARGET_PROPERTY:GRADMILL_KERNELS>>>:-ffp-contract=off>
  -Wall -Wextra -Wshadow -Wstrict-prototypes -Wpointer-arith -Wcast-qual -Wvla -Wundef
  $<$<BOOL:${GRADMILL_WERROR}>:-Werror>)

# Of kernels the memory alone is watched: the rest makes them five times as long to compile.
set(not_kernels $<NOT:$<BOOL:$<TARGET_PROPERTY:GRADMILL_KERNELS>>>)
set(undefined $<${not_kernels}:-fsanitize=undefined> $<${not_kernels}:-fno-sanitize-recover=undefined>)

if(GRADMILL_SANITIZE STREQUAL "address+undefined")
  set(sanitize -fsanitize=address -fno-omit-frame-pointer)
elseif(GRADMILL_SANITIZE STREQUAL "thread")
  # GCC's OpenMP synchronises in ways the thread sanitizer cannot see. Clang's tells Archer, and Archer the sanitizer.
  if(NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "The thread sanitizer needs clang and its OpenMP: configure with the preset tsan")
  endif()
  set(sanitize -fsanitize=thread)
  string(REGEX MATCH "^[0-9]+" clang_version ${CMAKE_C_COMPILER_VERSION})
  find_library(ARCHER_LIBRARY archer HINTS /usr/lib/llvm-${clang_version}/lib REQUIRED)
  # The libraries of the system are not instrumented: what they do to our memory under locks of their own looks like races.
  set(GRADMILL_TEST_ENVIRONMENT OMP_TOOL_LIBRARIES=${ARCHER_LIBRARY}
    "TSAN_OPTIONS=ignore_noninstrumented_modules=1 halt_on_error=0 second_deadlock_stack=1")
elseif(GRADMILL_SANITIZE)
  message(FATAL_ERROR "GRADMILL_SANITIZE: '${GRADMILL_SANITIZE}' is neither address+undefined nor thread")
endif()
if(GRADMILL_SANITIZE)
  target_compile_options(gradmill_flags INTERFACE ${sanitize})
  target_link_options(gradmill_flags INTERFACE ${sanitize})
  if(GRADMILL_SANITIZE STREQUAL "address+undefined")
    target_compile_options(gradmill_flags INTERFACE ${undefined})
    target_link_options(gradmill_flags INTERFACE -fsanitize=undefined)
  endif()
  target_compile_definitions(gradmill_flags INTERFACE GRADMILL_SANITIZED=1)
endif()

if(GRADMILL_FUZZ)
  target_compile_options(gradmill_flags INTERFACE
    -fsanitize=address $<${not_kernels}:-fsanitize=fuzzer-no-link> ${undefined} -fno-omit-frame-pointer)
  target_link_options(gradmill_flags INTERFACE -fsanitize=address,undefined)
  # Damaged files in which HDF5 goes round in circles are given up before the fuzzer takes that for a finding.
  target_compile_definitions(gradmill_flags INTERFACE PROBE_CPU=2)
endif()
