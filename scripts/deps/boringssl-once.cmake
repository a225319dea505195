# SPDX-License-Identifier: Apache-2.0
# Included by BoringSSL's own project(): its common headers are read once.
function(precompile target)
  list(TRANSFORM ARGN PREPEND "${CMAKE_SOURCE_DIR}/")
  target_precompile_headers(${target} PRIVATE "$<$<COMPILE_LANGUAGE:CXX>:${ARGN}>")
endfunction()

cmake_language(DEFER CALL precompile crypto include/openssl/x509.h crypto/internal.h)
cmake_language(DEFER CALL precompile ssl ssl/internal.h)
