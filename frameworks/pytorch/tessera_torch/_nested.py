"""Attention of jagged tensors (torch.nested, layout=torch.jagged): one ragged call, without padding or splitting."""

import math

import torch
from torch.nested._internal import ops
from torch.nested._internal.nested_tensor import NestedTensor, nested_view_from_values_offsets_lengths
from torch.nested._internal.sdpa import _autocast

from . import _counts, _operators
from ._library import Unsupported

_own = ops.jagged_scaled_dot_product_attention
_attention = _operators.attention


def _same(offsets, others):
    # The numbers of tensors that torch.compile traces are not known.
    return offsets is others or (type(offsets) is type(others) is torch.Tensor and torch.equal(offsets, others))


def _why_not(query, key, value, mask, dropout, scale, gqa):
    """Why Tessera cannot compute a call, in a few words, or None."""
    tensors = query, key, value
    if not all(isinstance(t, NestedTensor) for t in tensors):
        return "jagged and dense tensors"
    if not all(t.device.type == "cpu" for t in tensors):
        return "tensors on several devices"
    if query.dtype not in (torch.float32, torch.bfloat16, torch.float16):
        return str(query.dtype)
    if key.dtype != query.dtype or value.dtype != query.dtype:
        return "different types"
    if dropout:
        return "dropout"
    if mask is not None:
        return "mask of jagged tensors"
    if scale is not None and (scale == 0 or not math.isfinite(scale)):
        return "scale"
    if not torch._C._get_flash_sdp_enabled():
        return "flash attention switched off"
    dims = query.dim()
    if not (dims == key.dim() == value.dim() and dims in (3, 4)
            and all(t._ragged_idx == dims - 2 and t.lengths() is None for t in tensors)):
        return "jagged layout"
    q, k, v = (t.values().shape for t in tensors)
    if not (_same(key.offsets(), value.offsets()) and query.shape[0] == key.shape[0] and q[-1] == k[-1]
            and 0 < q[-1] <= 1024 and 0 < v[-1] <= 1024):
        return "shapes"
    if dims == 4 and not (k[0] == v[0] and (q[0] == k[0] or (gqa and k[0] > 0 and q[0] % k[0] == 0))):
        return "shapes"
    return None


def _attend(query, key, value, causal, scale):
    # values() are [heads, rows, size], or [rows, size].
    add = (None,) * (5 - query.dim())
    q, k, v = (t.values()[add] for t in (query, key, value))
    out, _ = _attention(q, k, v, None, query.offsets(), key.offsets(), causal, scale or q.shape[-1] ** -0.5)
    out = out[(0,) * len(add)]
    if query.dim() == 4:
        out = out.transpose(0, 1)
    out = nested_view_from_values_offsets_lengths(
        out, query.offsets(), query.lengths(), min_seqlen=query._maybe_min_seqlen, max_seqlen=query._maybe_max_seqlen)
    return out.transpose(1, 2) if query.dim() == 4 else out


def _sdpa(query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False):
    query, key, value, attn_mask = _autocast(query, key, value, attn_mask)
    reason = _why_not(query, key, value, attn_mask, dropout_p, scale, enable_gqa)
    if reason is None:
        try:
            return _attend(query, key, value, is_causal, scale)
        except Unsupported as error:
            reason = str(error)
    _counts.add_fallback(reason)
    return _own(query, key, value, attn_mask, dropout_p, is_causal, scale=scale, enable_gqa=enable_gqa)


def switch(on):
    ops.jagged_scaled_dot_product_attention = _sdpa if on else _own
