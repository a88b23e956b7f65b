#!/usr/bin/env python3
"""Images a second of whole networks: PyTorch's own convolution and linear layers against Tessera's, in turns.

    bench_conv.py [--models resnet50,mobilenet] [--batches 1,8] [--layouts first,last] [--threads 2] [--training]
                  [--type f32] [--seconds 4] [--cpu-time]

Weights are random. Of each network PyTorch and Tessera take one run after the other, until so many seconds are gone; what
counts is the fastest run of each, and the median of the ratios of neighbours. Everything but convolution and linear layers
is PyTorch's either way. With --cpu-time it is the thread's own time that counts, for --threads 1 on a busy machine. One
line of JSON a case."""

import argparse
import json
import pathlib
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import torch

import models
import tessera_torch

TYPES = {"f32": torch.float32, "bf16": torch.bfloat16}


def clock(run, now):
    begin = now()
    run()
    return now() - begin


def runner(model, x, training):
    if not training:
        @torch.inference_mode()
        def run():
            model(x)
    else:
        def run():
            model.zero_grad(set_to_none=True)
            model(x).square().mean().backward()
            with torch.no_grad():  # weights of which no step is the last
                for parameter in model.parameters():
                    parameter.add_(0)
    return run


def measure(run, seconds, now):
    times = {"torch": [], "tessera": []}
    end = time.perf_counter() + seconds
    while len(times["torch"]) < 4 or time.perf_counter() < end:
        times["torch"].append(clock(run, now))
        with tessera_torch.enable("convolution", "linear"):
            times["tessera"].append(clock(run, now))
    # The first runs of each pack weights and choose kernels.
    return {name: values[2:] for name, values in times.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", default="resnet50,mobilenet")
    parser.add_argument("--batches", default="1,8")
    parser.add_argument("--layouts", default="first,last")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--type", default="f32", choices=TYPES)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--training", action="store_true")
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--cpu-time", action="store_true")
    options = parser.parse_args()
    now = time.thread_time if options.cpu_time else time.perf_counter
    torch.set_num_threads(options.threads)
    for name in options.models.split(","):
        torch.manual_seed(0)
        model = models.MODELS[name]().to(TYPES[options.type]).train(options.training)
        for layout in options.layouts.split(","):
            form = torch.channels_last if layout == "last" else torch.contiguous_format
            model = model.to(memory_format=form)
            for batch in map(int, options.batches.split(",")):
                x = torch.randn(batch, 3, options.size, options.size).to(TYPES[options.type]).to(memory_format=form)
                times = measure(runner(model, x, options.training), options.seconds, now)
                ratio = statistics.median(t / o for t, o in zip(times["torch"], times["tessera"]))
                rates = {who: round(batch / min(values), 1) for who, values in times.items()}
                print(json.dumps({"model": name, "type": options.type, "channels": layout, "batch": batch,
                                  "threads": options.threads, "training": options.training, "images_per_second": rates,
                                  "ratio": round(ratio, 3)}), flush=True)


if __name__ == "__main__":
    main()
