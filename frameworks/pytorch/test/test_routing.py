"""Which calls arrive at Tessera, which are left to PyTorch and counted, and that nothing is left behind."""

import os
import subprocess
import sys
import threading
import unittest

from support import F, SDPBackend, error, random, reference, routed, sdpa_kernel, tessera_torch, torch

OWN_FORWARD = "ScaledDotProductFlashAttentionForCpuBackward0"


def qkv(*shape, **options):
    return [random(*(shape or (1, 2, 5, 16)), **options) for _ in range(3)]


class Routing(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(2)
        self.setting = tessera_torch.enable()
        tessera_torch.reset_counts()

    def tearDown(self):
        self.setting.__exit__()

    def falls_back(self, reason, *args, **options):
        """PyTorch's own result, bit for bit, and one more call counted for the reason."""
        tessera_torch.reset_counts()
        torch.manual_seed(3)
        out = F.scaled_dot_product_attention(*args, **options)
        self.assertEqual(tessera_torch.counts()["fallback"], {reason: 1})
        with tessera_torch.disable():
            torch.manual_seed(3)
            own = F.scaled_dot_product_attention(*args, **options)
        self.assertTrue(out.equal(own), reason)

    def test_what_falls_back(self):
        q, k, v = qkv()
        self.falls_back("dropout", q, k, v, dropout_p=0.5)
        self.falls_back("torch.float64", q.double(), k.double(), v.double())
        self.falls_back("mask and is_causal", q, k, v, torch.zeros(5, 5), is_causal=True)
        self.falls_back("gradient of the mask", q, k, v, random(5, 5, grad=True))
        self.falls_back("scale", q, k, v, scale=0.0)
        self.falls_back("shapes", *qkv(1, 1, 2, 1100))
        self.falls_back("shapes", q, k, v[..., :0])
        with sdpa_kernel(SDPBackend.MATH):
            self.falls_back("flash attention switched off", q, k, v)
        with torch.autograd.forward_ad.dual_level():
            dual = torch.autograd.forward_ad.make_dual(q, torch.ones_like(q))
            tessera_torch.reset_counts()
            with self.assertRaises(NotImplementedError):  # as PyTorch's own does
                F.scaled_dot_product_attention(dual, k, v)
            self.assertEqual(tessera_torch.counts()["fallback"], {"forward-mode gradient": 1})
        negated = torch.complex(q, q).conj().imag
        self.assertTrue(negated.is_neg())
        self.falls_back("negated view", negated, k, v)

    def test_wrong_arguments_raise_as_in_pytorch(self):
        q, k, v = qkv()
        for arguments, options in [((q, k, v.bfloat16()), {}), ((q, k[:, :, :, :8], v), {}),
                                   ((q, k[:, :1].expand(1, 3, 5, 16), v), {}), ((q[0, 0, 0], k, v), {}),
                                   ((q, k, v, torch.zeros(4, 5)), {}), ((q, k, v, torch.zeros(5, 5).long()), {}),
                                   ((q[:, :1], k, v), {"enable_gqa": True}), ((q, k, v), {"dropout_p": 2.0})]:
            messages = []
            for setting in (tessera_torch.enable, tessera_torch.disable):
                with setting(), self.assertRaises(RuntimeError) as raised:
                    F.scaled_dot_product_attention(*arguments, **options)
                messages.append(str(raised.exception))
            self.assertEqual(*messages)

    def test_other_devices_are_left_alone(self):
        q, k, v = (t.to("meta") for t in qkv())
        self.assertEqual(F.scaled_dot_product_attention(q, k, v).shape, q.shape)
        self.assertEqual(tessera_torch.counts(), {"forward": 0, "backward": 0, "fallback": {}})

    def test_names_that_were_imported_before(self):
        with tessera_torch.disable():
            from torch.nn.functional import scaled_dot_product_attention
        scaled_dot_product_attention(*qkv())
        torch.ops.aten.scaled_dot_product_attention(*qkv())
        routed(2)

    def test_torchscript(self):
        traced = torch.jit.trace(F.scaled_dot_product_attention, tuple(qkv()), check_trace=False)
        tessera_torch.reset_counts()
        q, k, v = qkv()
        out = traced(q, k, v)
        routed()
        self.assertLess(error(out, reference(q, k, v)), 1e-6)

    def test_flash_operator(self):
        q, k, v = qkv(grad=True)
        out, lse = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(q, k, v, 0.0, True)
        self.assertEqual(tessera_torch.counts()["forward"], 1)
        result = torch.autograd.grad(out.sum(), (q, k, v))
        self.assertEqual(tessera_torch.counts()["backward"], 1)
        with tessera_torch.disable():
            own, own_lse = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(q, k, v, 0.0, True)
            own_result = torch.autograd.grad(own.sum(), (q, k, v))
        for a, b in zip((out, lse, *result), (own, own_lse, *own_result)):
            torch.testing.assert_close(a, b)

    def test_modules(self):
        layer = torch.nn.MultiheadAttention(32, 4, batch_first=True)
        x = random(2, 7, 32)
        out, _ = layer(x, x, x, need_weights=False)
        routed()
        with tessera_torch.disable():
            torch.testing.assert_close(out, layer(x, x, x, need_weights=False)[0])

    def test_inference_mode(self):
        with torch.inference_mode():
            q, k, v = qkv()
            out = F.scaled_dot_product_attention(q, k, v)
        self.assertTrue(out.is_inference())
        routed()

    def test_autocast(self):
        with torch.autocast("cpu", torch.bfloat16):
            out = F.scaled_dot_product_attention(*qkv())
        self.assertEqual(out.dtype, torch.bfloat16)
        routed()

    def test_transforms(self):
        q, k, v = qkv(3, 2, 5, 16)
        attention = F.scaled_dot_product_attention
        torch.testing.assert_close(torch.vmap(attention)(q, k, v), attention(q, k, v))
        grad = torch.func.grad(lambda q: attention(q, k, v).square().sum())(q)
        q.requires_grad_()
        torch.testing.assert_close(grad, torch.autograd.grad(attention(q, k, v).square().sum(), q)[0])

    def test_checkpoint(self):
        q, k, v = qkv(grad=True)
        plain = torch.autograd.grad(F.scaled_dot_product_attention(q, k, v).sum(), (q, k, v))
        again = torch.autograd.grad(torch.utils.checkpoint.checkpoint(
            F.scaled_dot_product_attention, q, k, v, use_reentrant=False).sum(), (q, k, v))
        self.assertTrue(all(a.equal(b) for a, b in zip(plain, again)))
        self.assertEqual(tessera_torch.counts(), {"forward": 3, "backward": 2, "fallback": {}})

    def test_parameters(self):
        q, k, v = (torch.nn.Parameter(t) for t in qkv())
        F.scaled_dot_product_attention(q, k, v).sum().backward()
        self.assertEqual(tessera_torch.counts(), {"forward": 1, "backward": 1, "fallback": {}})

    def test_other_subclasses_fall_back(self):
        class Subclass(torch.Tensor):
            pass

        out = F.scaled_dot_product_attention(*(t.as_subclass(Subclass) for t in qkv()))
        self.assertIs(type(out), Subclass)
        self.assertEqual(tessera_torch.counts()["fallback"], {"tensor subclass": 1})

    def test_threads(self):
        def call(results):
            results.append([F.scaled_dot_product_attention(q, k, v) for _ in range(20)])

        q, k, v = qkv(2, 4, 100, 64)
        results = []
        threads = [threading.Thread(target=call, args=(results,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertTrue(all(out.equal(results[0][0]) for some in results for out in some))
        routed(80)

    def test_fork(self):
        F.scaled_dot_product_attention(*qkv(2, 4, 100, 64))
        child = os.fork()
        if child == 0:
            torch.set_num_threads(1)
            with torch.no_grad():
                F.scaled_dot_product_attention(*qkv(2, 4, 100, 64))
            os._exit(tessera_torch.counts()["forward"] != 2)
        self.assertEqual(os.waitpid(child, 0)[1], 0)


class OnAndOff(unittest.TestCase):
    def node(self):
        return type(F.scaled_dot_product_attention(*qkv(grad=True)).grad_fn).__name__

    def test_off_leaves_nothing(self):
        before = torch._C._dispatch_dump("aten::scaled_dot_product_attention")
        tag = torch.compiler.config.cache_key_tag
        self.assertEqual(tag, "")
        self.assertEqual(self.node(), OWN_FORWARD)
        tessera_torch.enable()
        self.assertNotEqual(self.node(), OWN_FORWARD)
        tessera_torch.disable()
        tessera_torch.reset_counts()
        self.assertEqual(self.node(), OWN_FORWARD)
        self.assertEqual(torch._C._dispatch_dump("aten::scaled_dot_product_attention"), before)
        self.assertEqual(torch.compiler.config.cache_key_tag, tag)
        self.assertIs(torch.nested._internal.ops.jagged_scaled_dot_product_attention,
                      torch.nested._internal.sdpa.jagged_scaled_dot_product_attention)
        self.assertEqual(tessera_torch.counts(), {"forward": 0, "backward": 0, "fallback": {}})

    def test_blocks_nest(self):
        with tessera_torch.enable():
            with tessera_torch.enable():
                pass
            self.assertTrue(tessera_torch.is_enabled())
            with self.assertRaises(KeyError), tessera_torch.disable():
                self.assertFalse(tessera_torch.is_enabled())
                raise KeyError
            self.assertTrue(tessera_torch.is_enabled())
        self.assertFalse(tessera_torch.is_enabled())

    def test_gradients_of_calls_from_before(self):
        q, k, v = qkv(grad=True)
        own = F.scaled_dot_product_attention(q, k, v)
        with tessera_torch.enable():
            ours = F.scaled_dot_product_attention(q, k, v)
            first = torch.autograd.grad(own.sum(), (q, k, v))
        second = torch.autograd.grad(ours.sum(), (q, k, v))
        for a, b in zip(first, second):
            torch.testing.assert_close(a, b)

    def message(self, **environment):
        script = "import tessera_torch\ntry: tessera_torch.enable()\nexcept tessera_torch.TesseraError as e: print(e)"
        package = os.path.dirname(os.path.dirname(tessera_torch.__file__))
        return subprocess.run([sys.executable, "-W", "ignore", "-c", script], text=True, capture_output=True,
                              env={**os.environ, "PYTHONPATH": package, **environment}).stdout

    def test_no_library(self):
        self.assertIn("TESSERA_LIBRARY=/nowhere.so", self.message(TESSERA_LIBRARY="/nowhere.so"))
        self.assertIn("no attention", self.message(TESSERA_LIBRARY="libc.so.6"))

    def test_devices_are_refused(self):
        self.assertIn("accel:910b", self.message(TESSERA_ISA="accel:910b"))
        self.assertIn("nonsense", self.message(TESSERA_ISA="nonsense"))


if __name__ == "__main__":
    unittest.main()
