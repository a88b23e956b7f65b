#!/usr/bin/env python3
"""Times what numpy.linalg and scipy.linalg spend their time in, on several BLAS in turn, and prints ratios.

usage: bench_linalg.py [--rounds R] [--threads T] [--size N] [--json FILE] NAME=LIBRARY...

LIBRARY is a folder with libblas.so.3 (and perhaps liblapack.so.3), for LD_LIBRARY_PATH, or the file of a library, for
LD_PRELOAD; reference LAPACK serves where a folder has none. The first one named is what the others are compared with.
Each process measures each call best of several; rounds take turns, and the best round counts."""

import argparse, glob, json, os, subprocess, sys, time


def calls(n):
    import numpy as np, scipy.linalg as la
    rng = np.random.default_rng(1)
    a, b = rng.standard_normal((2, n, n))
    spd, low = a @ a.T + n * np.eye(n), np.tril(a) + n * np.eye(n)
    small, x = a[: n // 2, : n // 2].copy(), a[0].copy()
    f, z = a.astype(np.float32), a + 1j * b
    spd32 = spd.astype(np.float32)
    return {
        "dot f64": (lambda: a @ b, 2 * n**3), "dot f32": (lambda: f @ f, 2 * n**3),
        "dot c128": (lambda: z @ z, 8 * n**3), "a.T @ a (syrk)": (lambda: a.T @ a, n**3),
        "matrix @ vector": (lambda: a @ x, 2 * n**2),
        "solve": (lambda: np.linalg.solve(a, b), 8 * n**3 / 3), "inv": (lambda: np.linalg.inv(a), 8 * n**3 / 3),
        "cholesky": (lambda: np.linalg.cholesky(spd), n**3 / 3), "cholesky f32": (lambda: np.linalg.cholesky(spd32), n**3 / 3),
        "lu_factor": (lambda: la.lu_factor(a, check_finite=False), 2 * n**3 / 3),
        "solve_triangular": (lambda: la.solve_triangular(low, b, lower=True, check_finite=False), n**3),
        "qr (half size)": (lambda: np.linalg.qr(small), 8 / 3 * (n // 2) ** 3),
        "svd (half size)": (lambda: np.linalg.svd(small), 21 * (n // 2) ** 3),
        "eigh (half size)": (lambda: np.linalg.eigh(small + small.T), 9 * (n // 2) ** 3),
    }


def measure(n, seconds=0.25):
    results = {}
    for name, (call, flops) in calls(n).items():
        times, end = [], time.perf_counter() + seconds
        while not times or (time.perf_counter() < end and len(times) < 200):
            start = time.perf_counter()
            call()
            times.append(time.perf_counter() - start)
        results[name] = flops / min(times) / 1e9
    return results


def environment(library, threads):
    distribution = os.path.dirname(os.path.dirname(glob.glob("/usr/lib/*/lapack/liblapack.so.3")[0]))
    environ = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS_") and k != "LD_PRELOAD"}
    for name in "TESSERA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "BLIS_NUM_THREADS", "OMP_NUM_THREADS":
        environ[name] = str(threads)
    library = environ["BENCH_LIBRARY"] = os.path.realpath(library)
    if os.path.isdir(library):
        environ["BENCH_LIBRARY"] = os.path.realpath(f"{library}/libblas.so.3")
        environ["LD_LIBRARY_PATH"] = f"{library}:{distribution}/lapack"
    else:
        environ["LD_LIBRARY_PATH"] = f"{distribution}/blas:{distribution}/lapack"
        environ["LD_PRELOAD"] = library
    return environ


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--size", type=int, default=2000)
    parser.add_argument("--json")
    parser.add_argument("--prefix", default="", help="words before each process's command, such as taskset -c 0")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("libraries", nargs="*", metavar="NAME=LIBRARY")
    options = parser.parse_args()
    if options.child:
        results, library = measure(options.size), os.environ["BENCH_LIBRARY"]
        if library not in open("/proc/self/maps").read():
            sys.exit(f"{library} was not loaded")
        return print(json.dumps(results))
    if not options.libraries or not all("=" in l for l in options.libraries):
        parser.error("name the libraries as NAME=LIBRARY")
    libraries = dict(l.split("=", 1) for l in options.libraries)
    best = {name: {} for name in libraries}
    for _ in range(options.rounds):
        for name, library in libraries.items():
            child = [*options.prefix.split(), sys.executable, __file__, "--child", "--size", str(options.size)]
            run = subprocess.run(child, env=environment(library, options.threads), stdout=subprocess.PIPE, check=True)
            for call, rate in json.loads(run.stdout.splitlines()[-1]).items():
                best[name][call] = max(rate, best[name].get(call, 0))
    first, *others = libraries
    print(f"GFLOP/s, n = {options.size}, {options.threads} threads; in brackets: times as fast as {first}")
    print("| | " + " | ".join(libraries) + " |\n|---" * 1 + "|---" * len(libraries) + "|")
    for call in best[first]:
        cells = [f"{best[first][call]:.3g}"]
        cells += [f"{best[o][call]:.3g} ({best[o][call] / best[first][call]:.2f})" for o in others]
        print(f"| {call} | " + " | ".join(cells) + " |")
    if options.json:
        with open(options.json, "w") as file:
            json.dump(best, file, indent=1)


if __name__ == "__main__":
    main()
