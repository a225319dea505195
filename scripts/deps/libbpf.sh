# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# libbpf, static.

build_libbpf() {
  local tarball=$1 scratch=$2 out=$3 tree=$2/tree
  mkdir -p "$out/lib" "$out/include" "$tree"
  if [[ $tarball == apt:* ]]; then
    cp -r /usr/include/bpf "$out/include/"
    cp "/usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH)/libbpf.a" "$out/lib/"
    return
  fi
  tar -xf "$tarball" -C "$tree" --strip-components=1 || return 1
  make -C "$tree/src" -j"$(nproc)" BUILD_STATIC_ONLY=1 CC="$DEPS_CC" \
    CFLAGS="$DEPS_FLAGS" OBJDIR="$scratch/build" PREFIX= LIBDIR=/lib \
    DESTDIR="$out" install 2>&1 && [[ -f $out/lib/libbpf.a ]]
}
