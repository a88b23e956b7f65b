#!/bin/sh
# The blocking layers know loops, tiles, levels and cores, and no chip: searches them for the chips' names, for macros
# that tell chips apart and for instructions. usage: names_no_chip.sh SOURCE_ROOT
cd "$1" || exit 2
words='__x86_64__|__aarch64__|__AVX|__ARM|immintrin|arm_neon|arm_sve|\basm\b|\bavx|\bsse|\bneon|\bsve\b|\baccel\b'
for chip in kernels/*/; do words="$words|$(basename "$chip")"; done
found=0
for layer in src/gemm src/conv src/attention; do
  [ -d "$layer" ] || continue
  grep -rnEi "$words|#include \"kernels/[a-z0-9_]*/" "$layer" && found=1
done
[ $found = 0 ] || { echo 'a blocking layer names a chip'; exit 1; }
# The search itself must be able to find something.
printf '#ifdef __x86_64__\n' | grep -qE "$words"
