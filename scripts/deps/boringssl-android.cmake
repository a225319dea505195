# SPDX-License-Identifier: Apache-2.0
# Android's BoringSSL has lists of sources and no build for the host.
cmake_minimum_required(VERSION 3.22)
project(boringssl C CXX ASM)
include(android-sources.cmake)
string(TOLOWER "${CMAKE_SYSTEM_PROCESSOR}" cpu)
add_library(crypto STATIC ${crypto_sources} ${crypto_sources_linux_${cpu}})
add_library(ssl STATIC ${ssl_sources})
target_include_directories(crypto PUBLIC src/include)
target_link_libraries(ssl PUBLIC crypto)
foreach(library crypto ssl)
  target_compile_definitions(${library} PRIVATE BORINGSSL_IMPLEMENTATION
                             _XOPEN_SOURCE=700)
  set_target_properties(${library} PROPERTIES C_STANDARD 11)
endforeach()
