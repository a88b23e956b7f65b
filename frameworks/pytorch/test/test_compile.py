"""torch.compile: no graph break, Tessera's operators in the graph, the bits of eager calls; and what the operators
promise (opcheck)."""

import unittest

from support import F, random, tessera_torch, torch
from torch import library as torch_library


def attention(q, k, v, mask=None, causal=False):
    return F.scaled_dot_product_attention(q * 1.0, k, v, mask, is_causal=causal, enable_gqa=True) + 0.0


class Recorder:
    """A backend that keeps the operators of the graphs that autograd leaves, forward and backward."""

    def __init__(self):
        self.operators = []

    def compiler(self, graph, _):
        self.operators += [str(node.target) for node in graph.graph.nodes if node.op == "call_function"]
        return graph.forward

    def __call__(self, graph, inputs):
        from torch._dynamo.backends.common import aot_autograd
        return aot_autograd(fw_compiler=self.compiler)(graph, inputs)

    def count(self, name):
        return sum(name in operator for operator in self.operators)


def tensors(length=5, keys=7, dtype=torch.float32):
    return [random(2, h, n, d, dtype=dtype, grad=True) for h, n, d in ((4, length, 16), (2, keys, 16), (2, keys, 8))]


class Compile(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(4)
        self.setting = tessera_torch.enable()

    def tearDown(self):
        self.setting.__exit__()

    def check(self, compiled, inputs, *rest):
        plain = attention(*inputs, *rest)
        grad = torch.randn_like(plain)
        wanted = torch.autograd.grad(plain, inputs, grad)
        tessera_torch.reset_counts()
        out = compiled(*inputs, *rest)
        result = torch.autograd.grad(out, inputs, grad)
        self.assertEqual(tessera_torch.counts(), {"forward": 1, "backward": 1, "fallback": {}})
        self.assertTrue(out.equal(plain))
        self.assertEqual(out.stride(), plain.stride())
        self.assertTrue(all(a.equal(b) for a, b in zip(result, wanted)))

    def test_graph(self):
        recorder = Recorder()
        compiled = torch.compile(attention, backend=recorder, fullgraph=True)
        self.check(compiled, tensors())
        self.assertEqual([recorder.count(n) for n in ("tessera.attention.", "tessera.attention_backward", "scaled_dot")],
                         [1, 1, 0])

    def test_masks_and_types(self):
        compiled = torch.compile(attention, backend="aot_eager", fullgraph=True)
        self.check(compiled, tensors(), torch.randn(5, 7))
        self.check(compiled, tensors(), torch.randn(2, 1, 5, 7) > 0)
        self.check(compiled, tensors(dtype=torch.bfloat16), None, True)

    def test_dynamic_lengths(self):
        recorder = Recorder()
        compiled = torch.compile(attention, backend=recorder, fullgraph=True, dynamic=True)
        for length in (5, 6, 9, 300):
            self.check(compiled, tensors(length, length + 2))
        self.assertLessEqual(recorder.count("tessera.attention."), 2)

    def test_without_gradients(self):
        compiled = torch.compile(attention, backend="aot_eager", fullgraph=True)
        for mode in (torch.no_grad, torch.inference_mode):
            with mode():
                inputs = tensors()
                tessera_torch.reset_counts()
                out = compiled(*inputs)
                self.assertEqual(tessera_torch.counts()["forward"], 1)
                self.assertTrue(out.equal(attention(*inputs)))

    def test_jagged(self):
        def jagged(x, heads):
            q, k, v = (t.unflatten(-1, (heads, -1)).transpose(1, 2) for t in x.chunk(3, dim=-1))
            return F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(-2)

        parts = [random(n, 96) for n in (3, 70, 1)]
        x, y = (torch.nested.nested_tensor(parts, layout=torch.jagged, requires_grad=True) for _ in range(2))
        recorder = Recorder()
        out = torch.compile(jagged, backend=recorder, fullgraph=True)(x, 4)
        self.assertEqual([recorder.count("tessera.attention."), recorder.count("scaled_dot")], [1, 0])
        plain = jagged(y, 4)
        self.assertTrue(out.values().equal(plain.values()))
        out.values().square().sum().backward()
        plain.values().square().sum().backward()
        self.assertTrue(x.grad.values().equal(y.grad.values()))

    def test_inductor(self):
        compiled = torch.compile(attention, fullgraph=True)
        inputs = tensors()
        self.check(compiled, inputs)
        # Neither what was compiled in this process nor what is kept on disk is used with the other setting.
        with tessera_torch.disable():
            tessera_torch.reset_counts()
            own = compiled(*inputs)
            torch.autograd.grad(own.sum(), inputs)
            self.assertEqual(tessera_torch.counts(), {"forward": 0, "backward": 0, "fallback": {}})
            torch.testing.assert_close(own, attention(*inputs))
        self.check(compiled, inputs)

    def test_operators(self):
        offsets = torch.tensor([0, 3, 8])
        for grad in (False, True):
            q, k, v = (t.detach().requires_grad_(grad) for t in tensors())
            rows = (random(1, 4, 8, 16, grad=grad) for _ in range(3))
            torch_library.opcheck(torch.ops.tessera.attention, (q, k, v, None, None, None, True, 0.25))
            torch_library.opcheck(torch.ops.tessera.attention, (q, k, v, torch.randn(2, 1, 5, 7), None, None, False, 0.25))
            torch_library.opcheck(torch.ops.tessera.attention, (*rows, None, offsets, offsets, True, 0.25))


if __name__ == "__main__":
    unittest.main()
