#!/bin/sh
# The benchmark must notice a library that answers wrongly, one that dies and one that is not there, must refuse what it
# does not understand, and must still measure the others. Usage: check.sh TESSERA-BENCH LIBTESSERA BAD-PEER
bench=$1 library=$2 bad=$3
failed=0
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT

expect() { # NAME TEXT: the last output contains TEXT
  grep -q -e "$2" "$work/out" || { echo "FAIL $1: no '$2' in:"; cat "$work/out"; failed=1; }
}

run() { "$bench" --library "$library" --no-peer "$@" >"$work/out" 2>&1; }

run --peer bad="$bad" --peer none="$work/none.so" --section overhead --filter 8x8x8 --rounds 3 --json "$work/json" || failed=1
expect "a wrong result is marked" "8x8x8 NN .* wrong "
expect "a crash is marked" "8x8x8 NN .* died "
expect "a missing library is named" "none .*not here"
cp "$work/json" "$work/out"
expect "the other library is measured" '"tessera": {"median": [0-9]'
expect "the fault is in the JSON" '"bad": {"fault": "wrong"}'

echo "3 4 x N N" >"$work/shapes"
for arguments in "--type f16" "--threads 0" "--rounds many" "--peer nameless" "--section none" "--filter nothing-like-it" \
  "--shapes $work/shapes" "--shapes $work/none" "--no-such-option" "stray"; do
  # shellcheck disable=SC2086 (words are meant to be split)
  run $arguments --rounds 1 && { echo "FAIL: $arguments was accepted"; failed=1; }
done
expect "an argument is named" "there is no .stray. to measure"

run blas --section small --filter 'dgemv N' --rounds 3 || failed=1
expect "a routine of the BLAS is measured" "dgemv N 8x8  *[0-9]"
run blas --peer bad="$bad" --section small --filter daxpy --rounds 3 || failed=1
expect "results that differ are marked" "daxpy 8  *differs  *differs"
for line in "gemv d N 8" "gemv d - 8 8" "gemv q N 8 8" "gemw d N 8 8" "gemv d N 8 0"; do
  printf '[level2]\n%s\n' "$line" >"$work/shapes"
  run blas --shapes "$work/shapes" --rounds 1 && { echo "FAIL: the line $line was accepted"; failed=1; }
  expect "its line is named" "shapes:2: expected"
done

echo "1 4 2 5 300 32 64 1 q8_0" >"$work/shapes"
run attention --shapes "$work/shapes" --peer none="$work/python3" --threads 1 --rounds 1 --json "$work/json" || failed=1
expect "attention is measured, and right" "1x4/2x5x300x32/64 causal q8_0  *[0-9]"
expect "a program that is not there is named" "none .*not here"
for shape in "1 4 3 5 300 32 32 1 f32" "1 4 2 5 300 33 32 1 q8_0" "1 4 2 5 300 32 32 2 f16" "1 4 2 5 300 32 32 1 f64" \
  "1 4 2 5 300 32 32 1 f32 upright" "1 4 2 0 300 32 32 1 f32" "1 4 2 5 300 32 32"; do
  echo "$shape" >"$work/shapes"
  run attention --shapes "$work/shapes" --rounds 1 && { echo "FAIL: the shape $shape was accepted"; failed=1; }
  expect "its line is named" "shapes:1: expected"
done
cat >"$work/shapes" <<END
8->16@9x7 3x3/2 p1x0 # comment
8->8@6 3x3 d2 g4
6->4@5 4x4/2 p1 T N3
5->7@40 5
2->3@4x5x6 3x3x3
END
run conv --shapes "$work/shapes" --peer none="$work/none.so" --threads 1 --rounds 1 --json "$work/json" || failed=1
for label in "8->16@9x7 3x3/2 p1x0" "8->8@6 3x3 d2 g4" "6->4@5 4x4/2 T N3" "5->7@40 5" "2->3@4x5x6 3x3x3"; do
  expect "convolution is measured in both layouts, and right" "$label  *[0-9][0-9.]*[* ]  *[0-9][0-9.]*[* ]"
done
for shape in "8->16@9" "8->16 3x3" "8->16@9 3x3 g3" "8->16@2 5x5 p0" "8->16@9 3x3/0" "8->16@9 3x3 d0" "0->16@9 3x3" \
  "8->16@9x9x9 3x3" "8->16@9 3x3 p3" "8->16@9 3x3 u9" "8->16@9 3x3 g4x"; do
  echo "$shape" >"$work/shapes"
  run conv --shapes "$work/shapes" --rounds 1 && { echo "FAIL: the shape $shape was accepted"; failed=1; }
  expect "its line is named" "shapes:1: expected"
done
for arguments in "--layout nhcw" "--batch 0" "--seed x"; do
  # shellcheck disable=SC2086 (words are meant to be split)
  run conv $arguments --rounds 1 && { echo "FAIL: $arguments was accepted"; failed=1; }
done
run attention --section gemm --rounds 1 && { echo "FAIL: a section of another suite was accepted"; failed=1; }
exit $failed
