#!/bin/sh
# The names that leave a library: every one of each routine in src/blas/routines.def, as src/blas/face.h forms them, the
# handlers' and tsr_*, and no others. usage: names.sh LIBRARY ROUTINES_DEF
set -eu
library=$1 routines=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

sed -nE 's/^BLAS_ROUTINE\(([a-z0-9_]+), ([012])\)$/\1 \2/p' "$routines" >"$work/routines"
[ "$(wc -l <"$work/routines")" = "$(grep -c '^ *BLAS_ROUTINE' "$routines")" ] || { echo "$routines has lines that this cannot read"; exit 1; }
while read -r name cblas; do
  for fortran in "${name}_" "$name" "${name}_64_" "${name}_64" "scipy_${name}_" "scipy_${name}_64_"; do echo "$fortran"; done
  case $cblas in 0) continue ;; 1) face=cblas_$name ;; 2) face=cblas_${name}_sub ;; esac
  for c in "$face" "${face}64_" "${face}_64" "scipy_$face" "scipy_${face}64_"; do echo "$c"; done
done <"$work/routines" >"$work/named"
printf '%s\n' xerbla_ cblas_xerbla RowMajorStrg CBLAS_CallFromC >>"$work/named"
sort -o "$work/named" "$work/named"
[ -z "$(uniq -d "$work/named")" ] || { echo 'two routines have one name:'; uniq -d "$work/named"; exit 1; }

nm -D --defined-only "$library" | awk '{print $3}' | sort >"$work/all"
grep -vE '^tsr_[a-z0-9_]+$' "$work/all" >"$work/there" || true
comm -13 "$work/named" "$work/there" >"$work/strangers"
comm -23 "$work/named" "$work/there" >"$work/missing"
status=0
[ ! -s "$work/strangers" ] || { echo 'these names leave the library and are nobody'\''s:'; cat "$work/strangers"; status=1; }
if [ -s "$work/missing" ]; then
  echo 'these names are missing:'
  cat "$work/missing"
  status=1
fi
echo "$(wc -l <"$work/there") names of the BLAS, $(($(wc -l <"$work/all") - $(wc -l <"$work/there"))) of tsr_*"
exit $status
