#!/bin/sh
# Runs one of the reference BLAS's level-3 testers on Tessera, which is preloaded over the reference library.
# usage: testers.sh LIBTESSERA TESTER INPUT SUMMARY ROUTINE...; exits with 77 (skipped) where they are not installed.
set -eu
library=$1 tester=$2 input=$3 summary=$4
shift 4

blas=$(dirname "$(ls /usr/lib/*/blas/"$tester" 2>/dev/null || echo none)")
[ -x "$blas/$tester" ] || { echo "install libblas-test to run $tester"; exit 77; }
[ -e "$blas/libblas.so.3" ] || { echo "install libblas3 to run $tester"; exit 77; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# Only the lines of the routines that are asked for say T; and the sizes go up to what the testers have room for.
any=$(echo "$*" | tr ' ' '|')
sed -E -e "/ T PUT F /{/^($any) /!s/ T PUT/ F PUT/}" -e 's/^6 ( *NUMBER OF VALUES OF N)/9\1/' \
  -e 's/^[0-9 ]+ (VALUES OF N)/0 1 2 3 5 9 17 32 65 \1/' "$blas/$input" >input
grep -q '^9 ' input && grep -q '^0 .* 65 VALUES' input && [ "$(grep -c ' T PUT F' input)" = $# ]

LD_LIBRARY_PATH=$blas LD_PRELOAD=$library LD_DEBUG=bindings "$blas/$tester" <input >output 2>bindings || tail bindings
[ "$summary" = - ] || cat "$summary" >>output
cat output

for routine; do
  symbol=$(echo "$routine" | tr '[:upper:]' '[:lower:]')
  case $symbol in cblas_*) majors=2 ;; *) symbol=${symbol}_ majors=1 ;; esac
  grep -q "binding file .*$tester .* to $library .* symbol \`$symbol'" bindings
  grep -qE "$routine +PASSED THE TESTS OF ERROR-EXITS" output
  [ "$(grep -cE "$routine +PASSED THE .*COMPUTATIONAL TESTS" output)" = $majors ]
done
