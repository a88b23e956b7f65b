"""k-means (Lloyd's algorithm) on 50,000 points in 512 dimensions, in f32: a plain NumPy program whose time goes into GEMM.

Both steps are products: the distances of all points to all centres, and the sums of the points of each cluster.
"""

import argparse
import time

import numpy as np

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--points", type=int, default=50_000)
parser.add_argument("--dimensions", type=int, default=512)
parser.add_argument("--clusters", type=int, default=256)
parser.add_argument("--iterations", type=int, default=20)
args = parser.parse_args()

rng = np.random.default_rng(0)
middles = rng.standard_normal((args.clusters, args.dimensions), dtype=np.float32)
points = middles[rng.integers(args.clusters, size=args.points)]
points += 2 * rng.standard_normal(points.shape, dtype=np.float32)

centres = points[rng.choice(args.points, args.clusters, replace=False)].copy()
distances = np.empty((args.points, args.clusters), np.float32)
member = np.empty((args.points, args.clusters), np.float32)
everyone = np.arange(args.points)

start = time.perf_counter()
in_gemm = 0.0
for iteration in range(args.iterations):
    begin = time.perf_counter()
    np.matmul(points, (-2 * centres).T, out=distances)
    in_gemm += time.perf_counter() - begin

    distances += (centres * centres).sum(axis=1)
    nearest = distances.argmin(axis=1)
    member.fill(0)
    member[everyone, nearest] = 1

    begin = time.perf_counter()
    sums = member.T @ points
    in_gemm += time.perf_counter() - begin

    sizes = np.bincount(nearest, minlength=args.clusters)
    centres = sums / np.maximum(sizes, 1)[:, None].astype(np.float32)
seconds = time.perf_counter() - start

spread = float(((points - centres[nearest]) ** 2).sum(dtype=np.float64)) / args.points
flops = 4 * args.iterations * args.points * args.clusters * args.dimensions
print(f"{seconds:.2f} s, of which {in_gemm:.2f} s in products at {flops / in_gemm * 1e-9:.0f} GFLOP/s; "
      f"mean squared distance {spread:.4f}")
