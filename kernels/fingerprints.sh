#!/bin/sh
# fingerprints.sh SOURCE OUTPUT DEPFILE CHIP...: writes a checksum of each chip's folder, and what it was made of. Rows
# of the tuning database that were measured with other kernels are told by it.
set -eu
source=$1 output=$2 depfile=$3
shift 3
: >"$output"
printf '%s:' "$(basename "$output")" >"$depfile"
for chip; do
  files=$(find "$source/$chip" -type f ! -name meson.build | LC_ALL=C sort)
  printf 'TSR_FINGERPRINT("%s", "%s")\n' "$chip" "$(cat $files | cksum | cut -d' ' -f1)" >>"$output"
  printf ' %s' $files >>"$depfile"
done
echo >>"$depfile"
