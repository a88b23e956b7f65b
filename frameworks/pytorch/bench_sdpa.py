#!/usr/bin/env python3
"""Times PyTorch's own scaled_dot_product_attention, as a peer: one line of JSON a shape.

    bench_sdpa.py --threads 1 SHAPES        SHAPES: a file, or - for standard input

A line of SHAPES is "batch heads_q heads_kv len_q len_kv d_qk d_v causal type", causal 0 or 1 (bottom-right), type f32,
f16 or bf16, of all tensors; "#" begins a comment. For each shape every way that PyTorch has is tried, and the fastest is
reported: its fused kernel and its unfused one, heads shared (enable_gqa) or repeated beforehand, bottom-right by
is_causal where that is the same (len_q = len_kv, or one query, which sees all), else by a mask, bool or additive. With
--fold also what a model would have to be rewritten for: the heads of a group as rows, where there is one query.
{"shape": ..., "seconds": best, "median": ..., "way": ..., "threads": ...}"""

import argparse
import json
import statistics
import sys
import time
import warnings

import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

TYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}


def ways(q, k, v, causal, fold):
    """(name, function) of each way to compute the attention."""
    group = q.shape[1] // k.shape[1]
    if fold and group > 1 and q.shape[2] == 1:
        for name, run in ways(q.reshape(q.shape[0], k.shape[1], group, q.shape[3]), k, v, False, False):
            yield name + " folded", run
    keys = [("", k, v, {"enable_gqa": True} if group > 1 else {})]
    if group > 1:
        # Repeating costs time and memory of its own; it is not counted, which is in PyTorch's favour.
        keys.append((" repeated", k.repeat_interleave(group, 1), v.repeat_interleave(group, 1), {}))
    masks = [("", {})]
    if causal and q.shape[2] == k.shape[2]:
        masks = [(" is_causal", {"is_causal": True})]
    elif causal and q.shape[2] > 1:
        seen = torch.ones(q.shape[2], k.shape[2], dtype=torch.bool).tril(k.shape[2] - q.shape[2])
        masks = [(" bool mask", {"attn_mask": seen}),
                 (" mask", {"attn_mask": torch.zeros(seen.shape, dtype=q.dtype).masked_fill(~seen, -torch.inf)})]
    for backend, name in ((SDPBackend.FLASH_ATTENTION, "flash"), (SDPBackend.MATH, "math")):
        for of_keys, k, v, options in keys:
            for of_mask, mask in masks:
                def run(backend=backend, k=k, v=v, options=options | mask):
                    with sdpa_kernel(backend):
                        return F.scaled_dot_product_attention(q, k, v, **options)
                yield name + of_keys + of_mask, run


def clock(run):
    begin = time.perf_counter()
    run()
    return time.perf_counter() - begin


def measure(shape, seconds, fold):
    batch, heads, heads_kv, length, keys, size, size_v, causal = map(int, shape[:8])
    kind = TYPES[shape[8]]
    q, k, v = (torch.randn(batch, n, h, d).to(kind).transpose(1, 2)  # [batch][length][heads][size], as most models have
               for n, h, d in ((length, heads, size), (keys, heads_kv, size), (keys, heads_kv, size_v)))
    found = {}
    for name, run in ways(q, k, v, causal, fold):
        try:
            run()
        except RuntimeError:  # the fused kernel does not take every shape
            continue
        found[name] = run, [clock(run)]
    # Ways that are far behind after one run are not worth more.
    best = min(min(times) for _, times in found.values())
    found = {name: way for name, way in found.items() if min(way[1]) < 1.5 * best}
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or min(len(times) for _, times in found.values()) < 3:
        for run, times in found.values():
            times.append(clock(run))
    name = min(found, key=lambda name: min(found[name][1]))
    times = found[name][1]
    return {"shape": " ".join(shape), "seconds": min(times), "median": statistics.median(times), "way": name,
            "runs": len(times), "threads": torch.get_num_threads(), "torch": torch.__version__}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shapes", help="a file of shapes, - for standard input")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1.0, help="to measure each shape (default 1)")
    parser.add_argument("--fold", action="store_true", help="also try the heads of a group as rows, for one query")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # the fused kernel says why it does not take a shape
    torch.set_num_threads(options.threads)
    with (sys.stdin if options.shapes == "-" else open(options.shapes)) as lines, torch.inference_mode():
        for line in lines:
            shape = line.partition("#")[0].split()
            if shape:
                print(json.dumps(measure(shape, options.seconds, options.fold)), flush=True)


if __name__ == "__main__":
    main()
