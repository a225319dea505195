# SPDX-License-Identifier: Apache-2.0
# cmake -DFROM=descriptors.pb -DTO=descriptors.cc -P write_descriptors.cmake
# Writes the bytes of a file as a C++ source.
file(READ "${FROM}" bytes HEX)
string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
file(
  WRITE "${TO}"
  "#include \"agent/workloadapi/descriptor_set.h\"\n\n"
  "namespace kith {\nnamespace {\n\n"
  "constexpr unsigned char kBytes[] = {${bytes}};\n\n"
  "}  // namespace\n\n"
  "extern const std::string_view kDescriptorSet(\n"
  "    reinterpret_cast<const char *>(kBytes), sizeof kBytes);\n\n"
  "}  // namespace kith\n")
