"""Routes attention, convolution and products of matrices on the CPU to Tessera.

Convolution and products are taken at the dispatcher where PyTorch computes them, below autograd.

Attention is taken at the dispatcher, too: kernels are registered for aten::scaled_dot_product_attention on the keys CPU
and AutogradCPU, above the choice that PyTorch makes among its own. There every call arrives, from Python or C++, by
whatever name it was imported, after autocast and with all its arguments; and torch.compile records the operators that
the kernel calls. aten::_scaled_dot_product_flash_attention_for_cpu, to which PyTorch's choice leads, is taken as well:
calls that skip the first come there (exported programs, vmap, tensor subclasses). Jagged tensors are served before the
dispatcher, in torch.nested._internal.ops, and so they are taken there."""

import functools
import math
import sys
import threading
import warnings

import torch
from torch import library as torch_library
from torch._subclasses.fake_tensor import FakeTensor
from torch._subclasses.functional_tensor import FunctionalTensor

from . import _convolution, _counts, _linear, _nested
from ._library import Unsupported, library
from ._operators import Attention, attention as _attention, compute, compute_backward

_PLAIN = (torch.Tensor, torch.nn.Parameter)
_KNOWN = _PLAIN + (FakeTensor, FunctionalTensor)
_FLOATS = (torch.float32, torch.bfloat16, torch.float16)
_LARGEST_HEAD = 1024

_composite = torch.ops.aten.scaled_dot_product_attention.default
_enabled_by_user = torch._C._get_flash_sdp_enabled
_dispatch_modes = torch._C._len_torch_dispatch_stack
_transforms = torch._C._functorch.peek_interpreter_stack


def _why_not(query, key, value, mask, dropout, causal, scale):
    """Why Tessera cannot compute a call, in a few words, or None."""
    for tensor in (query, key, value) if mask is None else (query, key, value, mask):
        if type(tensor) not in _KNOWN:
            return "tensor subclass"
        if not tensor.is_cpu:
            return "tensors on several devices"
        if tensor.is_neg():
            return "negated view"
    kind = query.dtype
    if kind not in _FLOATS:
        return str(kind)
    if key.dtype != kind or value.dtype != kind:
        return "different types"
    if dropout:
        return "dropout"
    if mask is not None:
        if causal:
            return "mask and is_causal"
        if mask.dtype not in (torch.bool, torch.float32, kind):
            return f"mask of {mask.dtype}"
        if mask.requires_grad and torch.is_grad_enabled():
            return "gradient of the mask"
    if scale is not None and (scale == 0 or not math.isfinite(scale)):
        return "scale"
    if not _enabled_by_user():
        return "flash attention switched off"
    if _transforms() is not None:
        return "torch.func transform"
    if torch.autograd.forward_ad._current_level >= 0:
        return "forward-mode gradient"
    return None


def _is_simple(query, key, value, mask, gqa):
    """Whether shapes are such that the operator takes the tensors as they are."""
    q, k, v = query.shape, key.shape, value.shape
    return (len(q) == len(k) == len(v) == 4 and q[0] == k[0] == v[0] and k[1] == v[1] and k[2] == v[2]
            and q[3] == k[3] and (q[1] == k[1] or (gqa and k[1] > 0 and q[1] % k[1] == 0))
            and 0 < q[3] <= _LARGEST_HEAD and 0 < v[3] <= _LARGEST_HEAD
            and (mask is None or (mask.dim() == 4 and all(m == 1 or m == n for m, n in zip(mask.shape, (*q[:3], k[2]))))))


