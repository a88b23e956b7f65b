#!/bin/sh
# Runs one of the reference BLAS's level-1 testers on Tessera, which is preloaded over the reference library.
# usage: level1_testers.sh LIBTESSERA TESTER ROUTINE...; exits with 77 (skipped) where the testers are not installed.
set -eu
library=$1 tester=$2
shift 2

blas=$(dirname "$(ls /usr/lib/*/blas/"$tester" 2>/dev/null || echo none)")
[ -x "$blas/$tester" ] || { echo "install libblas-test to run $tester"; exit 77; }
[ -e "$blas/libblas.so.3" ] || { echo "install libblas3 to run $tester"; exit 77; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

LD_LIBRARY_PATH=$blas LD_PRELOAD=$library LD_DEBUG=bindings "$blas/$tester" >output 2>bindings || tail bindings
cat output

# Each routine is Tessera's, passes, and none fails.
for routine; do
  grep -q "binding file .*$tester .* to $library .* symbol \`$routine'" bindings || { echo "$routine is another's"; exit 1; }
done
# iamax of c and z passes as I?AMAX; a line a subprogram.
passed=$(grep -cE -- '-* PASS' output || true)
[ "$passed" = $# ] || { echo "$passed of $# passed"; exit 1; }
! grep -q FAIL output
