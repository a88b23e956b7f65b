"""Convolution on Tessera: what takes the place of aten::convolution and aten::convolution_backward on the CPU.

Both lie below autograd, so that PyTorch's own formulas for gradients, forward-mode ones and second ones stay as they
are. Weights that come a second time unchanged are packed once (_packed.py)."""

import functools
import math

import torch
from torch._prims_common import suggest_memory_format

from . import _counts, _packed
from ._library import CHANNELS_FIRST, CHANNELS_LAST, TYPES, TesseraError, describe_conv, library

_FLOATS = (torch.float32, torch.bfloat16, torch.float16)
_LAST = {4: torch.channels_last, 5: torch.channels_last_3d}

_forward = torch.ops.aten.convolution.default
_backward = torch.ops.aten.convolution_backward.default
OPERATORS = _forward, _backward


def _strides(shape, layout):
    """The strides of a tensor without gaps."""
    order = (0, *range(2, len(shape)), 1) if layout == CHANNELS_LAST else range(len(shape))
    strides, step = [0] * len(shape), 1
    for i in reversed(order):
        strides[i] = step
        step *= shape[i]
    return tuple(strides)


def _layout(shape, strides):
    """How a tensor lies, or None if Tessera cannot take it as it is."""
    for layout in (CHANNELS_FIRST, CHANNELS_LAST):
        if all(n == 1 or a == b for n, a, b in zip(shape, strides, _strides(shape, layout))):
            return layout
    return None


class _Call:
    """All about convolutions of one kind: descriptors and what is to be allocated."""

    def __init__(self, kind, x_shape, x_strides, w_shape, w_strides, stride, padding, dilation, transposed,
                 output_padding, groups):
        dims = len(x_shape) - 2
        x, w = (torch.empty_strided(shape, strides, dtype=kind, device="meta")
                for shape, strides in ((x_shape, x_strides), (w_shape, w_strides)))
        out = _forward(x, w, None, stride, padding, dilation, transposed, output_padding, groups)
        # As PyTorch has it: channels last if either of them suggests it.
        last = dims > 1 and any(suggest_memory_format(t) == _LAST[2 + dims] for t in (x, w))
        self.layout_y = CHANNELS_LAST if last else CHANNELS_FIRST
        self.out_shape, self.kind = tuple(out.shape), kind
        self.out_strides = _strides(self.out_shape, self.layout_y)
        layout_x, layout_w = _layout(x_shape, x_strides), _layout(w_shape, w_strides)
        self.copies_x, self.copies_w = layout_x is None, layout_w is None
        self.layout_x = self.layout_y if self.copies_x else layout_x
        self.layout_w = CHANNELS_FIRST if self.copies_w else layout_w
        self.x_shape, self.w_shape, self.transposed = x_shape, w_shape, transposed
        self.x_strides, self.w_strides = _strides(x_shape, self.layout_x), _strides(w_shape, self.layout_w)
        self.dx_strides = _strides(x_shape, self.layout_y)
        self.filters = self.out_shape[1]
        spread = [p if len(p) == dims else p * dims for p in (stride, padding, dilation)]
        self._settings = (TYPES[kind], dims, int(transposed), x_shape[0], x_shape[1], self.filters, groups, x_shape[2:],
                          self.out_shape[2:], w_shape[2:], *spread)
        self.descriptor = describe_conv(self.layout_x, self.layout_w, self.layout_y, *self._settings)

    def backward_descriptors(self, layout_x, layout_y):
        """Of the gradients with regard to x, and to the weights."""
        return (describe_conv(self.layout_y, self.layout_w, layout_y, *self._settings),
                describe_conv(layout_x, self.layout_w, layout_y, *self._settings))


def _as_laid_out(tensor, strides):
    return torch.empty_strided(tensor.shape, strides, dtype=tensor.dtype).copy_(tensor)


@functools.lru_cache(4096)
def _call_of(*settings):
    """A _Call, or the reason why there is none."""
    kind, x_shape, _, w_shape, _, stride, padding, dilation, transposed, _, groups = settings
    if kind not in _FLOATS:
        return str(kind)
    if not 3 <= len(x_shape) == len(w_shape) <= 5 or not math.prod(x_shape) or not math.prod(w_shape):
        return "shapes"
    if groups < 1 or w_shape[0] % groups or x_shape[1] != (w_shape[0] if transposed else w_shape[1] * groups):
        return "shapes"
    dims = len(x_shape) - 2
    for i in range(dims):
        p, d = (v[i] if len(v) == dims else v[0] for v in (padding, dilation))
        if p > d * (w_shape[2 + i] - 1):
            return "padding beyond the kernel"
    try:
        call = _Call(*settings)
    except Exception:  # PyTorch's own kernel tells what is wrong
        return "shapes"
    return call if math.prod(call.out_shape) else "shapes"