def _broadcast(query, key, value, mask, gqa):
    """Gives all tensors the same batch dimensions, and keys and values the same heads. None where that is not possible."""
    if min(query.dim(), key.dim(), value.dim()) < 2:
        return None
    dims = max(query.dim(), key.dim(), value.dim(), 3)
    query, key, value = (t[(None,) * (dims - t.dim())] for t in (query, key, value))
    if not (0 < query.shape[-1] == key.shape[-1] <= _LARGEST_HEAD and 0 < value.shape[-1] <= _LARGEST_HEAD
            and key.shape[-2] == value.shape[-2]):
        return None
    heads, heads_key, heads_value = (t.shape[-3] for t in (query, key, value))
    try:
        batch = torch.broadcast_shapes(query.shape[:-3], key.shape[:-3], value.shape[:-3])
        if gqa:
            if heads_key != heads_value or not heads_key or heads % heads_key:
                return None
        else:
            # One head of keys for all is the group of all heads.
            heads, = torch.broadcast_shapes((heads,), (heads_key,), (heads_value,))
            heads_key = 1 if heads_key == heads_value == 1 else heads
        query, key, value = (t.expand(*batch, n, *t.shape[-2:])
                             for t, n in ((query, heads), (key, heads_key), (value, heads_key)))
        if mask is not None:
            if mask.dim() > dims:
                return None
            mask = mask[(None,) * (dims - mask.dim())]
            mask.expand(*batch, heads, query.shape[-2], key.shape[-2])
            mask = mask.expand(*batch, heads, *mask.shape[-2:])
    except RuntimeError:
        return None
    return query, key, value, mask


def _merges(tensor, first, last):
    """Whether the dimensions first ... last - 1 can be viewed as one."""
    shape, stride = tensor.shape, tensor.stride()
    at = [i for i in range(first, last) if shape[i] != 1]
    return all(stride[i] == stride[j] * shape[j] for i, j in zip(at, at[1:]))


def _in_four_dimensions(tensors):
    """[..., heads, length, size] as [batch, heads, length, size]. Leading dimensions go where no copy is needed: to the
    batch, or to the heads (groups of heads stay groups)."""
    leading = tensors[0].dim() - 2
    split = next((s for s in range(leading - 1, -1, -1)
                  if all(_merges(t, 0, s) and _merges(t, s, leading) for t in tensors)), leading - 1)

    def merged(tensor):
        shape = tensor.shape
        return tensor.reshape(math.prod(shape[:split]), math.prod(shape[split:leading]), *shape[leading:])

    return [merged(t) for t in tensors]


def _attend(query, key, value, mask, causal, scale):
    if (_dispatch_modes() or type(query) not in _PLAIN or type(key) not in _PLAIN or type(value) not in _PLAIN
            or (mask is not None and type(mask) not in _PLAIN)):
        return _attention(query, key, value, mask, None, None, causal, scale)[0]
    if torch.is_grad_enabled() and (query.requires_grad or key.requires_grad or value.requires_grad):
        return Attention.apply(query, key, value, mask, None, None, causal, scale)[0]
    return compute(query, key, value, mask, None, None, causal, scale, want_lse=False)[0]


def _fall_back(reason, *args, **kwargs):
    _counts.add_fallback(reason)
    return _composite._op_dk(torch._C.DispatchKey.CompositeImplicitAutograd, *args, **kwargs)


def _sdpa(query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, *, scale=None, enable_gqa=False):
    reason = _why_not(query, key, value, attn_mask, dropout_p, is_causal, scale)
    if reason is None:
        try:
            if _is_simple(query, key, value, attn_mask, enable_gqa):
                return _attend(query, key, value, attn_mask, is_causal, scale or query.shape[3] ** -0.5)
            tensors = _broadcast(query, key, value, attn_mask, enable_gqa)
            if tensors is not None:
                shape = tensors[0].shape[:-1]
                four = _in_four_dimensions([t for t in tensors if t is not None])
                out = _attend(*four[:3], four[3] if len(four) == 4 else None, is_causal,
                              scale or query.shape[-1] ** -0.5)
                dims = max(query.dim(), key.dim(), value.dim())
                return out.reshape(*shape[-dims + 1:], out.shape[-1])
            reason = "shapes"
        except Unsupported as error:
            reason = str(error)
    return _fall_back(reason, query, key, value, attn_mask, dropout_p, is_causal, scale=scale, enable_gqa=enable_gqa)


# --- below PyTorch's own choice: calls that did not come through the kernel above --------------------------------

def _takes_flash(query, key, value, mask, dropout, causal, scale):
    return (_why_not(query, key, value, mask, dropout, causal, scale) is None
            and _is_simple(query, key, value, mask, True))


def _flash(own, keys, query, key, value, dropout_p=0.0, is_causal=False, *, attn_mask=None, scale=None):
    if _takes_flash(query, key, value, attn_mask, dropout_p, is_causal, scale):
        try:
            return compute(query, key, value, attn_mask, None, None, is_causal, scale or query.shape[3] ** -0.5)
        except Unsupported:
            pass
    return own.call_boxed(keys, query, key, value, dropout_p, is_causal, attn_mask=attn_mask, scale=scale)


