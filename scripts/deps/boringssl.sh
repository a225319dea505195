# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# BoringSSL, from one of two carriers in Debian: the Dart SDK has a tree of this
# year (X25519MLKEM768, AVX-512), Android's has one of 2022-23.

# The API that the agent was written against (BORINGSSL_API_VERSION of the pinned
# tree). A later one of the same SDK is tried, an older one has its own pins.
readonly BORINGSSL_API=42

build_boringssl() {
  local tarball=$1 scratch=$2 out=$3 tree=$2/tree
  local -a options=(-DOPENSSL_SMALL=OFF -DBORINGSSL_ALLOW_CXX_RUNTIME=ON)
  mkdir -p "$tree"
  case $tarball in
    */dart-sdk_*)
      unpack_boringssl_dart "$tarball" "$tree" &&
        options+=(-DCMAKE_PROJECT_INCLUDE="$DEPS_SCRIPTS/boringssl-once.cmake")
      ;;
    *) tar -xf "$tarball" -C "$tree" --strip-components=1 &&
      cp "$DEPS_SCRIPTS/boringssl-android.cmake" "$tree/CMakeLists.txt" ;;
  esac || return 1
  # OPENSSL_SMALL stays off: it trades the fast P-256 for size.
  cmake_configure "$tree" "$scratch/build" "${options[@]}" || return 1
  cmake_build boringssl "$scratch/build" crypto ssl || return 1
  mkdir -p "$out/lib"
  find "$scratch/build" \( -name libcrypto.a -o -name libssl.a \) \
    -exec cp -t "$out/lib" {} +
  if [[ -d $tree/src/include ]]; then
    cp -r "$tree/src/include" "$out/"
  else
    cp -r "$tree/include" "$out/"
  fi
  [[ -f $out/lib/libssl.a && -f $out/lib/libcrypto.a &&
    -f $out/include/openssl/ssl.h ]]
}

# The tarball is a whole SDK: only what libcrypto and libssl are made of.
unpack_boringssl_dart() {
  local api
  tar -xf "$1" -C "$2" --strip-components=4 --wildcards \
    --exclude='*/testdata' --exclude='*/test/*/corpus' --exclude='*_corpus*' \
    '*/third_party/boringssl/src/*' || return 1
  api=$(sed -n 's/^#define BORINGSSL_API_VERSION //p' \
    "$2/include/openssl/base.h")
  [[ $api =~ ^[0-9]+$ ]] && ((api >= BORINGSSL_API))
}
