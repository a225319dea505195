# SPDX-License-Identifier: Apache-2.0
# Headers that most files include are read once: reading them was about half of the
# time of compiling a typical small file. A file still includes what it uses,
# and compiles without this (-DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON).

set(KITH_HEADERS
    <algorithm> <array> <atomic> <cerrno> <chrono> <cstdint> <cstring> <deque>
    <functional> <map> <memory> <mutex> <optional> <set> <span> <string>
    <string_view> <thread> <utility> <vector> <absl/status/status.h>
    <absl/status/statusor.h> <absl/strings/str_cat.h>)
set(KITH_HEADERS_asio
    <asio/as_tuple.hpp> <asio/awaitable.hpp> <asio/co_spawn.hpp>
    <asio/detached.hpp> <asio/io_context.hpp> <asio/ip/tcp.hpp> <asio/post.hpp>
    <asio/posix/stream_descriptor.hpp> <asio/steady_timer.hpp>
    <asio/use_awaitable.hpp>)
set(KITH_HEADERS_catch2
    <catch2/catch_test_macros.hpp> <catch2/generators/catch_generators.hpp>)

# kith_precompiled(TARGET): it is to have them. Which of them it may have, its link
# lines say, and these are complete at the end of the tree.
function(kith_precompiled target)
  set_property(GLOBAL APPEND PROPERTY KITH_PRECOMPILED ${target})
endfunction()

# kith_headers(NAME PARTS...): the target whose headers others use.
function(kith_headers name)
  if(TARGET ${name})
    return()
  endif()
  set(source "${PROJECT_BINARY_DIR}/no_source.cc")
  file(CONFIGURE OUTPUT "${source}" CONTENT "")
  add_library(${name} OBJECT EXCLUDE_FROM_ALL "${source}")
  target_link_libraries(${name} PRIVATE kith_flags absl::status)
  # For ccache, which may ask the preprocessor.
  target_compile_options(${name} PRIVATE -fpch-preprocess)
  target_precompile_headers(${name} PRIVATE ${KITH_HEADERS})
  foreach(part ${ARGN})
    target_link_libraries(${name} PRIVATE dep::${part})
    target_precompile_headers(${name} PRIVATE ${KITH_HEADERS_${part}})
  endforeach()
endfunction()

# kith_header_parts(TARGET OUT): asio for those that link it or show its coroutines,
# not for all that could see it: reading it is cheap, but not free.
function(kith_header_parts target out)
  get_target_property(links ${target} LINK_LIBRARIES)
  set(parts)
  if(dep::asio IN_LIST links OR kith_relay IN_LIST links)
    list(APPEND parts asio)
  endif()
  if(dep::catch2 IN_LIST links)
    list(APPEND parts catch2)
  endif()
  set(${out} ${parts} PARENT_SCOPE)
endfunction()

# kith_skip_linux_tcp(TARGET): Linux's own header and the C library's, which asio
# includes, define the same things.
function(kith_skip_linux_tcp target)
  get_target_property(directory ${target} SOURCE_DIR)
  get_target_property(sources ${target} SOURCES)
  foreach(source ${sources})
    cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY "${directory}")
    if(NOT EXISTS "${source}")
      continue()
    endif()
    file(STRINGS "${source}" found REGEX "^#include <linux/tcp\\.h>")
    if(found)
      set_source_files_properties("${source}" TARGET_DIRECTORY ${target}
                                  PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
    endif()
  endforeach()
endfunction()

# GCC takes the headers of a target whose macros are the same as far as they were
# seen; Clang, which the sanitizers have, asks for more.
function(kith_precompile)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    return()
  endif()
  get_property(targets GLOBAL PROPERTY KITH_PRECOMPILED)
  foreach(target ${targets})
    kith_header_parts(${target} parts)
    list(TRANSFORM parts PREPEND _ OUTPUT_VARIABLE name)
    list(JOIN name "" name)
    kith_headers(kith_headers${name} ${parts})
    target_precompile_headers(${target} REUSE_FROM kith_headers${name})
    target_compile_options(${target} PRIVATE -fpch-preprocess)
    kith_skip_linux_tcp(${target})
  endforeach()
endfunction()
cmake_language(DEFER CALL kith_precompile)
