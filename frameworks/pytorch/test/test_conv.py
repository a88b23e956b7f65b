"""Convolution and linear layers, forward and backward: within the rounding of their sums of what float64 gives; as
PyTorch's own results lie in memory; packed weights that follow every change; what falls back; whole networks."""

import copy
import gc
import itertools
import unittest

from support import F, tessera_torch, torch

import models
from tessera_torch import _packed

# Errors as a share of the sum of the products' sizes.
EPS = {torch.float32: 2.0**-21, torch.bfloat16: 2.0**-8, torch.float16: 2.0**-10}
FUNCTIONS = {False: (F.conv1d, F.conv2d, F.conv3d), True: (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)}
FORMATS = {4: torch.channels_last, 5: torch.channels_last_3d}


def own(function, *args, **options):
    with tessera_torch.disable():
        return function(*args, **options)


def gradients(function, tensors, grad=None):
    """The result, and the gradients of the tensors that want one."""
    out = function(*tensors)
    wanted = [t for t in tensors if t is not None and t.requires_grad]
    return (out, *torch.autograd.grad(out, wanted, torch.ones_like(out) if grad is None else grad))


def lies(tensor):
    """The strides of the dimensions where they mean something."""
    return [stride for size, stride in zip(tensor.shape, tensor.stride()) if size != 1]


def in_f64(tensors, magnitude=False):
    return [None if t is None else (t.detach().abs() if magnitude else t.detach()).double().requires_grad_(t.requires_grad)
            for t in tensors]


