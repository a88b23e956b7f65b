"""Networks of known shapes with random weights, for tests and measurements: nothing is downloaded."""

import torch
from torch import nn


def _conv(channels, filters, kernel, stride=1, groups=1):
    return nn.Sequential(nn.Conv2d(channels, filters, kernel, stride, (kernel - 1) // 2, groups=groups, bias=False),
                         nn.BatchNorm2d(filters), nn.ReLU(inplace=True))


class Bottleneck(nn.Module):
    def __init__(self, channels, width, stride):
        super().__init__()
        out = 4 * width
        self.body = nn.Sequential(_conv(channels, width, 1), _conv(width, width, 3, stride), _conv(width, out, 1)[:2])
        self.short = nn.Identity() if channels == out and stride == 1 else _conv(channels, out, 1, stride)[:2]

    def forward(self, x):
        return torch.relu_(self.body(x) + self.short(x))


def resnet50(blocks=(3, 4, 6, 3), width=64, classes=1000):
    """The shapes of ResNet-50 (He and others, 2015; strides in the 3x3 layers)."""
    layers, channels = [_conv(3, width, 7, 2), nn.MaxPool2d(3, 2, 1)], width
    for stage, count in enumerate(blocks):
        for i in range(count):
            layers.append(Bottleneck(channels, width << stage, 2 if i == 0 and stage else 1))
            channels = 4 * width << stage
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))


def mobilenet(width=32, blocks=((2, 1), (4, 2), (4, 1), (8, 2), (8, 1), (16, 2), *[(16, 1)] * 5, (32, 2), (32, 1)),
              classes=1000):
    """The shapes of MobileNet v1 (Howard and others, 2017)."""
    layers, channels = [_conv(3, width, 3, 2)], width
    for times, stride in blocks:
        layers += [_conv(channels, channels, 3, stride, groups=channels), _conv(channels, times * width, 1)]
        channels = times * width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))


MODELS = {"resnet50": resnet50, "mobilenet": mobilenet}
