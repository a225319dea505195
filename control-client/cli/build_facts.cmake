# SPDX-License-Identifier: Apache-2.0
# What `kith version` says, as of configuring: the commit, and the version of
# each library by the macros of its header.

# kith_header_version(OUT HEADER MACRO...): the macros' values joined by dots.
function(kith_header_version out header)
  set(parts "")
  foreach(macro ${ARGN})
    file(STRINGS "${header}" line REGEX "^ *# *define +${macro} +" LIMIT_COUNT 1)
    string(REGEX REPLACE "^ *# *define +${macro} +\"?([^\" ]+).*" "\\1" part "${line}")
    list(APPEND parts "${part}")
  endforeach()
  list(JOIN parts "." version)
  set(${out} "${version}" PARENT_SCOPE)
endfunction()

# kith_list_library(NAME HEADER MACRO...) appends to KITH_LINKED_LIBRARIES.
macro(kith_list_library name)
  kith_header_version(kith_library_version ${ARGN})
  string(APPEND KITH_LINKED_LIBRARIES
         "    {\"${name}\", \"${kith_library_version}\"},\n")
endmacro()

set(KITH_LINKED_LIBRARIES "")
kith_list_library(Abseil "${deps_dir}/abseil/include/absl/base/config.h"
                  ABSL_LTS_RELEASE_VERSION ABSL_LTS_RELEASE_PATCH_LEVEL)
kith_list_library(Asio "${deps_dir}/asio/include/asio/version.hpp" ASIO_VERSION)
kith_list_library("BoringSSL API" "${deps_dir}/boringssl/include/openssl/base.h"
                  BORINGSSL_API_VERSION)
kith_list_library(CLI11 "${KITH_CLI11_INCLUDE}/CLI/Version.hpp" CLI11_VERSION)
kith_list_library(cpp-httplib "${deps_dir}/httplib/include/httplib.h"
                  CPPHTTPLIB_VERSION)
kith_list_library(libbpf "${deps_dir}/libbpf/include/bpf/libbpf_version.h"
                  LIBBPF_MAJOR_VERSION LIBBPF_MINOR_VERSION)
kith_list_library(
  nlohmann/json "${KITH_JSON_INCLUDE}/nlohmann/detail/abi_macros.hpp"
  NLOHMANN_JSON_VERSION_MAJOR NLOHMANN_JSON_VERSION_MINOR
  NLOHMANN_JSON_VERSION_PATCH)

execute_process(
  COMMAND git -C "${PROJECT_SOURCE_DIR}" rev-parse --short=12 HEAD
  OUTPUT_VARIABLE KITH_GIT_COMMIT OUTPUT_STRIP_TRAILING_WHITESPACE
  ERROR_QUIET RESULT_VARIABLE git_failed)
if(git_failed)
  set(KITH_GIT_COMMIT unknown)
endif()

configure_file("${CMAKE_CURRENT_LIST_DIR}/build_facts.h.in"
               "${CMAKE_CURRENT_BINARY_DIR}/control-client/cli/build_facts.h"
               @ONLY)