def _find(x, w, bias, *settings):
    """A _Call, or the reason why there is none."""
    kind = x.dtype
    if w.dtype != kind or (bias is not None and bias.dtype != kind):
        return "different types"
    call = _call_of(kind, x.shape, x.stride(), w.shape, w.stride(), *settings)
    return "shapes" if type(call) is _Call and bias is not None and bias.shape != (call.filters,) else call


def _bias_in_f32(bias):
    return None if bias is None else bias.to(torch.float32).contiguous()


def _pack(call, weight, bias):
    bias = _bias_in_f32(bias)
    return library().conv_plan(call.descriptor, weight.data_ptr(), None if bias is None else bias.data_ptr())


def _compute(call, x, weight, bias):
    if call.copies_x:
        x = _as_laid_out(x, call.x_strides)
    out = torch.empty_strided(call.out_shape, call.out_strides, dtype=call.kind)
    plan = None if call.copies_w else _packed.plan(call, weight, bias, _pack)
    if plan is not None:
        plan.run(x.data_ptr(), out.data_ptr())
        return out
    w = _as_laid_out(weight, call.w_strides) if call.copies_w else weight
    b = _bias_in_f32(bias)
    library().conv(call.descriptor, x.data_ptr(), w.data_ptr(), None if b is None else b.data_ptr(), out.data_ptr())
    return out


def _convolution(own, keys, x, weight, bias, stride, padding, dilation, transposed, output_padding, groups):
    reason = call = _find(x, weight, bias, tuple(stride), tuple(padding), tuple(dilation), transposed,
                          tuple(output_padding), groups)
    if type(call) is _Call:
        try:
            out = _compute(call, x, weight, bias)
            _counts.add("forward", "convolution")
            return out
        except TesseraError as error:
            reason = str(error)
    _counts.add_fallback(reason, "convolution")
    return own.call_boxed(keys, x, weight, bias, stride, padding, dilation, transposed, output_padding, groups)


def _gradients(call, grad, x, weight, mask):
    layout_y = _layout(call.out_shape, grad.stride())
    if layout_y is None:
        layout_y, grad = call.layout_y, _as_laid_out(grad, call.out_strides)
    if call.copies_x and mask[1]:
        x = _as_laid_out(x, call.x_strides)
    by_x, by_w = call.backward_descriptors(call.layout_x, layout_y)
    dx = dw = db = None
    if mask[0]:
        w = _as_laid_out(weight, call.w_strides) if call.copies_w else weight
        dx = torch.empty_strided(call.x_shape, call.dx_strides, dtype=call.kind)
        library().conv_backward_data(by_x, grad.data_ptr(), w.data_ptr(), dx.data_ptr())
    if mask[1]:
        dw = torch.empty_strided(call.w_shape, call.w_strides, dtype=call.kind)
    if mask[2]:
        db = torch.empty(call.filters, dtype=torch.float32)
    if mask[1] or mask[2]:
        library().conv_backward_weights(by_w, x.data_ptr(), grad.data_ptr(), dw.data_ptr() if mask[1] else None,
                                        db.data_ptr() if mask[2] else None)
    return dx, dw, None if db is None else db.to(call.kind)


def _convolution_backward(own, keys, grad, x, weight, bias_sizes, stride, padding, dilation, transposed, output_padding,
                          groups, output_mask):
    reason = call = _find(x, weight, None, tuple(stride), tuple(padding), tuple(dilation), transposed,
                          tuple(output_padding), groups)
    if type(call) is _Call:
        if grad.dtype != x.dtype:
            reason = "different types"
        elif grad.shape != call.out_shape:
            reason = "shapes"
        else:
            try:
                gradients = _gradients(call, grad, x, weight, output_mask)
                _counts.add("backward", "convolution")
                return gradients
            except TesseraError as error:
                reason = str(error)
    _counts.add_fallback(reason, "convolution")
    return own.call_boxed(keys, grad, x, weight, bias_sizes, stride, padding, dilation, transposed, output_padding,
                          groups, output_mask)


def kernels():
    """(operator, kernel that gets PyTorch's own and the dispatch keys first)."""
    return ((_forward, _convolution), (_backward, _convolution_backward))
