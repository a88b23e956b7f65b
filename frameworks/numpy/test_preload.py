"""NumPy and SciPy, as installed, call Tessera when it is preloaded, and get the same answers.

usage: test_preload.py TESSERA NAMES, run by the Python under test. TESSERA is the command; NAMES says how the BLAS names
look that this Python's modules call: "plain", or "wheels" for those of the wheels on PyPI. Exit status 77: no NumPy.
"""

import re
import subprocess
import sys

# Products of both types: stored either way, cut out of larger arrays, small, skinny, and larger than a block.
CHILD = """
import sys
import numpy as np
rng = np.random.default_rng(1)
for dtype in np.float32, np.float64:
    results = []
    a, b = (rng.standard_normal((700, 700)).astype(dtype) for _ in range(2))
    for m, n, k in (700, 700, 700), (3, 500, 600), (500, 2, 600), (33, 31, 29), (5, 5, 700):
        for x in a[:m, :k], a[:k, :m].T:
            for y in b[:k, :n], b[:n, :k].T:
                results.append(x @ y)
    if sys.argv[1] == "scipy":
        from scipy.linalg import blas
        gemm = blas.sgemm if dtype is np.float32 else blas.dgemm
        results = [gemm(1.5, a[:200], b[:, :300]), gemm(1, a, b, trans_a=True, trans_b=True)]
    np.concatenate([r.ravel() for r in results]).tofile(sys.argv[2] + dtype.__name__)
"""

ROUTINES = {
    ("numpy", "plain"): ("cblas_sgemm", "cblas_dgemm"),
    ("numpy", "wheels"): ("cblas_sgemm64_", "cblas_dgemm64_"),
    ("scipy", "plain"): ("sgemm_", "dgemm_"),
    ("scipy", "wheels"): ("sgemm_", "dgemm_"),
}


def run(package, file, *prefix):
    child = subprocess.run([*prefix, sys.executable, "-c", CHILD, package, file], stderr=subprocess.PIPE, text=True)
    assert child.returncode == 0, child.stderr
    return child.stderr


def check(package, tessera, names, folder):
    import numpy as np

    run(package, f"{folder}/before")
    trace = run(package, f"{folder}/after", tessera, "run", "--trace", "--")
    for routine in ROUTINES[package, names]:
        calls = len(re.findall(rf"^tessera: {routine} ", trace, re.M))
        print(f"{package}: {calls} calls of {routine}")
        assert calls >= 2, trace[-2000:]
    for dtype in np.float32, np.float64:
        before, after = (np.fromfile(f"{folder}/{when}{dtype.__name__}", dtype) for when in ("before", "after"))
        assert before.size == after.size > 0
        # Two sums of 700 products of numbers around 1, in different orders: some tens of roundings of sums around 26.
        worst = np.abs(before - after).max()
        assert worst < 26 * 100 * np.finfo(dtype).eps, f"{package} {dtype.__name__}: results differ by {worst}"


def main(tessera, names):
    import importlib.util
    import tempfile

    packages = [p for p in ("numpy", "scipy") if importlib.util.find_spec(p)]
    if "numpy" not in packages:
        print("install NumPy to run this test")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        for package in packages:
            check(package, tessera, names, folder)


main(*sys.argv[1:])
