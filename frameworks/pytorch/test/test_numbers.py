"""Results and gradients against PyTorch's unfused attention in float64."""

import itertools
import unittest

from support import BACKWARD, F, FORWARD, error, in_f64, random, reference, routed, tessera_torch, torch

TYPES = torch.float32, torch.bfloat16, torch.float16
# batch, heads of queries, heads of keys, queries, keys, size of queries and keys, size of values
SIZES = [
    (1, 1, 1, 1, 1, 8, 8), (2, 3, 3, 5, 7, 16, 16), (1, 4, 2, 1, 300, 64, 64), (1, 8, 1, 17, 33, 80, 80),
    (2, 2, 2, 64, 64, 64, 64), (1, 6, 2, 70, 257, 40, 24), (1, 2, 2, 33, 600, 192, 128), (1, 16, 1, 3, 65, 576, 512),
    (3, 2, 1, 130, 20, 1, 3),
]


class Numbers(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(1)
        self.setting = tessera_torch.enable()
        tessera_torch.reset_counts()

    def tearDown(self):
        self.setting.__exit__()

    def check(self, query, key, value, attn_mask=None, dtype=torch.float32, backward=True, **options):
        """The output, and the gradients for one of the output's."""
        leaves = [t.to(dtype).requires_grad_(backward) for t in (query, key, value)]
        out = F.scaled_dot_product_attention(*leaves, attn_mask, **options)
        routed()
        exact = [in_f64(t) for t in leaves]
        expected = reference(*exact, attn_mask, **options)
        self.assertEqual(out.dtype, dtype)
        self.assertLessEqual(error(out, expected), FORWARD[dtype])
        if backward:
            grad = torch.randn_like(out)
            result = torch.autograd.grad(out, leaves, grad)
            wanted = torch.autograd.grad(expected, exact, grad.double())
            largest = max((w.abs().max().item() for w in wanted if w.numel()), default=1)
            for name, r, w in zip("qkv", result, wanted):
                # One bound for all three: a gradient that vanishes is as exact as what it is the difference of.
                self.assertEqual(r.dtype, dtype)
                self.assertLessEqual(error(r, w) * (w.abs().max().item() if w.numel() else 0),
                                     BACKWARD[dtype] * largest, f"gradient of {name}")
        return out

    def test_sizes_and_types(self):
        for sizes, dtype, causal in itertools.product(SIZES, TYPES, (False, True)):
            batch, heads, heads_key, length, keys, size, size_value = sizes
            with self.subTest(sizes=sizes, dtype=dtype, causal=causal):
                self.check(random(batch, heads, length, size, dtype=dtype),
                           random(batch, heads_key, keys, size, dtype=dtype),
                           random(batch, heads_key, keys, size_value, dtype=dtype),
                           dtype=dtype, is_causal=causal, enable_gqa=heads != heads_key)

    def test_scale(self):
        q, k, v = (random(2, 3, 9, 32) for _ in range(3))
        for scale in (0.3, 1.0, -0.5, 2, None):
            with self.subTest(scale=scale):
                self.check(q, k, v, scale=scale)

    def test_masks(self):
        batch, heads, length, keys = 2, 3, 37, 70
        q, k, v = random(batch, heads, length, 16), random(batch, heads, keys, 16), random(batch, heads, keys, 8)
        shapes = [(length, keys), (1, keys), (length, 1), (1, 1, length, keys), (batch, 1, 1, keys),
                  (batch, heads, length, keys), (heads, length, keys), (batch, 1, length, 1)]
        for shape in shapes:
            numbers = torch.randn(shape)
            flipped = torch.randn(*shape[:-2], shape[-1], shape[-2]).mT
            for mask in (numbers > -0.5, numbers, flipped, flipped > 0, numbers.masked_fill(numbers < -1, -torch.inf)):
                with self.subTest(shape=shape, dtype=mask.dtype, stride=mask.stride()):
                    self.check(q, k, v, mask)

    def test_masks_of_other_types(self):
        for dtype in (torch.bfloat16, torch.float16):
            q, k, v = (random(1, 2, 20, 16, dtype=dtype) for _ in range(3))
            self.check(q, k, v, torch.randn(20, 20), dtype=dtype)
            self.check(q, k, v, torch.randn(20, 20).to(dtype), dtype=dtype)

    def test_rows_that_see_nothing(self):
        q, k, v = random(1, 2, 6, 16, grad=True), random(1, 2, 300, 16, grad=True), random(1, 2, 300, 16, grad=True)
        mask = torch.ones(6, 300, dtype=torch.bool)
        mask[2] = False
        for m in (mask, torch.zeros(6, 300).masked_fill(~mask, -torch.inf)):
            out = F.scaled_dot_product_attention(q, k, v, m)
            self.assertTrue((out[:, :, 2] == 0).all())
            gradients = torch.autograd.grad(out.sum(), (q, k, v))
            self.assertTrue(all(g.isfinite().all() for g in gradients))
            self.assertTrue((gradients[0][:, :, 2] == 0).all())
        routed(2)

    def test_masked_nan_stays_masked(self):
        q, k, v = random(1, 2, 6, 16), random(1, 2, 9, 16), random(1, 2, 9, 16)
        mask = torch.ones(9, dtype=torch.bool)
        mask[4] = False
        clean = F.scaled_dot_product_attention(q, k, v, mask.expand(6, 9))
        k[:, :, 4], v[:, :, 4] = torch.nan, torch.inf
        self.assertTrue(F.scaled_dot_product_attention(q, k, v, mask.expand(6, 9)).equal(clean))

    def test_number_of_dimensions(self):
        for leading in ((), (3,), (2, 3), (2, 2, 3), (2, 1, 2, 3)):
            for causal in (False, True):
                with self.subTest(leading=leading, causal=causal):
                    q, k, v = (random(*leading, n, d) for n, d in ((5, 16), (7, 16), (7, 24)))
                    self.check(q, k, v, is_causal=causal)
                    if not causal:
                        self.check(q, k, v, torch.randn(*leading, 5, 7))
                        self.check(q, k, v, torch.randn(5, 7) > 0)

    def test_broadcast(self):
        for q, k, v in [((2, 4, 5), (2, 1, 6), (2, 1, 6)), ((2, 4, 5), (1, 4, 6), (1, 4, 6)), ((1, 4, 5), (3, 4, 6), (3, 1, 6)),
                        ((2, 1, 5), (2, 4, 6), (1, 4, 6)), ((4, 5), (2, 4, 6), (2, 4, 6)), ((2, 3, 4, 5), (3, 1, 6), (6,))]:
            with self.subTest(q=q, k=k, v=v):
                self.check(random(*q, 16), random(*k, 16), random(*v, 16))

    def test_groups_in_five_dimensions(self):
        q, k, v = random(2, 3, 4, 5, 16), random(2, 3, 2, 7, 16), random(2, 3, 2, 7, 16)
        self.check(q, k, v, enable_gqa=True)
        heads_last = [t.permute(0, 3, 1, 2, 4).contiguous().permute(0, 2, 3, 1, 4) for t in (q, k, v)]
        self.check(*heads_last, enable_gqa=True)
        from tessera_torch._routing import _in_four_dimensions
        for before, after in zip(heads_last, _in_four_dimensions(heads_last)):
            self.assertEqual(before.data_ptr(), after.data_ptr())

    def test_strides(self):
        packed = random(2, 11, 3, 4, 16)
        q, k, v = (packed[:, :, i].transpose(1, 2) for i in range(3))
        self.check(q, k, v, is_causal=True)
        self.check(*(random(2, 4, 16, 11).mT for _ in range(3)))
        self.check(*(random(2, 4, 22, 32)[:, :, ::2, ::2] for _ in range(3)))
        self.check(random(2, 4, 11, 16), random(2, 1, 9, 16).expand(2, 4, 9, 16), random(1, 1, 9, 16).expand(2, 4, 9, 16))
        self.check(*(random(2, 4, 1, 11, 16)[:, :, 0] for _ in range(3)), dtype=torch.bfloat16)

    def test_empty(self):
        for sizes in [(0, 2, 3, 4), (2, 0, 3, 4), (2, 2, 0, 4), (2, 2, 3, 0)]:
            batch, heads, length, keys = sizes
            with self.subTest(sizes=sizes):
                out = self.check(random(batch, heads, length, 16), random(batch, heads, keys, 16),
                                 random(batch, heads, keys, 8))
                self.assertTrue((out == 0).all())

    def test_output_merges_heads_without_copy(self):
        out = F.scaled_dot_product_attention(*(random(2, 4, 11, 16) for _ in range(3)))
        self.assertTrue(out.transpose(1, 2).is_contiguous())

    def test_threads_do_not_change_a_bit(self):
        before = torch.get_num_threads()
        q, k, v = (random(2, 3, 300, 64, grad=True) for _ in range(3))
        grad = random(2, 3, 300, 64)
        results = []
        try:
            for threads in (1, 2, 3):
                torch.set_num_threads(threads)
                out = F.scaled_dot_product_attention(q, k, v, is_causal=True)
                results.append((out, *torch.autograd.grad(out, (q, k, v), grad)))
        finally:
            torch.set_num_threads(before)
        for other in results[1:]:
            self.assertTrue(all(a.equal(b) for a, b in zip(results[0], other)))

    def test_decoding_has_the_bits_of_prefill(self):
        q, k, v = random(1, 4, 270, 64), random(1, 2, 270, 64), random(1, 2, 270, 64)
        whole = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
        for i in (0, 1, 100, 256, 269):
            one = F.scaled_dot_product_attention(q[:, :, i:i + 1], k[:, :, :i + 1], v[:, :, :i + 1], enable_gqa=True)
            self.assertTrue(one.equal(whole[:, :, i:i + 1]), i)


class Jagged(unittest.TestCase):
    setUp, tearDown = Numbers.setUp, Numbers.tearDown

    def check(self, lengths, lengths_key, heads=4, heads_key=4, size=16, size_value=16, dtype=torch.float32, **options):
        def nested(lengths, *shape):
            return [random(n, *shape, dtype=dtype, grad=True) for n in lengths]

        parts = nested(lengths, heads, size), nested(lengths_key, heads_key, size), nested(lengths_key, heads_key, size_value)
        q, k, v = (torch.nested.as_nested_tensor(p, layout=torch.jagged).transpose(1, 2) for p in parts)
        out = F.scaled_dot_product_attention(q, k, v, **options)
        routed()
        self.assertTrue(out.is_nested)
        pieces = out.transpose(1, 2).unbind()
        grads = [torch.randn_like(p) for p in pieces]
        result = torch.autograd.grad(pieces, [t for p in parts for t in p], grads)
        expected, wanted = [], [[], [], []]
        for i, (piece, grad) in enumerate(zip(pieces, grads)):
            exact = [in_f64(p[i]) for p in parts]
            expected.append(reference(*(t.transpose(0, 1) for t in exact), **options).transpose(0, 1))
            self.assertLessEqual(error(piece, expected[-1]), FORWARD[dtype])
            for one, w in zip(wanted, torch.autograd.grad(expected[-1], exact, grad.double())):
                one.append(w)
        for r, w in zip(result, (w for one in wanted for w in one)):
            if w.numel():
                self.assertLessEqual(error(r, w), BACKWARD[dtype])

    def test_self_attention(self):
        for causal in (False, True):
            self.check((3, 70, 1, 12), (3, 70, 1, 12), is_causal=causal)

    def test_cross_attention(self):
        self.check((3, 7, 1), (10, 1, 300))
        self.check((3, 7, 1), (10, 1, 300), size_value=24)

    def test_groups(self):
        self.check((3, 7, 1), (3, 7, 1), heads_key=2, enable_gqa=True)

    def test_types(self):
        for dtype in TYPES:
            self.check((30, 70), (30, 70), dtype=dtype)

    def test_empty_sequences(self):
        self.check((3, 0, 2), (3, 2, 2))

    def test_single_head(self):
        q, k, v = (torch.nested.nested_tensor([torch.ones(3, 8), torch.ones(2, 8)], layout=torch.jagged) for _ in range(3))
        self.assertTrue((F.scaled_dot_product_attention(q, k, v).values() == 1).all())
        routed()

    def test_what_falls_back(self):
        q = torch.nested.nested_tensor([torch.ones(3, 2, 8), torch.ones(2, 2, 8)], layout=torch.jagged).transpose(1, 2)
        F.scaled_dot_product_attention(q, q, q, dropout_p=0.5)
        F.scaled_dot_product_attention(q.double(), q.double(), q.double())
        self.assertEqual(tessera_torch.counts()["fallback"], {"dropout": 1, "torch.float64": 1})


if __name__ == "__main__":
    unittest.main()