def _flash_backward(own, keys, grad_out, query, key, value, out, logsumexp, dropout_p, is_causal, *, attn_mask=None,
                    scale=None):
    if _takes_flash(query, key, value, attn_mask, dropout_p, is_causal, scale):
        try:
            return compute_backward(grad_out, query, key, value, out, logsumexp, attn_mask, None, None, is_causal,
                                    scale or query.shape[3] ** -0.5)
        except Unsupported:
            pass
    return own.call_boxed(keys, grad_out, query, key, value, out, logsumexp, dropout_p, is_causal,
                          attn_mask=attn_mask, scale=scale)


# --- on and off ---------------------------------------------------------------------------------------------------

_TAKEN = (_composite, torch.ops.aten._scaled_dot_product_flash_attention_for_cpu.default,
          torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward.default)
_OPERATORS = "attention", "convolution", "linear"
_registrations = {}  # by operator; what PyTorch gave for them
_lock = threading.Lock()
_CACHE_TAG = "tessera_torch"


def _forget_compiled():
    """What was compiled with the other setting must not be used any more, nor what is kept on disk, nor where Python's
    part of the dispatcher remembers that calls go."""
    for operator in (*_TAKEN, *_convolution.OPERATORS, *_linear.OPERATORS):
        operator._dispatch_cache.clear()
    tag = torch.compiler.config.cache_key_tag.replace(_CACHE_TAG, "")
    torch.compiler.config.cache_key_tag = tag + _CACHE_TAG if "attention" in _registrations else tag
    if "torch._dynamo" in sys.modules:
        torch._dynamo.reset()


def _register_attention(registrations):
    own, own_backward = (torch_library.get_kernel(operator, "CPU") for operator in _TAKEN[1:])
    registrations.impl(_TAKEN[0], _sdpa, "CPU")
    registrations.impl(_TAKEN[0], _sdpa, "AutogradCPU")
    for operator, kernel in ((_TAKEN[1], functools.partial(_flash, own)),
                             (_TAKEN[2], functools.partial(_flash_backward, own_backward))):
        registrations.impl(operator, kernel, "CPU", with_keyset=True, allow_override=True)
    _nested.switch(True)


def _register(what):
    registrations = torch_library.Library("aten", "IMPL")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a kernel is overridden is meant
        if what == "attention":
            _register_attention(registrations)
        else:
            for operator, kernel in (_convolution if what == "convolution" else _linear).kernels():
                own = torch_library.get_kernel(operator, "CPU")
                registrations.impl(operator, functools.partial(kernel, own), "CPU", with_keyset=True, allow_override=True)
    return registrations


def _deregister(what):
    if what == "attention":
        _nested.switch(False)
    _registrations.pop(what)._destroy()


def _switch(wanted):
    """Sets which operators are routed to Tessera; returns which were before."""
    with _lock:
        before = frozenset(_registrations)
        if wanted != before:
            if wanted:
                library()  # an error, rather than a fallback, if there is none
            for what in before - wanted:
                _deregister(what)
            for what in wanted - before:
                _registrations[what] = _register(what)
            _forget_compiled()
        return before


def _named(operators):
    for name in operators:
        if name not in _OPERATORS:
            raise ValueError(f"{name!r} is not routed; use {', '.join(map(repr, _OPERATORS))}")
    return frozenset(operators or _OPERATORS)


class _Setting:
    """The setting that enable() or disable() made; as a context manager, for the length of a block."""

    def __init__(self, before):
        self._before = before

    def __enter__(self):
        return self

    def __exit__(self, *_):
        _switch(self._before)


def enable(*operators):
    """Routes "attention", "convolution" and "linear" on the CPU to Tessera, or those that are named, besides what is
    routed already; in all threads. `with enable(): ...` is for a block only. Raises TesseraError when libtessera is not
    found. Functions that torch.compile has compiled are compiled again."""
    return _Setting(_switch(_named(operators) | frozenset(_registrations)))


def disable(*operators):
    """Leaves all, or what is named, to PyTorch again; `with disable(): ...` is for a block only."""
    return _Setting(_switch(frozenset(_registrations) - _named(operators)))


def is_enabled(operator="attention"):
    return operator in _registrations
