# SPDX-License-Identifier: Apache-2.0
# Third-party libraries as dep::* and absl::* targets. KITH_DEPS_DIR is where
# scripts/deps.sh put them; without it, the script is asked for its directory.

set(KITH_DEPS_FLAVOUR release CACHE STRING
    "flavour of the dependencies: release, asan or tsan")
set(KITH_DEPS_DIR "" CACHE PATH "directory printed by scripts/deps.sh")

set(deps_dir "${KITH_DEPS_DIR}")
if(NOT deps_dir)
  execute_process(
    COMMAND ${CMAKE_CURRENT_LIST_DIR}/../deps.sh --flavour ${KITH_DEPS_FLAVOUR}
            --print-dir
    OUTPUT_VARIABLE deps_dir OUTPUT_STRIP_TRAILING_WHITESPACE
    COMMAND_ERROR_IS_FATAL ANY)
endif()
if(NOT IS_DIRECTORY "${deps_dir}/boringssl")
  message(FATAL_ERROR "no dependencies in ${deps_dir}: run scripts/deps.sh "
                      "--flavour ${KITH_DEPS_FLAVOUR} first")
endif()
message(STATUS "Dependencies: ${deps_dir}")

find_package(Threads REQUIRED)

# kith_header_dependency(dep::NAME INCLUDE_DIR): a library of headers only.
function(kith_header_dependency name include_dir)
  if(NOT IS_DIRECTORY "${include_dir}")
    message(FATAL_ERROR "${name}: no directory ${include_dir}")
  endif()
  add_library(${name} INTERFACE IMPORTED)
  # System paths that the compiler knows are left to it: naming them again
  # breaks #include_next in the C++ library.
  if(NOT include_dir STREQUAL "/usr/include")
    target_include_directories(${name} SYSTEM INTERFACE "${include_dir}")
  endif()
endfunction()

# kith_static_dependency(dep::NAME ARCHIVE INCLUDE_DIR)
function(kith_static_dependency name archive include_dir)
  if(NOT EXISTS "${archive}")
    message(FATAL_ERROR "${name}: no archive '${archive}'")
  endif()
  add_library(${name} STATIC IMPORTED)
  set_target_properties(${name} PROPERTIES IMPORTED_LOCATION "${archive}")
  if(NOT include_dir STREQUAL "/usr/include")
    target_include_directories(${name} SYSTEM INTERFACE "${include_dir}")
  endif()
endfunction()

find_library(KITH_LIBELF libelf.a REQUIRED)
find_library(KITH_LIBZ libz.a REQUIRED)
find_library(KITH_LIBYAML_CPP libyaml-cpp.a REQUIRED)
find_library(KITH_LIBNGHTTP2 libnghttp2.a REQUIRED)
find_library(KITH_LIBPROTOBUF_LITE libprotobuf-lite.a REQUIRED)
find_path(KITH_JSON_INCLUDE nlohmann/json.hpp REQUIRED)
find_path(KITH_CLI11_INCLUDE CLI/CLI.hpp REQUIRED)

# One archive has all; the names say in link lines what is used of it.
kith_static_dependency(dep::abseil "${deps_dir}/abseil/lib/libabsl.a"
                       "${deps_dir}/abseil/include")
target_link_libraries(dep::abseil INTERFACE Threads::Threads)
file(READ "${deps_dir}/abseil/targets" absl_targets)
foreach(name ${absl_targets})
  add_library(absl::${name} INTERFACE IMPORTED)
  target_link_libraries(absl::${name} INTERFACE dep::abseil)
endforeach()

kith_static_dependency(dep::bpf "${deps_dir}/libbpf/lib/libbpf.a"
                       "${deps_dir}/libbpf/include")
target_link_libraries(dep::bpf INTERFACE "${KITH_LIBELF}" "${KITH_LIBZ}")

kith_static_dependency(dep::crypto "${deps_dir}/boringssl/lib/libcrypto.a"
                       "${deps_dir}/boringssl/include")
target_link_libraries(dep::crypto INTERFACE Threads::Threads)
kith_static_dependency(dep::ssl "${deps_dir}/boringssl/lib/libssl.a"
                       "${deps_dir}/boringssl/include")
target_link_libraries(dep::ssl INTERFACE dep::crypto)

kith_static_dependency(dep::yaml "${KITH_LIBYAML_CPP}" /usr/include)
kith_static_dependency(dep::nghttp2 "${KITH_LIBNGHTTP2}" /usr/include)
kith_static_dependency(dep::protobuf_lite "${KITH_LIBPROTOBUF_LITE}" /usr/include)
target_link_libraries(dep::protobuf_lite INTERFACE Threads::Threads)

kith_header_dependency(dep::json "${KITH_JSON_INCLUDE}")
kith_header_dependency(dep::cli11 "${KITH_CLI11_INCLUDE}")

kith_header_dependency(dep::httplib "${deps_dir}/httplib/include")
target_link_libraries(dep::httplib INTERFACE Threads::Threads)

kith_header_dependency(dep::asio "${deps_dir}/asio/include")
target_compile_definitions(dep::asio INTERFACE ASIO_STANDALONE
                                               ASIO_NO_DEPRECATED)
target_link_libraries(dep::asio INTERFACE Threads::Threads)

# With its main(). Compiled here, from one file, when a test is built.
add_library(catch2 STATIC EXCLUDE_FROM_ALL
                          "${deps_dir}/catch2/extras/catch_amalgamated.cpp")
target_link_libraries(catch2 PRIVATE kith_flags)
target_compile_options(catch2 PRIVATE -w)
target_include_directories(catch2 SYSTEM INTERFACE "${deps_dir}/catch2/src")
add_library(dep::catch2 ALIAS catch2)
