#!/usr/bin/env bash
# Builds ggml and Tessera's backend for it into build/ggml; ./dev build ggml calls it when the library is built and
# build/venv is there. With --llama also the programs of llama.cpp that the slow tests and the benchmark start; with
# --fetch only the source is fetched.
set -eu
cd "$(dirname "$0")/../.."

release=0.3.36 # of llama-cpp-python on PyPI, whose source holds llama.cpp and ggml
out=$PWD/build/ggml
source=$out/llama.cpp
programs=''
[ "${1:-}" = --llama ] && programs='llama-bench llama-completion'

# The archive takes half a minute: pip asks its build system for metadata first.
fetch() {
  [ "$(cat "$source/release" 2>/dev/null)" = $release ] && return
  rm -rf "$out"
  mkdir -p "$out/sdist"
  build/venv/bin/pip download -qq --disable-pip-version-check --no-deps --no-binary :all: -d "$out/sdist" \
    "llama-cpp-python==$release"
  tar -xzf "$out"/sdist/*.tar.gz -C "$out" --strip-components=2 --wildcards '*/vendor/llama.cpp'
  rm -r "$out/sdist"
  touch "$source/ggml/ggml.pc.in" # which the archive lacks, and nothing here needs
  echo $release >"$source/release"
}

# A loadable CPU backend takes no -march=native: the same by its own options.
cpu_options() {
  local flags option name
  if [ "$(uname -m)" != x86_64 ]; then
    echo -DGGML_CPU_ARM_ARCH=native
    return
  fi
  flags=" $(sed -n '/^flags/{s/^.*://p;q}' /proc/cpuinfo) "
  for option in SSE42=sse4_2 AVX=avx F16C=f16c FMA=fma BMI2=bmi2 AVX2=avx2 AVX_VNNI=avx_vnni AVX512=avx512f \
    AVX512_VBMI=avx512vbmi AVX512_VNNI=avx512_vnni AVX512_BF16=avx512_bf16 AMX_TILE=amx_tile AMX_INT8=amx_int8; do
    name=${option#*=}
    [[ $flags == *" $name "* ]] && echo "-DGGML_${option%=*}=ON" || echo "-DGGML_${option%=*}=OFF"
  done
}

fetch
[ "${1:-}" = --fetch ] && exit
# GIT_EXE: the version would name the commit of this repository.
[ -f "$out/cmake/build.ninja" ] || cmake -G Ninja -S "$source" -B "$out/cmake" -DCMAKE_BUILD_TYPE=Release \
  -DCMAKE_C_FLAGS=-w -DCMAKE_CXX_FLAGS=-w -DGIT_EXE=OFF -DBUILD_SHARED_LIBS=ON -DGGML_BACKEND_DL=ON -DGGML_NATIVE=OFF \
  -DGGML_CCACHE=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_SERVER=OFF -DLLAMA_OPENSSL=OFF \
  $(cpu_options)
ninja -C "$out/cmake" ggml ggml-cpu $programs

[ -f "$out/backend/build.ninja" ] || meson setup "$out/backend" frameworks/ggml -Dggml="$source/ggml" \
  -Dggml_libraries="$out/cmake/bin" -Dtessera="$PWD/build" -Dwerror=true
[ -z "$programs" ] || meson configure "$out/backend" -Dllama="$source"
ninja -C "$out/backend"
ln -sf backend/libggml-tessera.so "$out/libggml-tessera.so"
