#!/bin/sh
# Installs the library into a folder, and builds and runs the README's C example against it as its users would: through
# pkg-config (shared and static) and through CMake. usage: install.sh SOURCE BUILD VERSION
set -eu
source=$1 build=$2 version=$3

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
DESTDIR=$work/root meson install -C "$build" --no-rebuild --quiet
config=$(find "$work/root" -name tessera.pc)
libdir=$(dirname "$(dirname "$config")")
prefix=$(dirname "$(find "$work/root" -name bin)")

echo '--- what was installed'
(cd "$prefix" && find . -not -type d | sort)
[ "$(readlink "$libdir/libtessera.so")" = libtessera.so.0 ]
objdump -p "$libdir/libtessera.so.$version" | grep -q 'SONAME *libtessera.so.0$'
for file in "$libdir/libtessera.a" "$prefix/include/tessera/tessera.h" "$prefix/include/tessera/cblas.h" \
  "$prefix/share/man/man1/tessera.1"; do [ -s "$file" ] || { echo "$file is missing"; exit 1; }; done

echo '--- the README'\''s example'
awk '/^```c$/{inside = 1; next} /^```$/{if (inside) exit} inside' "$source/README.md" >"$work/example.c"
[ -s "$work/example.c" ]
cd "$work"
run() { # NAME: checks what an example program says
  LD_LIBRARY_PATH=$libdir "./$1" | tee out
  grep -qx '58 64 139 154' out || { echo "$1 is wrong"; exit 1; }
}

PKG_CONFIG_PATH=$(dirname "$config")
PKG_CONFIG_SYSROOT_DIR=$work/root
export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR
[ "$(pkg-config --modversion tessera)" = "$version" ]
cc example.c -o shared $(pkg-config --cflags --libs tessera)
run shared
objdump -p shared | grep -q 'NEEDED *libtessera.so.0$'
cc example.c -o static $(pkg-config --cflags tessera) "$libdir/libtessera.a" \
  $(pkg-config --libs-only-l --libs-only-other --static tessera | sed 's/-ltessera//')
run static

echo '--- the tessera command finds its library'
"$prefix/bin/tessera" run -- sh -c 'echo "$LD_PRELOAD"' | tee out
[ "$(cat out)" = "$(realpath "$libdir/libtessera.so.0")" ]
"$prefix/bin/tessera" --version | grep -qx "tessera $version"

command -v cmake >/dev/null || { echo 'no cmake: not tried'; exit 0; }
echo '--- CMake'
cat >CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.13)
project(example C)
find_package(tessera 0.1 REQUIRED)
foreach(kind tessera static)
  add_executable(cmake_${kind} example.c)
  target_link_libraries(cmake_${kind} tessera::${kind})
endforeach()
END
cmake -S . -B . -DCMAKE_PREFIX_PATH="$prefix" >/dev/null
cmake --build . >/dev/null
run cmake_tessera
run cmake_static
