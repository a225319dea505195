# SPDX-License-Identifier: Apache-2.0
# BPF programs: source -> object -> skeleton header.

find_program(KITH_BPF_CLANG NAMES clang-19 clang-14 REQUIRED)
find_program(KITH_BPFTOOL NAMES bpftool PATHS /usr/sbin /sbin REQUIRED)

# kith_bpf_skeleton(NAME file.bpf.c [DEPENDS files...])
#
# Defines skeleton::NAME; link it and #include "NAME.skel.h". Headers are
# tracked by the compiler; DEPENDS is for what a compiler cannot see. Each step
# writes beside its output and renames, so a failure leaves no half header.
function(kith_bpf_skeleton name source)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "" "DEPENDS")
  get_filename_component(source "${source}" ABSOLUTE)
  set(directory "${PROJECT_BINARY_DIR}/skeleton/${name}")
  set(object "${directory}/${name}.bpf.o")
  set(linked "${directory}/${name}.linked.o")
  set(header "${directory}/${name}.skel.h")
  get_property(bpf_include TARGET dep::bpf
               PROPERTY INTERFACE_INCLUDE_DIRECTORIES)
  file(MAKE_DIRECTORY "${directory}")

  add_custom_command(
    OUTPUT "${object}"
    COMMAND
      "${KITH_BPF_CLANG}" -target bpf -mcpu=v3 -O2 -g -std=gnu11 -Wall -Wextra
      -Werror -Wno-unused-parameter -fdebug-prefix-map=${PROJECT_SOURCE_DIR}=.
      -I "${PROJECT_SOURCE_DIR}/bpf" -I "${PROJECT_SOURCE_DIR}"
      -I "${PROJECT_SOURCE_DIR}/include" -isystem
      "${bpf_include}" -MD -MF "${object}.d" -MT "${object}" -c "${source}" -o
      "${object}"
    DEPENDS "${source}" ${arg_DEPENDS}
    DEPFILE "${object}.d"
    COMMENT "BPF object ${name}"
    VERBATIM)
  add_custom_command(
    OUTPUT "${header}"
    COMMAND "${KITH_BPFTOOL}" gen object "${linked}" "${object}"
    COMMAND "${CMAKE_COMMAND}" -DTOOL=${KITH_BPFTOOL} -DOBJECT=${linked}
            -DNAME=${name}_bpf -DHEADER=${header} -P
            "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/write_skeleton.cmake"
    DEPENDS "${object}"
            "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/write_skeleton.cmake"
    COMMENT "BPF skeleton ${name}"
    VERBATIM)

  add_custom_target(skeleton_${name}_header DEPENDS "${header}")
  add_library(skeleton_${name} INTERFACE)
  add_dependencies(skeleton_${name} skeleton_${name}_header)
  target_include_directories(skeleton_${name} SYSTEM INTERFACE "${directory}")
  target_link_libraries(skeleton_${name} INTERFACE dep::bpf)
  add_library(skeleton::${name} ALIAS skeleton_${name})
endfunction()
