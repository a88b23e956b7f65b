#!/bin/sh
# Installs the library with -Dblas=true into a folder, and runs on it programs that were built for another BLAS: by
# LD_LIBRARY_PATH, by a link as update-alternatives makes it, and beside libtessera.so.
# usage: blas.sh BUILD true|false; exits with 77 (skipped) where the build folder is configured without it.
set -eu
build=$1
[ "$2" = true ] || { echo "meson configure $build -Dblas=true would install it"; exit 77; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
DESTDIR=$work/root meson install -C "$build" --no-rebuild --quiet
blas=$(dirname "$(find "$work/root" -name libblas.so.3)")
libtessera=$(find "$work/root" -name libtessera.so.0)
[ "$(basename "$blas")" = tessera ]
[ "$(readlink "$blas/libblas.so")" = libblas.so.3 ]
for name in libblas libcblas; do
  objdump -p "$blas/$name.so.3" | grep -q "SONAME *$name.so.3\$"
  if objdump -p "$blas/$name.so.3" | grep 'NEEDED *libtessera'; then echo "$name.so.3 cannot stand alone"; exit 1; fi
done

cd "$work"
# Any library of that name will do to build against: at run time the loader asks for libblas.so.3.
cat >program.c <<'END'
#include <stdio.h>
void dgemm_(const char *, const char *, const int *, const int *, const int *, const double *, const double *,
            const int *, const double *, const int *, const double *, double *, const int *);
int main(void) {
  int two = 2;
  double one = 1, zero = 0, a[] = {1, 2, 3, 4}, b[] = {5, 6, 7, 8}, c[4];
  dgemm_("N", "T", &two, &two, &two, &one, a, &two, b, &two, &zero, c, &two);
  printf("%g %g %g %g\n", c[0], c[1], c[2], c[3]);
  return 0;
}
END
cat >handler.c <<'END'
#include <stdio.h>
void cblas_dgemm(int, int, int, int, int, int, double, const void *, int, const void *, int, double, void *, int);
extern int RowMajorStrg, CBLAS_CallFromC;
void cblas_xerbla(int parameter, const char *routine, const char *format, ...) {
  (void)format;
  printf("parameter %d of %s, row-major %d, from C %d\n", parameter, routine, RowMajorStrg, CBLAS_CallFromC);
}
int main(void) {
  double x[4] = {0};
  cblas_dgemm(101, 111, 111, 2, -1, 2, 1, x, 2, x, 2, 0, x, 2);
  printf("%d %d\n", RowMajorStrg, CBLAS_CallFromC);
  return 0;
}
END
cc program.c -o program -L"$blas" -lblas
cc handler.c -o handler -L"$blas" -lblas
cc handler.c -o chandler "$blas/libcblas.so.3"
objdump -p program | grep -q 'NEEDED *libblas.so.3$'
objdump -p chandler | grep -q 'NEEDED *libcblas.so.3$'

say() { # EXPECTED COMMAND...
  expected=$1
  shift
  env "$@" >out 2>&1 || true
  [ "$(cat out)" = "$expected" ] || { echo "$*: not \"$expected\" but:"; cat out; exit 1; }
}
trace=$work/trace
answer='26 38 30 44'
say "$answer" LD_LIBRARY_PATH="$blas" TESSERA_TRACE="$trace" ./program
grep -q 'dgemm_' "$trace" || { echo 'the call did not arrive'; exit 1; }

# As update-alternatives does: the system's libblas.so.3 is a link to ours, found from another folder.
mkdir system etc
ln -s "$blas/libblas.so.3" etc/libblas.so.3
ln -s ../etc/libblas.so.3 system/libblas.so.3
say "$answer" LD_LIBRARY_PATH="$work/system" ./program

# Preloaded, libtessera.so serves the call; the other copy stays out of it.
say "$answer" LD_LIBRARY_PATH="$blas" LD_PRELOAD="$libtessera" ./program
say "$answer" LD_LIBRARY_PATH="$blas" LD_PRELOAD="$libtessera" LD_BIND_NOW=1 LD_DEBUG=bindings \
  LD_DEBUG_OUTPUT="$work/debug" ./program
grep -q "to .*libtessera.so.* \`dgemm_'" "$work"/debug.*
if grep "file .*libblas.so.3 .* to .*libtessera.so.* symbol \`tsr_" "$work"/debug.*; then exit 1; fi

# A program's own handler, and the variables that tell it who calls: it is the handler that knows that they swap m and n.
expected='parameter 4 of cblas_dgemm, row-major 1, from C 1
0 0'
say "$expected" LD_LIBRARY_PATH="$blas" ./handler
say "$expected" LD_LIBRARY_PATH="$blas" ./chandler
