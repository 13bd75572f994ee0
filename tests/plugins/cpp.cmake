# A loss plugin in C++, where there is a C++ compiler.
include(CheckLanguage)
check_language(CXX)
if(CMAKE_CXX_COMPILER)
  enable_language(CXX)
  add_library(cpp_loss MODULE plugins/cpp_loss.cpp)
  set_target_properties(cpp_loss PROPERTIES PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/cpp
    CXX_STANDARD 17 CXX_VISIBILITY_PRESET hidden)
  target_include_directories(cpp_loss PRIVATE ${PROJECT_SOURCE_DIR}/include)
  target_compile_options(cpp_loss PRIVATE -O3 -Wall -Wextra)
endif()
