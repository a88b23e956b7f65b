#!/bin/sh
# Cross-builds for Arm and runs the kernel tests under qemu at every SVE vector length from 128 to 2048 bits.
# usage: test/kernels/run_sve.sh [--all] [BUILD_DIRECTORY]      (default build/sve; --all: more cases)
set -u

cases=60
if [ "${1:-}" = --all ]; then
  cases=1000
  shift
fi
root=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
dir=${1:-$root/build/sve}
sysroot=/usr/aarch64-linux-gnu
qemu=qemu-aarch64-static

missing=
command -v $qemu >/dev/null || missing="$missing qemu-user-static"
command -v aarch64-linux-gnu-gcc >/dev/null || missing="$missing gcc-aarch64-linux-gnu"
[ -e $sysroot/lib/libc.so.6 ] || missing="$missing libc6-dev-arm64-cross"
command -v meson >/dev/null || missing="$missing meson"
command -v ninja >/dev/null || missing="$missing ninja-build"
if [ -n "$missing" ]; then
  echo "run_sve.sh: the SVE tests need these Debian packages:$missing" >&2
  echo "            sudo apt-get install$missing" >&2
  exit 1
fi

if [ ! -f "$dir/build.ninja" ]; then
  meson setup "$dir" "$root" --cross-file "$root/cross/aarch64-linux-gnu.ini" -Dbench=disabled || exit 1
fi
ninja -C "$dir" --quiet test/kernels/kernels_test test/kernels/kernels_selftest \
  test/kernels/softmax_test test/kernels/conv_test test/kernels/conv_dot_test \
  test/kernels/triangle_test test/kernels/level1_test test/kernels/level2_test \
  test/kernels/checksums || exit 1

failed=0

# at VQ PROGRAM...: under a processor whose vectors have VQ times 128 bits. Without the last property qemu would
# start a process with at most 512 bits.
at() {
  vq=$1 program=$dir/test/kernels/$2
  shift 2
  echo "== $((vq * 128)) bits: ${program##*/} $*"
  $qemu -L $sysroot -cpu "max,sve-max-vq=$vq,sve-default-vector-length=-1" "$program" "$@" && return
  echo "FAILED at $((vq * 128)) bits: ${program##*/} $*"
  failed=$((failed + 1))
}

at 1 kernels_selftest
at 1 softmax_test --selftest
at 1 conv_test --selftest
at 1 kernels_test --chip generic --cases "$cases"
at 1 level1_test --cases "$((cases * 2))"
at 1 level2_test --cases "$cases"
for vq in 1 2 3 4 8 16; do
  at $vq kernels_test --chip arm_sve --vector-bytes $((vq * 16)) --cases "$cases"
  at $vq softmax_test --chip arm_sve --cases "$cases"
  at $vq conv_test --chip arm_sve --cases "$cases"
  at $vq conv_dot_test --cases "$cases"
  at $vq triangle_test --cases "$((cases / 3))"
  at $vq checksums
done

echo "$failed failed"
[ $failed = 0 ]
