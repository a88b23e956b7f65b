#!/usr/bin/env bash
# A random model through llama.cpp, with the backend and without: the same greedy tokens, and the backend's own word that
# it computed the attention of every layer of every step.
# usage: tokens.sh PYTHON FOLDER_OF_LLAMA_PROGRAMS LIBGGML_TESSERA
set -eu
python=$1 programs=$2 backend=$3
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
layers=3
prompt=$(printf 'Line %d of a prompt that is long enough to be read in more than one batch. ' {1..9})

# complete NAME TOKENS KV_TYPE [environment]: the text, as $work/NAME
complete() {
  local name=$1 tokens=$2 type=$3
  shift 3
  env "$@" "$programs/llama-completion" -m "$work/model.gguf" -p "$prompt" -n "$tokens" --temp 0 -fa on -t 2 -c 2048 -b 512 \
    -ctk "$type" -ctv "$type" --no-warmup -no-cnv --ignore-eos >"$work/$name" 2>"$work/$name.log" ||
    { tail "$work/$name.log"; exit 1; }
}

# same SEED TYPE TOKENS
same() {
  local seed=$1 type=$2 tokens=$3 calls least
  "$python" "$here/../model.py" "$work/model.gguf" --seed "$seed" --layers $layers --width 512 --heads 8 --kv-heads 2 --hidden 1024
  complete without "$tokens" "$type" TESSERA_TRACE=1
  complete with "$tokens" "$type" TESSERA_TRACE=1 GGML_BACKEND_PATH="$backend"
  cmp "$work/without" "$work/with" || { echo "seed $seed, $type: other tokens"; exit 1; }
  [ "$(wc -c <"$work/with")" -gt "${#prompt}" ] || { echo "seed $seed, $type: no tokens"; exit 1; }
  calls=$(grep -c '^tessera: tsr_attention ' "$work/with.log" || true)
  least=$((layers * (tokens + 1))) # two batches of the prompt, then one token at a time
  [ "$calls" -ge $least ] || { echo "seed $seed, $type: $calls calls of tsr_attention, not $least"; exit 1; }
  ! grep -q '^tessera: ' "$work/without.log" || { echo "tessera was used without being asked for"; exit 1; }
  echo "seed $seed, $type: $tokens tokens agree, $calls calls"
}

# Models in which no decision is close: of ten, three get other tokens from ggml alone with another -t or -b.
for seed in 1 3 4; do same $seed f16 48; done
# ggml rounds queries to the type of the keys: fewer decisions.
same 3 bf16 16
same 3 q8_0 16
