#!/bin/sh
# NumPy's or SciPy's own tests of linear algebra, by the distribution's Python. usage: python.sh LIBRARY numpy|scipy
. "$(dirname "$0")/common.sh"
use "$1"
case $2 in
  numpy) module=numpy.linalg extension=linalg/_umath_linalg tests='numpy.linalg' ;;
  scipy) module=scipy.linalg extension=linalg/_fblas tests='scipy.linalg' ;;
esac
/usr/bin/python3 -c "import $module" 2>/dev/null || { echo "install python3-$2 to run this"; exit 77; }
for package in pytest hypothesis; do
  /usr/bin/python3 -c "import $package" 2>/dev/null || { echo "install python3-$package to run this"; exit 77; }
done
folder=$(/usr/bin/python3 -c "import os, $2; print(os.path.dirname($2.__file__))")
arrives "$(echo "$folder/$extension".*.so)"
cd "$work"
# Left out: what needs memory or time out of proportion and tests no BLAS.
$run /usr/bin/python3 -m pytest -q -p no:cacheprovider --pyargs "$tests" \
  -k 'not test_crash_2609 and not memory_efficiency'
