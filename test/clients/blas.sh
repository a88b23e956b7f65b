#!/bin/sh
# The reference BLAS's own testers of one type, all levels, Fortran and CBLAS, with their own inputs and with sizes up to
# what they have room for. usage: blas.sh LIBRARY s|d|c|z
. "$(dirname "$0")/common.sh"
use "$1"
type=$2
needs "$reference/xblat1$type" libblas-test
arrives "$reference/xblat1$type"

# all_passed NAME OUTPUT INPUT LAYOUTS: a line for each routine that the input names.
all_passed() {
  routines=$(grep -cE '^[A-Za-z_0-9]+ +T ' "$3")
  errors=$(grep -c 'PASSED THE TESTS OF ERROR-EXITS' "$2") || true
  results=$(grep -cE 'PASSED THE .*COMPUTATIONAL TESTS' "$2") || true
  if [ "$errors" = "$routines" ] && [ "$results" = $((routines * $4)) ] && ! grep -E 'FAIL|\*{4}' "$2"; then
    echo "$1: $routines routines passed"
  else
    fail "$1: of $routines routines $errors passed error exits, $results of $((routines * $4)) computations" "$2"
  fi
}

cd "$work"
for tester in xblat1 xcblat1; do
  [ $tester = xblat1 ] && program=$reference/xblat1$type || program=$reference/x${type}cblat1
  $run "$program" >output 2>&1 || fail "$tester: exit status $?"
  tests=$(grep -c 'Test of subprogram number' output) || true
  passed=$(grep -c -e '----- PASS -----' output) || true
  if [ "$tests" -ge 9 ] && [ "$passed" = "$tests" ] && ! grep -q FAIL output; then
    echo "$tester$type: $tests routines passed"
  else
    fail "$tester$type: $passed of $tests passed" output
  fi
done
for level in 2 3; do
  for sizes in own larger; do
    for tester in xblat xcblat; do
      [ $tester = xblat ] && program=$reference/xblat$level$type || program=$reference/x${type}cblat$level
      [ $tester = xblat ] && input=$reference/${type}blat$level.in || input=$reference/${type}in$level
      if [ $sizes = larger ]; then
        sed -E -e 's/^6 ( *NUMBER OF VALUES OF N)/9\1/' -e 's/^[0-9 ]+ (VALUES OF N *)$/0 1 2 3 5 9 17 32 65 \1/' "$input" >input
        grep -q '^9 ' input && grep -q '^0 .* 65 VALUES' input || fail "$input is not as expected" input
      else
        cp "$input" input
      fi
      rm -f ./*.out ./*.OUT
      $run "$program" <input >output 2>&1 || fail "$(basename "$program"): exit status $?"
      for summary in ./*.out ./*.OUT; do [ ! -e "$summary" ] || cat "$summary" >>output; done
      layouts=1
      [ $tester = xblat ] || layouts=2
      all_passed "$(basename "$program"), $sizes sizes" output input $layouts
    done
  done
done
exit $status
