"""PyTorch's scaled_dot_product_attention as the benchmark's worker calls it: answers its lines, one for each. Of the
ways that it offers for a shape (its fused kernel and its unfused one, heads shared by enable_gqa or repeated
beforehand, which is not counted) the fastest of a trial is taken.

prepare BATCH HEADS_Q HEADS_KV LEN_Q LEN_KV D_QK D_V CAUSAL TYPE LAYOUT   makes operands: "ok", "unfit" or "memory"
run N                                                                     "SECONDS" of N calls
check                                                                     "ok" or "wrong"
"""

import os
import sys
import time
import warnings

TYPES = ("f32", "f16", "bf16")
MOST_SCORES = 1 << 27  # which the unfused kernel keeps in memory
MOST_REPEATED = 1 << 29  # bytes of keys and values
chosen = {}  # the way, by shape


class Calls:
    """Operands of one shape, and what is called with them."""

    def __init__(self, torch, words):
        sizes = [int(word) for word in words[:7]]
        self.torch, self.causal, kind, layout = torch, words[7] == "1", words[8], words[9]
        batch, heads_q, heads_kv, self.len_q, self.len_kv, d_qk, d_v = sizes
        self.type = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}[kind]
        self.q = self.tensor(batch, heads_q, self.len_q, d_qk, "rows", 32)
        self.k = self.tensor(batch, heads_kv, self.len_kv, d_qk, layout, 1)
        self.v = self.tensor(batch, heads_kv, self.len_kv, d_v, layout, 1)
        self.run = self.fastest(tuple(words))

    def masks(self):
        """It has no causal mask whose last query sees all keys, but where there are as many queries as keys."""
        if not self.causal or self.len_q == 1:
            return [{}]
        if self.len_q == self.len_kv:
            return [{"is_causal": True}]
        seen = self.torch.ones(self.len_q, self.len_kv, dtype=self.torch.bool).tril(self.len_kv - self.len_q)
        added = self.torch.zeros(seen.shape, dtype=self.type).masked_fill_(~seen, float("-inf"))
        return [{"attn_mask": seen}, {"attn_mask": added}]

    def ways(self):
        """What can be chosen: the kernel, whether heads of keys are repeated, the mask."""
        backend, group = self.torch.nn.attention.SDPBackend, self.q.shape[1] // self.k.shape[1]
        repeated = group * (self.k.nbytes + self.v.nbytes) <= MOST_REPEATED and group > 1
        unfused = self.q.shape[0] * self.q.shape[1] * self.len_q * self.len_kv <= MOST_SCORES
        return [(kernel, repeat, mask)
                for kernel in [backend.FLASH_ATTENTION] + [backend.MATH] * unfused
                for repeat in [False] + [True] * repeated
                for mask in range(len(self.masks()))]

    def build(self, way):
        """A function that calls it so many times and gives the seconds."""
        kernel, repeat, mask = way
        group = self.q.shape[1] // self.k.shape[1]
        k, v = (t.repeat_interleave(group, 1) if repeat else t for t in (self.k, self.v))
        options = self.masks()[mask] | ({"enable_gqa": True} if group > 1 and not repeat else {})
        attention = self.torch.nn.functional.scaled_dot_product_attention

        def run(calls):
            with self.torch.nn.attention.sdpa_kernel(kernel):
                start = time.monotonic()
                for _ in range(calls):
                    self.out = attention(self.q, k, v, **options)
                return time.monotonic() - start
        return run

    def fastest(self, words):
        """Tried once a shape; a way that does not take such operands is passed over, one far behind is tried once."""
        ways = self.ways()
        if words not in chosen:
            times = []
            for way in ways:
                try:
                    run = self.build(way)
                    first = run(1)
                    times.append(first if times and first > 3 * min(times) else run(1))
                except RuntimeError:
                    times.append(float("inf"))
            chosen[words] = ways[times.index(min(times))]
        return self.build(chosen[words])

    def tensor(self, batch, heads, rows, d, layout, scale):
        """[batch][heads][rows][d] that lies in memory as the layout says; a short block of numbers over and over."""
        count = batch * heads * rows * d
        block = (self.torch.rand(min(count, 65521)) - 0.5) * scale
        flat = block.repeat(-(-count // len(block)))[:count].to(self.type)
        if layout == "rows":
            return flat.view(batch, rows, heads, d).transpose(1, 2)
        return flat.view(batch, heads, rows, d)

    def check(self):
        """Some rows against the plain formula in double."""
        double, group = self.torch.float64, self.q.shape[1] // self.k.shape[1]
        for i in sorted({0, self.len_q // 2, self.len_q - 1}):
            for head in (0, self.q.shape[1] - 1):
                k, v = (t[-1, head // group].to(double) for t in (self.k, self.v))
                x = k @ self.q[-1, head, i].to(double) / self.q.shape[3] ** 0.5
                if self.causal:
                    x[i + self.len_kv - self.len_q + 1:] = -float("inf")
                right = self.torch.softmax(x, 0) @ v
                if not (self.out[-1, head, i].to(double) - right).abs().max() <= 0.03 * right.abs().max() + 1e-4:
                    return False
        return True


def serve(torch):
    calls = None
    for line in sys.stdin:
        words = line.split()
        answer = "ok"
        if words[0] == "prepare":
            calls = None
            if words[9] not in TYPES or words[10] == "panels":
                answer = "unfit"
            else:
                try:
                    calls = Calls(torch, words[1:])
                except RuntimeError:
                    answer = "memory"
        elif words[0] == "run":
            answer = "%.9f" % calls.run(int(words[1]))
        elif words[0] == "check":
            answer = "ok" if calls.check() else "wrong"
        print(answer, flush=True)


def main():
    try:
        import torch
        import torch.nn.attention
    except ImportError as error:
        print("no PyTorch: %s" % error, flush=True)
        return
    warnings.simplefilter("ignore")  # of ways that do not take a shape
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    torch.manual_seed(1)
    print("PyTorch %s, scaled_dot_product_attention, %s" % (
        torch.__version__, torch.backends.cpu.get_cpu_capability()), flush=True)
    with torch.inference_mode():
        serve(torch)


if __name__ == "__main__":
    main()
