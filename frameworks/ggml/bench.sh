#!/usr/bin/env bash
# llama.cpp with the backend and without, in turn: a random f16 model at a depth of 4096, and what share attention has.
# ./dev build ggml --llama builds what this needs.
# usage: bench.sh [ROUNDS] [DEPTH] [THREADS] [KV_TYPE]     (3 4096 2 f16)
set -eu
cd "$(dirname "$0")/../.."
rounds=${1:-3} depth=${2:-4096} threads=${3:-2} type=${4:-f16}
programs=$PWD/build/ggml/cmake/bin
backend=$PWD/build/ggml/libggml-tessera.so
optime=$PWD/build/ggml/backend/optime
model=$PWD/build/ggml/bench.gguf
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

[ -x "$optime" ] || { echo "first: ./dev build ggml --llama" >&2; exit 1; }
[ -f "$model" ] || build/venv/bin/python frameworks/ggml/model.py "$model"
cd "$programs" # where programs look for the CPU backend
unset GGML_BACKEND_PATH

for ((round = 0; round < rounds; round++)); do
  for who in ggml tessera; do
    [ $who = ggml ] && with=() || with=("GGML_BACKEND_PATH=$backend")
    env "${with[@]}" ./llama-bench -m "$model" -fa 1 -t "$threads" -d "$depth" -p 512 -n 32 -r 1 -ctk "$type" -ctv "$type" \
      -o csv 2>/dev/null >>"$work/$who.csv"
    env "${with[@]}" "$optime" "$model" "$depth" "$threads" "$type" >>"$work/$who.op"
  done
done

# The best of each: what disturbs a run only slows it down.
python3 - "$work" "$depth" "$threads" "$type" <<'END'
import csv, sys

folder, depth, threads, kind = sys.argv[1:]
speed, op = {}, {}
for who in "ggml", "tessera":
    best = speed[who] = {}
    for row in csv.reader(open(f"{folder}/{who}.csv")):
        if row[0] == "build_commit":
            names = row
            continue
        run = dict(zip(names, row))
        name = "pp512" if run["n_prompt"] != "0" else "tg32"
        best[name] = max(best.get(name, 0), float(run["avg_ts"]))
    best = op[who] = {}
    for tokens, *seconds in map(str.split, open(f"{folder}/{who}.op")):
        name = "pp512" if tokens == "512" else "tg32"
        best[name] = [min(a, float(b)) for a, b in zip(best.get(name, [9, 9]), seconds)]
print(f"llama.cpp, depth {depth}, {threads} threads, {kind} keys and values, -fa 1: ggml, with Tessera, ratio")
print("%-6s %27s  %27s  %27s   %s" % ("", "llama-bench, tokens/s", "fastest batch, ms", "its attention, ms", "share"))
for name in "pp512", "tg32":
    t1, t2 = speed["ggml"][name], speed["tessera"][name]
    (all_1, op_1), (all_2, op_2) = op["ggml"][name], op["tessera"][name]
    print("%-6s %10.1f %10.1f %5.2f  %10.3f %10.3f %5.2f  %10.3f %10.3f %5.2f   %.0f %%, %.0f %%" % (
        name, t1, t2, t2 / t1, 1e3 * all_1, 1e3 * all_2, all_1 / all_2, 1e3 * op_1, 1e3 * op_2, op_1 / op_2,
        100 * op_1 / all_1, 100 * op_2 / all_2))
END
