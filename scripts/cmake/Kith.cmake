# SPDX-License-Identifier: Apache-2.0
# How kith's own code is compiled: flags, libraries, tests.

set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g0 -DNDEBUG")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g")

# Paths below the tree are hashed as relative ones, so that a fresh clone finds
# what another clone has compiled. A precompiled header comes out of the cache, too,
# and so is the same in all clones; ccache asks to be told that no file depends on
# what it cannot see through one (macros that the header defines, __TIME__).
find_program(KITH_CCACHE ccache)
if(KITH_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER
      env "CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}"
      "CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime"
      "${KITH_CCACHE}")
endif()

set(KITH_SANITIZE "" CACHE STRING "-fsanitize= list, for asan and tsan presets")

include(CheckLinkerFlag)
check_linker_flag(CXX -Wl,--no-warnings KITH_LINKER_HAS_NO_WARNINGS)
# Relocations of a static-pie as a bitmap: 300 KB less of an 8 MB program.
check_linker_flag(CXX -Wl,-z,pack-relative-relocs KITH_LINKER_PACKS_RELOCS)

add_library(kith_flags INTERFACE)
target_compile_features(kith_flags INTERFACE cxx_std_20)
target_include_directories(kith_flags INTERFACE "${PROJECT_SOURCE_DIR}"
                                                "${PROJECT_SOURCE_DIR}/include")
target_compile_options(
  kith_flags
  INTERFACE -Wall -Wextra -Werror -Wcast-qual -Wpointer-arith
            -Wno-missing-field-initializers -fPIE -ffunction-sections
            -fdata-sections -fno-omit-frame-pointer -fstack-protector-strong)
# Clang, of the sanitizers, looks into the macros of the kernel's headers too, and
# into the standard library's own use of what C++17 has deprecated.
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(kith_flags INTERFACE -Wno-cast-qual
                                              -Wno-deprecated-declarations
                                              -Wno-inconsistent-missing-override)
endif()
target_compile_definitions(kith_flags INTERFACE _GLIBCXX_ASSERTIONS)
if(KITH_SANITIZE)
  target_compile_definitions(kith_flags INTERFACE KITH_SANITIZED)
  target_compile_options(kith_flags INTERFACE -fsanitize=${KITH_SANITIZE}
                                              -fno-sanitize-recover=all)
  target_link_options(kith_flags INTERFACE -fsanitize=${KITH_SANITIZE})
else()
  target_compile_definitions(
    kith_flags INTERFACE $<$<CONFIG:Release>:_FORTIFY_SOURCE=3>)
  target_link_options(kith_flags INTERFACE -Wl,--gc-sections -Wl,-z,relro
                      -Wl,-z,now)
endif()

# kith_library(NAME SOURCES files... [DEPENDS targets...]): target kith_NAME.
# Includes are written from the root: "kith/secret.h".
function(kith_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPENDS")
  add_library(kith_${name} STATIC ${arg_SOURCES})
  target_link_libraries(kith_${name} PUBLIC kith_flags ${arg_DEPENDS})
  kith_precompiled(kith_${name})
endfunction()

# kith_coroutines(NAME): GCC 12 inlines asio's operator new of a coroutine frame
# but not its operator delete, and then takes them for a mismatched pair.
function(kith_coroutines name)
  target_link_libraries(kith_${name} PUBLIC dep::asio)
  target_compile_options(kith_${name} PRIVATE
    $<$<CXX_COMPILER_ID:GNU>:-Wno-mismatched-new-delete>)
endfunction()

# kith_static_program(TARGET): no shared library at all, so that it runs in an
# empty root directory; stripped in a release; in the top of the build tree. The
# sanitizers need the dynamic C library.
function(kith_static_program target)
  set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY
                                             "${PROJECT_BINARY_DIR}")
  if(KITH_SANITIZE)
    return()
  endif()
  target_link_options(${target} PRIVATE -static-pie $<$<CONFIG:Release>:-s>)
  if(KITH_LINKER_PACKS_RELOCS)
    target_link_options(${target} PRIVATE -Wl,-z,pack-relative-relocs)
  endif()
  # The static C library warns that getaddrinfo() may load NSS modules; only
  # numeric addresses are given to it.
  if(KITH_LINKER_HAS_NO_WARNINGS)
    target_link_options(${target} PRIVATE -Wl,--no-warnings)
  endif()
endfunction()

# kith_test_program(LABEL NAME SOURCES... DEPENDS...): LABEL_NAME in CTest.
function(kith_test_program label name)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "" "SOURCES;DEPENDS")
  set(target ${label}_${name})
  add_executable(${target} ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE kith_flags ${arg_DEPENDS} dep::catch2)
  kith_precompiled(${target})
  if(NOT TARGET ${label}_tests)
    add_custom_target(${label}_tests)
  endif()
  add_dependencies(${label}_tests ${target})
  add_test(NAME ${target} COMMAND ${target})
  set_tests_properties(${target} PROPERTIES LABELS ${label} TIMEOUT 120)
endfunction()

# kith_unit_test(NAME SOURCES files... [DEPENDS targets...]): needs no privilege.
function(kith_unit_test name)
  kith_test_program(unit ${name} ${ARGN})
endfunction()

# kith_root_test(...): the same for tests that need root.
function(kith_root_test name)
  kith_test_program(root ${name} ${ARGN})
endfunction()
