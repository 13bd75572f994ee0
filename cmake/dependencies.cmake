# The libraries gradmill stands on, from the system's packages. README says why each is there.
find_package(OpenMP REQUIRED COMPONENTS C)
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
set(HDF5_PREFER_PARALLEL OFF)
find_package(HDF5 REQUIRED COMPONENTS C)
pkg_check_modules(yaml REQUIRED IMPORTED_TARGET yaml-0.1)
pkg_check_modules(jansson REQUIRED IMPORTED_TARGET jansson)
pkg_check_modules(nettle REQUIRED IMPORTED_TARGET nettle)
pkg_check_modules(deflate REQUIRED IMPORTED_TARGET libdeflate)
pkg_check_modules(xxhash REQUIRED IMPORTED_TARGET libxxhash)
find_path(RANDOM123_INCLUDE_DIR Random123/philox.h REQUIRED)
find_path(CSV_INCLUDE_DIR csv.h REQUIRED)
find_library(CSV_LIBRARY csv REQUIRED)

# HDF5's archive where it links: of it, only what is used comes in. The shared library also brings the driver for Amazon
# S3, and with it libcurl, OpenSSL, GnuTLS, Kerberos: 28 libraries to load, a third of the time of a small job.
option(GRADMILL_HDF5_ARCHIVE "Link HDF5's static library where there is one" ON)
include(cmake/hdf5_archive.cmake)

add_library(gradmill_hdf5 INTERFACE)
target_include_directories(gradmill_hdf5 SYSTEM INTERFACE ${HDF5_C_INCLUDE_DIRS})
target_link_libraries(gradmill_hdf5 INTERFACE ${GRADMILL_HDF5_LIBRARIES})
target_compile_definitions(gradmill_hdf5 INTERFACE H5_USE_110_API) # later versions have other arguments by default
