# SPDX-License-Identifier: Apache-2.0
# cmake -DTOOL=bpftool -DOBJECT=.. -DNAME=.. -DHEADER=.. -P write_skeleton.cmake
execute_process(COMMAND "${TOOL}" gen skeleton "${OBJECT}" name "${NAME}"
                OUTPUT_FILE "${HEADER}.partial" COMMAND_ERROR_IS_FATAL ANY)
file(RENAME "${HEADER}.partial" "${HEADER}")
