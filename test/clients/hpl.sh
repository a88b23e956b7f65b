#!/bin/sh
# HPL, as hpcc has it, on two MPI ranks of one thread: its residual must pass. hpcc's other parts run as well.
# usage: hpl.sh LIBRARY [N [NB...]]; prints HPL's lines, whose last column is GFLOP/s.
. "$(dirname "$0")/common.sh"
use "$1"
shift
n=${1:-1000}
[ $# = 0 ] || shift
sizes=${*:-80}
needs /usr/bin/hpcc hpcc
needs /usr/bin/mpirun.openmpi openmpi-bin
arrives /usr/bin/hpcc
cd "$work"
# A grid of 1 x 2; the rest as in the example that comes with hpcc.
cat >hpccinf.txt <<END
HPLinpack benchmark input file
Innovative Computing Laboratory, University of Tennessee
HPL.out      output file name (if any)
8            device out (6=stdout,7=stderr,file)
1            # of problems sizes (N)
$n Ns
$(echo "$sizes" | wc -w) # of NBs
$sizes NBs
0            PMAP process mapping (0=Row-,1=Column-major)
1            # of process grids (P x Q)
1            Ps
2            Qs
16.0         threshold
1            # of panel fact
2            PFACTs (0=left, 1=Crout, 2=Right)
1            # of recursive stopping criterium
4            NBMINs (>= 1)
1            # of panels in recursion
2            NDIVs
1            # of recursive panel fact.
1            RFACTs (0=left, 1=Crout, 2=Right)
1            # of broadcast
1            BCASTs (0=1rg,1=1rM,2=2rg,3=2rM,4=Lng,5=LnM)
1            # of lookahead depth
1            DEPTHs (>=0)
2            SWAP (0=bin-exch,1=long,2=mix)
64           swapping threshold
0            L1 in (0=transposed,1=no-transposed) form
0            U  in (0=transposed,1=no-transposed) form
1            Equilibration (0=no,1=yes)
8            memory alignment in double (> 0)
END
limit=500 ranks hpcc >output 2>&1 || fail "hpcc: exit status $?" output
grep -A4 '^WR' hpccoutf.txt || true
[ "$(grep -c 'Ax-b.*PASSED' hpccoutf.txt)" = "$(echo "$sizes" | wc -w)" ] || fail 'a residual is too large' hpccoutf.txt
if grep -E 'DGEMM.*FAILED|^(CPU|WALL).*FAILED' hpccoutf.txt; then fail 'another part failed'; fi
exit $status
