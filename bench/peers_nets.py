"""PyTorch's convolutions for tessera-bench: ResNet-50 and MobileNet v1 with random weights, the layers of bench/nets.c.

A child of a worker of the benchmark (bench/program.h); reads a line a request and answers with one:

  prepare NET IMAGES SIZE FORMAT    ok; NET 0 is ResNet-50, 1 MobileNet; FORMAT nhwc (channels_last) or nchw
  run CALLS                         seconds that they took, eagerly, in inference mode
"""

import os
import sys
import time


class Net:
    def __init__(self, torch, name, images, size, channels_last):
        self.torch = torch
        self.format = torch.channels_last if channels_last else torch.contiguous_format
        self.layers = self.resnet() if name == 0 else self.mobilenet()
        self.linear = torch.randn(1000, 2048 if name == 0 else 1024) * 0.02, torch.zeros(1000)
        self.x = torch.randn(images, 3, size, size).to(memory_format=self.format)

    def conv(self, channels, filters, kernel, stride, groups=1):
        w = self.torch.randn(filters, channels // groups, kernel, kernel) * (2 * groups / channels / kernel**2) ** 0.5
        w = w.to(memory_format=self.format)
        return {"weight": w, "bias": self.torch.zeros(filters), "stride": stride, "padding": kernel // 2,
                "groups": groups}

    def resnet(self):
        self.stem = self.conv(3, 64, 7, 2)
        blocks, channels = [], 64
        for width, count, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
            for i in range(count):
                step = stride if i == 0 else 1
                blocks.append((self.conv(channels, width, 1, step), self.conv(width, width, 3, 1),
                               self.conv(width, 4 * width, 1, 1),
                               self.conv(channels, 4 * width, 1, step) if i == 0 else None))
                channels = 4 * width
        return blocks

    def mobilenet(self):
        layers, channels = [self.conv(3, 32, 3, 2)], 32
        for filters, stride in ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1), (512, 1), (512, 1),
                                (512, 1), (512, 1), (1024, 2), (1024, 1)):
            layers += [self.conv(channels, channels, 3, stride, channels), self.conv(channels, filters, 1, 1)]
            channels = filters
        return layers

    def forward(self):
        f = self.torch.nn.functional
        x = self.x
        if isinstance(self.layers[0], tuple):
            x = f.max_pool2d(f.conv2d(x, **self.stem).relu_(), 3, 2, 1)
            for first, second, third, shortcut in self.layers:
                y = f.conv2d(f.conv2d(f.conv2d(x, **first).relu_(), **second).relu_(), **third)
                x = y.add_(f.conv2d(x, **shortcut) if shortcut else x).relu_()
        else:
            for layer in self.layers:
                x = f.conv2d(x, **layer).relu_()
        return f.linear(f.adaptive_avg_pool2d(x, 1).flatten(1), *self.linear)

    def run(self, calls):
        start = time.monotonic()
        for _ in range(calls):
            self.forward()
        return time.monotonic() - start


def serve(torch):
    nets, net = {}, None  # kept: making one takes longer than a sample
    for line in sys.stdin:
        words = line.split()
        answer = "ok"
        if words[0] == "prepare":
            if line not in nets:
                nets[line] = Net(torch, int(words[1]), int(words[2]), int(words[3]), words[4] == "nhwc")
                nets[line].run(1)
            net = nets[line]
        elif words[0] == "run":
            answer = "%.9f" % net.run(int(words[1]))
        print(answer, flush=True)


def main():
    try:
        import torch
    except ImportError as error:
        print("no PyTorch: %s" % error, flush=True)
        return
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    torch.manual_seed(1)
    print("PyTorch %s, eagerly, %s" % (torch.__version__, torch.backends.cpu.get_cpu_capability()), flush=True)
    with torch.inference_mode():
        serve(torch)


if __name__ == "__main__":
    main()
