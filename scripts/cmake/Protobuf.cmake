# SPDX-License-Identifier: Apache-2.0
# kith_protobuf(NAME FILES...): target kith_NAME with the generated C++ of the
# .proto files. They import each other from the root, and so are the headers:
# "agent/workloadapi/claims.pb.h".
find_program(KITH_PROTOC protoc REQUIRED)

function(kith_protobuf name)
  set(output "${PROJECT_BINARY_DIR}/protobuf")
  set(sources)
  file(MAKE_DIRECTORY "${output}")
  file(RELATIVE_PATH directory "${PROJECT_SOURCE_DIR}"
       "${CMAKE_CURRENT_SOURCE_DIR}")
  foreach(file ${ARGN})
    cmake_path(GET file STEM stem)
    list(APPEND sources "${output}/${directory}/${stem}.pb.cc")
    list(APPEND headers "${output}/${directory}/${stem}.pb.h")
    list(APPEND inputs "${CMAKE_CURRENT_SOURCE_DIR}/${file}")
  endforeach()
  add_custom_command(
    OUTPUT ${sources} ${headers}
    COMMAND "${KITH_PROTOC}" "--proto_path=${PROJECT_SOURCE_DIR}"
            "--cpp_out=${output}" ${inputs}
    DEPENDS ${inputs}
    COMMENT "Protobuf ${name}"
    VERBATIM)
  # Not kith_flags: the warnings of generated code are protoc's business.
  add_library(kith_${name} STATIC ${sources} ${headers})
  target_compile_features(kith_${name} PUBLIC cxx_std_20)
  target_compile_options(kith_${name} PRIVATE -fPIE -ffunction-sections
                                              -fdata-sections)
  target_include_directories(kith_${name} SYSTEM PUBLIC "${output}")
  target_link_libraries(kith_${name} PUBLIC dep::protobuf_lite)
endfunction()

# kith_descriptors(NAME FILES...): target kith_NAME with kDescriptorSet of
# "agent/workloadapi/descriptor_set.h": a FileDescriptorSet of the .proto files and
# of what they import.
function(kith_descriptors name)
  set(set "${PROJECT_BINARY_DIR}/protobuf/${name}.pb")
  set(source "${PROJECT_BINARY_DIR}/protobuf/${name}.cc")
  foreach(file ${ARGN})
    list(APPEND inputs "${CMAKE_CURRENT_SOURCE_DIR}/${file}")
  endforeach()
  file(GLOB all "${CMAKE_CURRENT_SOURCE_DIR}/*.proto")
  add_custom_command(
    OUTPUT "${source}"
    COMMAND "${KITH_PROTOC}" "--proto_path=${PROJECT_SOURCE_DIR}"
            --include_imports "--descriptor_set_out=${set}" ${inputs}
    COMMAND "${CMAKE_COMMAND}" "-DFROM=${set}" "-DTO=${source}" -P
            "${PROJECT_SOURCE_DIR}/scripts/cmake/write_descriptors.cmake"
    DEPENDS ${all} "${PROJECT_SOURCE_DIR}/scripts/cmake/write_descriptors.cmake"
    COMMENT "Descriptors ${name}"
    VERBATIM)
  add_library(kith_${name} STATIC "${source}")
  target_compile_features(kith_${name} PUBLIC cxx_std_20)
  target_compile_options(kith_${name} PRIVATE -fPIE)
  target_include_directories(kith_${name} PRIVATE "${PROJECT_SOURCE_DIR}")
endfunction()
