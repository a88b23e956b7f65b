# Sourced by the scripts beside it, which run programs that others wrote and built for any BLAS.
#
# Each takes the library to run them on: a folder with libblas.so.3, which LD_LIBRARY_PATH names, or a library's file,
# which LD_PRELOAD puts before the system's own. LAPACK is the reference's in either case. Packages that are missing
# make a script exit with 77 (skipped), and are named.
set -eu

distribution=$(dirname "$(ls /usr/lib/*/blas/libblas.so.3 2>/dev/null || echo none/none)")
distribution=$(dirname "$distribution")
reference=$distribution/blas
lapack=$distribution/lapack

needs() { # FILE PACKAGE
  [ -e "$1" ] || { echo "install $2 to run this"; exit 77; }
}

# use LIBRARY: $run before a command makes that its BLAS.
use() {
  needs "$reference/libblas.so.3" libblas3
  needs "$lapack/liblapack.so.3" liblapack3
  library=$(realpath "$1")
  if [ -d "$library" ]; then
    [ -e "$library/libblas.so.3" ] || { echo "there is no libblas.so.3 in $library"; exit 1; }
    run="env LD_LIBRARY_PATH=$library:$lapack"
  else
    run="env LD_LIBRARY_PATH=$reference:$lapack LD_PRELOAD=$library"
  fi
  unset LD_LIBRARY_PATH LD_PRELOAD OPENBLAS_CORETYPE OPENBLAS_L2_SIZE
}

# A path that is not found makes the loader take the next library without a word: see that FILE gets ours.
arrives() {
  $run ldd "$1" >"$work/ldd" 2>&1 || true
  grep -qE "(libblas.so.3 => )?$library(/libblas.so.3)? " "$work/ldd" || { echo "$1 does not load $library:"; cat "$work/ldd"; exit 1; }
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0

# fail MESSAGE [FILE]: goes on to the next program; the script ends with `exit $status`.
fail() {
  echo "FAILED: $1"
  [ $# = 1 ] || tail -n 25 "$2"
  status=1
}

# The machine's own MPI, two ranks on it, without a network and without a word about being root or in a container.
ranks() {
  OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1 \
    OMPI_MCA_mpi_yield_when_idle="${yield:-1}" \
    OMPI_MCA_hwloc_base_binding_policy=none OMPI_MCA_btl=self,vader OMPI_MCA_btl_vader_single_copy_mechanism=none \
    TESSERA_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 timeout --foreground "${limit:-100}" mpirun.openmpi -n 2 $run "$@"
}
