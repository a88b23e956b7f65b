#!/bin/sh
# The tessera command: what it prints, and its exit status when it is misused. usage: command.sh TESSERA
set -u
tessera=$1
failed=0
out=$(mktemp)
trap 'rm -f "$out"' EXIT

# expect STATUS PATTERN COMMAND...: the exit status, and a line that the output must have.
expect() {
  status=$1 pattern=$2
  shift 2
  "$@" >"$out" 2>&1
  got=$?
  if [ $got != "$status" ] || ! grep -qE "$pattern" "$out"; then
    echo "$*: status $got, not $status, or no line like '$pattern' in:"
    cat "$out"
    failed=1
  fi
}

unset TESSERA_ISA TESSERA_NUM_THREADS TESSERA_TRACE LD_PRELOAD
expect 0 '^CPU +[^ ]' "$tessera" info
expect 0 '^(ISA| ) +[a-z0-9]+ +in use: the best' "$tessera" info
expect 0 '^caches +L1 +[1-9]' "$tessera" info
expect 0 '^threads +[1-9]' "$tessera" info
expect 0 'rows +[0-9]+x[0-9]+, one of [0-9]+ tiles: tsr_gemm_f64_' "$tessera" info
expect 0 'generic +in use: TESSERA_ISA' env TESSERA_ISA=generic "$tessera" info
expect 0 '^threads +3: TESSERA_NUM_THREADS=3' env TESSERA_NUM_THREADS=3 "$tessera" info
expect 1 'TESSERA_ISA.*mmx.*generic' env TESSERA_ISA=mmx "$tessera" info
expect 0 '^usage: tessera' "$tessera" --help
expect 2 '^usage: tessera' "$tessera"
expect 2 'no command "fly"' "$tessera" fly
expect 2 '^usage: tessera info' "$tessera" info --speed
expect 2 '^usage: tessera run' "$tessera" run --threads 2
expect 0 '^2 1 generic /.*libtessera.so.*:/dev/null$' env LD_PRELOAD=/dev/null \
  "$tessera" run --threads 2 --trace --isa generic -- \
  sh -c 'echo "$TESSERA_NUM_THREADS $TESSERA_TRACE $TESSERA_ISA $LD_PRELOAD"'
expect 7 '^$' "$tessera" run sh -c 'echo; exit 7'
expect 127 'No such file' "$tessera" run -- /nowhere/program
expect 126 'Permission denied' "$tessera" run -- /etc/passwd
exit $failed
