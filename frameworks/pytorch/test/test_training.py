"""A GPT of its own, trained with PyTorch's attention and with Tessera's: the same losses. `tiny` (default) or `gpt2`, a
model of GPT-2's size."""

import dataclasses
import sys
import time
import unittest

from support import F, tessera_torch, torch

nn = torch.nn


@dataclasses.dataclass
class Size:
    layers: int
    heads: int
    width: int
    length: int
    vocabulary: int
    symbols: int  # of the vocabulary, in the texts
    batch: int
    steps: int
    rate: float
    tolerance: float  # of a loss


SIZES = {
    "tiny": Size(layers=2, heads=4, width=64, length=80, vocabulary=64, symbols=64, batch=4, steps=30, rate=3e-3, tolerance=2e-4),
    "gpt2": Size(layers=12, heads=12, width=768, length=1024, vocabulary=50257, symbols=64, batch=1, steps=6,
                 rate=1e-3, tolerance=2e-3),
}


class Block(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.heads = size.heads
        self.before_attention, self.before_mlp = nn.LayerNorm(size.width), nn.LayerNorm(size.width)
        self.qkv, self.project = nn.Linear(size.width, 3 * size.width), nn.Linear(size.width, size.width)
        self.mlp = nn.Sequential(nn.Linear(size.width, 4 * size.width), nn.GELU(), nn.Linear(4 * size.width, size.width))

    def forward(self, x):
        q, k, v = (t.unflatten(-1, (self.heads, -1)).transpose(1, 2)
                   for t in self.qkv(self.before_attention(x)).chunk(3, dim=-1))
        x = x + self.project(F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(-2))
        return x + self.mlp(self.before_mlp(x))


class Model(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(size.vocabulary, size.width), nn.Embedding(size.length, size.width)
        self.blocks = nn.Sequential(*(Block(size) for _ in range(size.layers)))
        self.last = nn.LayerNorm(size.width)
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.normal_(parameter, std=0.02)

    def forward(self, tokens):
        x = self.tokens(tokens) + self.positions.weight[:tokens.shape[1]]
        return self.last(self.blocks(x)) @ self.tokens.weight.T


def batches(size):
    """Text to learn: arithmetic progressions modulo the number of symbols, with some noise."""
    generator = torch.Generator().manual_seed(5)
    for _ in range(size.steps):
        start, step = (torch.randint(1, n, (size.batch, 1), generator=generator) for n in (size.symbols, 5))
        text = (start + step * torch.arange(size.length + 1)) % size.symbols
        noise = torch.rand(text.shape, generator=generator) < 0.05
        yield torch.where(noise, torch.randint(size.symbols, text.shape, generator=generator), text)


def train(size):
    torch.manual_seed(6)
    model = Model(size)
    optimizer = torch.optim.AdamW(model.parameters(), lr=size.rate)
    losses, begin = [], time.perf_counter()
    for text in batches(size):
        logits = model(text[:, :-1])
        loss = F.cross_entropy(logits.flatten(0, 1), text[:, 1:].flatten())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, time.perf_counter() - begin


class Training(unittest.TestCase):
    size = SIZES["tiny"]

    def test_losses_agree(self):
        own, seconds_own = train(self.size)
        tessera_torch.reset_counts()
        with tessera_torch.enable():
            ours, seconds = train(self.size)
        calls = self.size.steps * self.size.layers
        self.assertEqual(tessera_torch.counts(), {"forward": calls, "backward": calls, "fallback": {}})
        print("PyTorch:", " ".join(f"{x:.4f}" for x in own), f"({seconds_own:.1f} s)")
        print("Tessera:", " ".join(f"{x:.4f}" for x in ours), f"({seconds:.1f} s)")
        self.assertLess(own[-1], own[0] * 0.9)  # it has learnt something
        self.assertLess(max(abs(a - b) for a, b in zip(own, ours)), self.size.tolerance)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        Training.size = SIZES[sys.argv.pop(1)]
    unittest.main()
