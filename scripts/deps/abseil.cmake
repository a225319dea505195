# SPDX-License-Identifier: Apache-2.0
# The part of Abseil that kith links, as one archive of few compilations: most of
# the time of compiling Abseil's small files goes into the same headers.
# ABSEIL_TREE is Abseil's source.
cmake_minimum_required(VERSION 3.25)
project(kith-abseil CXX)
add_subdirectory("${ABSEIL_TREE}" abseil EXCLUDE_FROM_ALL)

# The names of absl:: that kith's link lines may have.
set(linked
    check cleanup flat_hash_map flat_hash_set function_ref log log_globals
    log_initialize log_sink log_sink_registry no_destructor random_random status
    statusor str_format strings synchronization time)

# What does not compile together with other files: each has a name in its unnamed
# namespace that another file has, too.
set(alone
    debugging/internal/utf8_for_code_point.cc random/internal/randen_detect.cc
    strings/numbers.cc time/internal/cctz/src/time_zone_posix.cc time/time.cc)

# gather(TARGET): appends to the global property GATHERED the sources of the target
# and of all that it links. Options for a processor's instructions stay with their
# sources, and keep these out of the joint compilations.
function(gather target)
  get_target_property(aliased ${target} ALIASED_TARGET)
  if(aliased)
    set(target ${aliased})
  endif()
  get_property(known GLOBAL PROPERTY GATHERED_TARGETS)
  get_target_property(imported ${target} IMPORTED)
  if(imported OR target IN_LIST known)
    return()
  endif()
  set_property(GLOBAL APPEND PROPERTY GATHERED_TARGETS ${target})

  get_target_property(directory ${target} SOURCE_DIR)
  get_target_property(options ${target} COMPILE_OPTIONS)
  list(FILTER options INCLUDE REGEX "^-m")
  get_target_property(sources ${target} SOURCES)
  list(FILTER sources INCLUDE REGEX "\\.cc$")
  foreach(source ${sources})
    cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY "${directory}")
    set_property(GLOBAL APPEND PROPERTY GATHERED "${source}")
    if(options)
      set_property(SOURCE "${source}" DIRECTORY "${CMAKE_SOURCE_DIR}"
                   PROPERTY COMPILE_OPTIONS ${options})
    endif()
  endforeach()

  get_target_property(links ${target} INTERFACE_LINK_LIBRARIES)
  foreach(link ${links})
    if(TARGET ${link})
      gather(${link})
    endif()
  endforeach()
endfunction()

foreach(name ${linked})
  gather(absl::${name})
endforeach()
get_property(sources GLOBAL PROPERTY GATHERED)
list(TRANSFORM alone PREPEND "${ABSEIL_TREE}/absl/")
set_source_files_properties(${alone} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
add_library(absl STATIC ${sources})
target_include_directories(absl PRIVATE "${ABSEIL_TREE}")
set_target_properties(absl PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 33)
file(WRITE "${CMAKE_BINARY_DIR}/targets" "${linked}")