class Conv(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(4)
        self.setting = tessera_torch.enable()
        tessera_torch.reset_counts()
        tessera_torch.forget_weights()

    def tearDown(self):
        self.setting.__exit__()

    def routed(self, operator="convolution", **expected):
        counts = tessera_torch.counts(operator)
        tessera_torch.reset_counts()
        self.assertEqual(counts, {"forward": 0, "backward": 0, "fallback": {}, **expected})

    def check(self, function, tensors, operator="convolution", strides=True):
        """Results and gradients against float64, and how they lie against PyTorch's own."""
        kind = tensors[0].dtype
        results = gradients(function, tensors, grad := torch.randn_like(own(function, *tensors)))
        exact = own(gradients, function, in_f64(tensors), grad.double())
        sums = own(gradients, function, in_f64(tensors, magnitude=True), grad.double().abs())
        theirs = own(gradients, function, tensors, grad)
        for i, (result, expected, size, their) in enumerate(zip(results, exact, sums, theirs)):
            self.assertEqual(result.dtype, kind)
            off = ((result.double() - expected).abs() / (size.abs() + 1e-30)).max().item()
            self.assertLessEqual(off, EPS[kind], f"result {i} of {[(t.shape, t.stride()) for t in tensors if t is not None]}")
            if strides and i < 2:
                self.assertEqual(lies(result), lies(their))

    def test_numbers(self):
        made = 0
        for transposed, dims, kind, last in itertools.product((False, True), (1, 2, 3), EPS, (False, True)):
            for groups, stride, dilation, kernel in ((1, 1, 1, 3), (2, 2, 1, 3), (1, 3, 2, 2), (8, 1, 1, 3), (1, 2, 1, 1)):
                x = torch.randn(2, 8, *(9, 7, 8)[:dims]).to(kind)
                w = torch.randn(8, 8 // groups if not transposed else 16 // groups, *[kernel] * dims).to(kind)
                b = torch.randn(w.shape[1] * groups if transposed else 8).to(kind) if made % 3 else None
                if last and dims > 1:
                    x = x.to(memory_format=FORMATS[x.dim()])
                    w = w.to(memory_format=FORMATS[x.dim()]) if made % 2 else w
                tensors = [None if t is None else t.requires_grad_() for t in (x, w, b)]
                options = {"stride": stride, "dilation": dilation, "groups": groups, "padding": (kernel - 1) // 2}
                if transposed and stride > 1:
                    options["output_padding"] = 1
                function = FUNCTIONS[transposed][dims - 1]
                # PyTorch's own transposed and 16-bit convolutions do not all choose a layout in the same way.
                self.check(lambda *t: function(*t, **options), tensors, strides=kind == torch.float32 and not transposed)
                made += 1
        self.routed(forward=made, backward=made)

    def test_shapes_of_all_kinds(self):
        def check(x, w, b=None, **options):
            self.check(lambda *t: F.conv2d(*t, **options), [x.requires_grad_(), w.requires_grad_(), b])
        check(torch.randn(3, 8, 9), torch.randn(4, 3, 3, 3))                                    # no batch
        check(torch.randn(2, 3, 40, 30), torch.randn(32, 3, 7, 7), stride=2, padding=3)
        check(torch.randn(2, 96, 6, 5), torch.randn(70, 96, 1, 1), torch.randn(70))
        check(torch.randn(2, 6, 8, 9)[:, ::2], torch.randn(4, 3, 3, 3), padding=(1, 0))          # gaps
        check(torch.randn(2, 9, 8, 3).permute(0, 3, 1, 2), torch.randn(3, 3, 4, 4).transpose(2, 3))
        check(torch.randn(2, 3, 8, 9).expand(2, 3, 8, 9), torch.randn(3, 1, 3, 3).expand(3, 3, 3, 3))
        check(torch.randn(2, 4, 8, 9), torch.randn(4, 4, 4, 3), padding="same")
        check(torch.randn(1, 1, 1, 1), torch.randn(1, 1, 1, 1))
        x, w = torch.randn(2, 8, 6, 6), torch.randn(4, 8, 3, 3, requires_grad=True)
        grad = torch.randn(2, 4, 8, 8).transpose(2, 3)[:, :, ::2, ::2]                            # a gradient with gaps
        out, dw = gradients(lambda w: F.conv2d(x, w), [w], grad)
        self.assertTrue(torch.allclose(dw, own(gradients, lambda w: F.conv2d(x, w), [w], grad)[1], atol=1e-4))
        self.assertFalse(tessera_torch.counts("convolution")["fallback"])

    def test_what_falls_back(self):
        x, w = torch.randn(1, 4, 5, 5), torch.randn(4, 4, 1, 1)
        for reason, function in (("torch.float64", lambda: F.conv2d(x.double(), w.double())),
                                 ("padding beyond the kernel", lambda: F.conv2d(x, w, padding=1)),
                                 ("shapes", lambda: F.conv2d(x[:0], w))):
            tessera_torch.reset_counts()
            out = function()
            fallback = tessera_torch.counts("convolution")["fallback"]
            self.assertIn(reason, fallback)
            self.assertTrue(out.equal(own(function)))
        for function in (lambda: F.conv2d(x, torch.randn(4, 3, 1, 1)), lambda: F.conv2d(x, w.double()),
                         lambda: F.conv2d(x, torch.randn(4, 4, 9, 9)), lambda: F.conv2d(x, w, stride=0),
                         lambda: F.conv2d(x, w, bias=torch.randn(5)), lambda: F.conv2d(x, w, groups=3)):
            messages = []
            for run in (function, lambda: own(function)):
                with self.assertRaises(RuntimeError) as raised:
                    run()
                messages.append(str(raised.exception))
            self.assertEqual(*messages)

    def test_only_what_is_named(self):
        with tessera_torch.disable():
            with tessera_torch.enable("linear"):
                self.assertTrue(tessera_torch.is_enabled("linear") and not tessera_torch.is_enabled("convolution"))
                F.conv2d(torch.randn(1, 2, 3, 3), torch.randn(2, 2, 2, 2))
                self.routed()
            self.assertFalse(tessera_torch.is_enabled("linear"))
            with self.assertRaises(ValueError):
                tessera_torch.enable("pooling")
        self.assertTrue(tessera_torch.is_enabled("convolution"))

    def test_packed_weights_follow_every_change(self):
        x, b = torch.randn(2, 16, 6, 6), torch.randn(8)
        w = torch.nn.Parameter(torch.randn(8, 16, 3, 3))

        def same(times=3):
            for _ in range(times):
                with torch.no_grad():
                    got = F.conv2d(x, w, b)
                    self.assertTrue(torch.allclose(got, own(F.conv2d, x, w, b), atol=1e-4))
            return [entry for entry in _packed._entries.values() if entry.plan is not None]
        self.assertEqual(len(same(1)), 0)
        self.assertEqual(len(same()), 1)
        with torch.no_grad():
            w[1, 2, 0, 0] += 1
        self.assertEqual(len(same(1)), 0)
        same()
        w.data.mul_(3)  # the version stays
        same()
        w.detach().numpy()[:] += 1
        same()
        b.add_(1)
        same()
        b.data.sub_(2)
        same()
        with torch.no_grad():
            w.set_(torch.randn(8, 16, 3, 3))
        same()
        self.assertEqual(len(same()), 1)
        del w, b
        gc.collect()
        for _ in range(20):  # new weights where former ones lay
            w, b = torch.nn.Parameter(torch.randn(8, 16, 3, 3)), torch.randn(8)
            same(2)
            del w, b
        self.assertLessEqual(len(_packed._entries), 3)
        tessera_torch.forget_weights()
        self.assertEqual(len(_packed._entries), 0)

    def test_packed_weights_are_bounded(self):
        most, _packed.MOST_BYTES = _packed.MOST_BYTES, 4 * 16 * 16 * 9 * 4
        try:
            x, weights = torch.randn(1, 16, 5, 5), [torch.randn(16, 16, 3, 3) for _ in range(10)]
            for w in weights + weights[::-1]:
                for _ in range(3):
                    F.conv2d(x, w)
                self.assertLessEqual(_packed._bytes, _packed.MOST_BYTES)
            self.assertEqual(_packed._bytes, sum(entry.bytes for entry in _packed._entries.values()))
        finally:
            _packed.MOST_BYTES = most

    def test_bits_do_not_depend_on_threads(self):
        threads = torch.get_num_threads()
        tensors = [t.requires_grad_() for t in (torch.randn(3, 64, 28, 28), torch.randn(64, 64, 3, 3), torch.randn(64))]
        results = []
        for n in (1, 2, 3):
            torch.set_num_threads(n)
            results.append(gradients(lambda *t: F.conv2d(*t, padding=1), tensors))
        torch.set_num_threads(threads)
        for other in results[1:]:
            self.assertTrue(all(a.equal(b) for a, b in zip(results[0], other)))

    def test_second_derivatives_and_transforms(self):
        x, w = torch.randn(2, 3, 6, 6, requires_grad=True), torch.randn(4, 3, 3, 3, requires_grad=True)

        def second(x, w):
            first, = torch.autograd.grad(F.conv2d(x, w, padding=1).pow(3).sum(), x, create_graph=True)
            return torch.autograd.grad(first.square().sum(), (x, w))
        for a, b in zip(second(x, w), own(second, *in_f64((x, w)))):
            self.assertLess((a - b).abs().max(), 1e-5 * b.abs().max())
        each = torch.func.vmap(torch.func.grad(lambda w, x: F.conv2d(x, w).square().sum()), (None, 0))
        a, b = each(w.detach(), x.detach()), own(each, w.detach().double(), x.detach().double())
        self.assertLess((a - b).abs().max(), 1e-5 * b.abs().max())
        compiled = torch.compile(lambda x, w: F.conv2d(x, w).relu(), backend="aot_eager", fullgraph=True)
        self.assertTrue(torch.allclose(compiled(x, w), own(lambda: F.conv2d(x, w).relu()), atol=1e-4))

    def test_linear(self):
        for kind, bias, shape in itertools.product(EPS, (False, True), ((5, 70), (1, 70), (3, 4, 70))):
            x, w = torch.randn(*shape).to(kind).requires_grad_(), torch.randn(33, 70).to(kind).requires_grad_()
            b = torch.randn(33).to(kind).requires_grad_() if bias else None
            self.check(F.linear, [x, w, b], "linear")
        a, b, c = torch.randn(20, 9), torch.randn(9, 13), torch.randn(20, 13)
        for m, alpha, beta in itertools.product((c, c[0], c[:, :1], c[0, 0], c.t().contiguous().t()), (1, 0.5, 0), (1, 2, 0)):
            self.assertTrue(torch.allclose(torch.addmm(m, a, b, alpha=alpha, beta=beta),
                                           alpha * own(torch.mm, a, b) + beta * m, atol=1e-5))
        nan = torch.full((20, 13), float("nan"))
        self.assertFalse(torch.addmm(nan, a, b, beta=0).isnan().any())
        for x, y in ((a[:, ::2], b[::2]), (a.t().contiguous().t(), b[:, :6]), (b.t(), a.t()), (a[:1], b), (a, b[:, :1])):
            self.assertTrue(torch.allclose(torch.mm(x, y), own(torch.mm, x, y), atol=1e-5))
        counts = tessera_torch.counts("linear")
        self.assertGreater(counts["forward"], 80)
        self.assertEqual(counts["fallback"], {})
        self.assertTrue(torch.mm(a.double(), b.double()).equal(own(torch.mm, a.double(), b.double())))
        torch.mm(a[:0], b)
        self.assertEqual(tessera_torch.counts("linear")["fallback"], {"torch.float64": 1, "shapes": 1})
        with self.assertRaises(RuntimeError):
            torch.mm(a, a)


class Networks(unittest.TestCase):
    """Against float64: no worse than a small multiple of PyTorch's own error, and that of float32 at all."""

    MADE = {"resnet": lambda: models.resnet50(blocks=(1, 2, 1, 1), width=32, classes=40),
            "mobilenet": lambda: models.mobilenet(width=16, blocks=((2, 1), (4, 2), (4, 1), (8, 2), (8, 1)), classes=40)}

    def run_network(self, model, x, training):
        model.train(training)
        if not training:
            with torch.inference_mode():
                return [model(x) for _ in range(3)][-1:]
        model.zero_grad()
        out = model(x)
        out.square().sum().backward()
        return [out.detach(), *(p.grad.clone() for p in model.parameters())]

    def check(self, name, form, training):
        torch.manual_seed(6)
        model = self.MADE[name]().to(memory_format=form)
        x = torch.randn(4, 3, 64, 64).to(memory_format=form)
        with tessera_torch.disable():
            exact = self.run_network(copy.deepcopy(model).double(), x.double(), training)
            theirs = self.run_network(copy.deepcopy(model), x, training)
        tessera_torch.reset_counts()
        with tessera_torch.enable():
            results = self.run_network(model, x, training)
        counts = tessera_torch.counts("convolution"), tessera_torch.counts("linear")
        self.assertFalse(counts[0]["fallback"] or counts[1]["fallback"], counts)
        self.assertGreater(counts[0]["backward" if training else "forward"], 5)
        for result, their, expected in zip(results, theirs, exact):
            size = expected.abs().max()
            self.assertEqual(lies(result), lies(their))
            self.assertLessEqual((result - expected).abs().max(), 2e-6 * size + 8 * (their - expected).abs().max())

    def test_networks(self):
        for name, form, training in itertools.product(self.MADE, (torch.contiguous_format, torch.channels_last), (False, True)):
            with self.subTest(name=name, form=form, training=training):
                self.check(name, form, training)


if __name__ == "__main__":
    unittest.main()
