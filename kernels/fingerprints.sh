#!/bin/sh
# fingerprints.sh SOURCE OUTPUT DEPFILE CHIP...: writes checksums of each chip's kernels, and what they were made of. Rows
# of the tuning database that were measured with other kernels are told by them. Kernels that convolution alone uses count
# for its rows only: the others outlive changes to them.
set -eu
source=$1 output=$2 depfile=$3
shift 3
: >"$output"
printf '%s:' "$(basename "$output")" >"$depfile"

sum() { cksum | cut -d' ' -f1; }

for chip; do
  files=$(find "$source/$chip" -type f ! -name meson.build ! -name chip.c | LC_ALL=C sort)
  others=$(printf '%s\n' $files | grep -v -e '/kernels\.def$' -e '/conv[_.][^/]*$' -e '/turn[_.][^/]*$' \
    -e '/post[_.][^/]*$' -e '/activations\.h$')
  all=$(cat $files | sum)
  lists=$(find "$source/$chip" -name kernels.def)
  rest=$({ cat $others; grep -h '^TSR_KERNEL' $lists | grep -v -E ', (CONV|CONV_LANES|TURN|POST), '; } | sum)
  printf 'TSR_FINGERPRINT("%s", "conv", "%s")\nTSR_FINGERPRINT("%s", "", "%s")\n' "$chip" "$all" "$chip" "$rest" >>"$output"
  printf ' %s' $files >>"$depfile"
done
echo >>"$depfile"
