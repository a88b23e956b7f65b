#!/bin/sh
# fingerprints.sh SOURCE OUTPUT DEPFILE CHIP...: writes checksums of each chip's kernels, and what they were made of. Rows
# of the tuning database that were measured with other kernels are told by them. Kernels that convolution alone uses count
# for its rows only: the others outlive changes to them. What only the rest of the BLAS uses (complex numbers, triangles,
# vectors) counts for none, as nothing there has rows of its own.
set -eu
source=$1 output=$2 depfile=$3
shift 3
: >"$output"
printf '%s:' "$(basename "$output")" >"$depfile"

sum() { cksum | cut -d' ' -f1; }

# Files and lines of the lists that only the rest of the BLAS uses.
blas_files='/(complex|triangle|level1|level2|simd)[^/]*$|_c(32|64)[_.][^/]*$'
blas_lines=' (SOLVE|MULTIPLY|LEVEL1_[A-Z0-9_]*|LEVEL2_[A-Z0-9_]*|[A-Z0-9_]*, C32|[A-Z0-9_]*, C64), '

for chip; do
  every=$(find "$source/$chip" -type f ! -name meson.build ! -name chip.c | LC_ALL=C sort)
  files=$(printf '%s\n' $every | grep -v -E "$blas_files")
  others=$(printf '%s\n' $files | grep -v -e '/kernels\.def$' -e '/conv[_.][^/]*$' -e '/turn[_.][^/]*$' \
    -e '/post[_.][^/]*$' -e '/activations\.h$')
  all=$(for file in $files; do
    case $file in */kernels.def) grep -v -E "^TSR_KERNEL.*$blas_lines" "$file" ;; *) cat "$file" ;; esac
  done | sum)
  lists=$(find "$source/$chip" -name kernels.def)
  rest=$({ cat $others; grep -h '^TSR_KERNEL' $lists |
    grep -v -E -e ', (CONV|CONV_LANES|TURN|POST), ' -e ",$blas_lines"; } | sum)
  printf 'TSR_FINGERPRINT("%s", "conv", "%s")\nTSR_FINGERPRINT("%s", "", "%s")\n' "$chip" "$all" "$chip" "$rest" >>"$output"
  printf ' %s' $every >>"$depfile"
done
echo >>"$depfile"
