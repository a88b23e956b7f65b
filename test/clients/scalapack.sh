#!/bin/sh
# ScaLAPACK's and the PBLAS's own testers of one type on two MPI ranks, in grids of 1 x 2 and 2 x 1, with sizes beyond one
# block. usage: scalapack.sh LIBRARY s|d|c|z
. "$(dirname "$0")/common.sh"
use "$1"
type=$2
tests=$distribution/scalapack/openmpi-tests
needs "$tests/x${type}lu" scalapack-mpi-test
needs /usr/share/scalapack/LU.dat scalapack-test-common
needs /usr/bin/mpirun.openmpi openmpi-bin
arrives "$tests/x${type}lu"

# Grids for two ranks; sizes change where a file leaves M, N and NB free, M <= N as one of the factorizations asks. The
# estimates of condition numbers are left out: on two ranks their broadcasts overtake one another on any BLAS, the
# reference included, and every other run breaks off or hangs.
grids='/(process|processor) grids/s/^[ \t]*[0-9]+/2/; s/^[0-9 \t]+(values of P)/1 2 \1/; s/^[0-9 \t]+(values of Q)/2 1 \1/
  s/^T(.*Test Cond)/F\1/'
sizes='/problems? sizes/s/^[ \t]*[0-9]+/3/; /(blocking sizes|of NB.s)/s/^[ \t]*[0-9]+/3/
  s/^[0-9 \t]+(values of M)$/4 97 130 \1/; s/^[0-9 \t]+(values of N)$/5 97 150 \1/; s/^[0-9 \t]+(values of [MN]B)$/3 8 32 \1/'

cd "$work"
for name in lu llt qr ls inv trd brd hrd; do
  file=$(echo $name | tr '[:lower:]' '[:upper:]').dat
  edit="s/[ \t]+$//; $grids"
  [ $name = hrd ] || edit="$edit; $sizes"
  sed -E "$edit" "/usr/share/scalapack/$file" >"$file"
  ranks "$tests/x$type$name" >output 2>&1 || { fail "x$type$name: exit status $?" output; continue; }
  passed=$(sed -nE 's/^ *([0-9]+) tests completed and passed.*/\1/p' output)
  failed=$(sed -nE 's/^ *([0-9]+) tests completed (and failed|without).*/\1/p' output | awk '{n += $1} END {print n + 0}')
  skipped=$(sed -nE 's/^ *([0-9]+) tests skipped.*/\1/p' output)
  if [ "${passed:-0}" -gt 0 ] && [ "$failed$skipped" = 00 ]; then
    echo "x$type$name: $passed tests passed"
  else
    fail "x$type$name: ${passed:-no} tests passed, $failed failed, ${skipped:-none} skipped" output
  fi
done
for level in 1 2 3; do
  file=P$(echo "$type" | tr '[:lower:]' '[:upper:]')BLAS${level}TST.dat
  sed -E "s/[ \t]+$//; $grids" "/usr/share/scalapack/PBLAS/$file" >"$file"
  ranks "$tests/PBLAS/${type}pb${level}tst" >output 2>&1 || { fail "${type}pb${level}tst: exit status $?" output; continue; }
  passed=$(grep -c PASSED output) || true
  if [ "$passed" -gt 0 ] && grep -qi 'end of tests' output && ! grep -q 'FAILED  *\*' output; then
    echo "${type}pb${level}tst: $passed passed"
  else
    fail "${type}pb${level}tst: $passed passed" output
  fi
done
exit $status
