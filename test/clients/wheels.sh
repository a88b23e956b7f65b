#!/bin/sh
# NumPy's and SciPy's own tests of linear algebra, as they come from PyPI, with libtessera.so preloaded: their own BLAS
# and LAPACK have other names (scipy_...), which it answers to. usage: wheels.sh LIBTESSERA PYTHON numpy|scipy
set -eu
library=$1 python=$2 package=$3
[ -x "$python" ] || { echo "./dev test makes $python"; exit 77; }
for module in "$package" pytest hypothesis; do
  "$python" -c "import $module" 2>/dev/null || { echo "install $module for $python to run this"; exit 77; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
unset LD_LIBRARY_PATH
# The call must arrive: f64 products of NumPy, f64 solves of SciPy.
case $package in
  numpy) call='import numpy as n; n.linalg.solve(n.eye(9), n.ones((9, 9)))' ;;
  scipy) call='import numpy as n, scipy.linalg as l; l.cholesky(n.eye(9)); l.blas.dgemm(1, n.eye(9), n.eye(9))' ;;
esac
LD_PRELOAD=$library LD_DEBUG=bindings LD_DEBUG_OUTPUT="$work/debug" "$python" -c "$call"
grep -qE "to $library .* symbol .scipy_(cblas_)?d" "$work"/debug.* || { echo 'no call arrives'; exit 1; }
rm "$work"/debug.*
# All of SciPy's would take many minutes: those of the BLAS, of LAPACK and of what is factored.
tests=$package.linalg
[ "$package" = numpy ] || tests=$(for t in blas fblas lapack decomp_cholesky decomp_lu; do echo "scipy.linalg.tests.test_$t"; done)
LD_PRELOAD=$library "$python" -m pytest -q -p no:cacheprovider --pyargs $tests
