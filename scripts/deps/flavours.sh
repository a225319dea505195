# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034  # read by the files that source this one
# Compiler and flags of each flavour. A sanitizer must see the libraries too:
# races and overflows cross their borders. -fPIE: everything ends in a program,
# and -fPIC would forbid inlining what another library might replace.

# flavour_select NAME: sets DEPS_CC, DEPS_CXX, DEPS_FLAGS and DEPS_PACKAGES.
flavour_select() {
  DEPS_CC=clang-19 DEPS_CXX=clang++-19
  DEPS_PACKAGES=(clang-19 libclang-rt-19-dev)
  case $1 in
    release)
      DEPS_CC=gcc DEPS_CXX=g++ DEPS_PACKAGES=()
      DEPS_FLAGS="-O2 -g0 -ffunction-sections -fdata-sections -fPIE"
      ;;
    asan)
      DEPS_FLAGS="-O1 -g1 -fno-omit-frame-pointer -fPIE"
      DEPS_FLAGS+=" -fsanitize=address,undefined"
      ;;
    tsan)
      DEPS_FLAGS="-O1 -g1 -fno-omit-frame-pointer -fPIE -fsanitize=thread"
      ;;
    *) die "unknown flavour '$1'; use release, asan or tsan" ;;
  esac
}
