"""The operators tessera::attention and tessera::attention_backward: what autograd and torch.compile see of Tessera.

Tensors are [batch, heads, length, size] with any strides. With offsets (int64 or int32, one more than sequences) they
are ragged: batch is 1 and sequence s has the rows offsets[s] ... offsets[s + 1] - 1. A mask is [batch, heads, length,
length of the keys], of size 1 where it is the same for all. Results: the output and its log-sum-exp, [batch, heads,
length] in float32."""

import torch
from torch import library as torch_library

from . import _counts
from ._library import CAUSAL_TOP_LEFT, NO_MASK, NO_OFFSETS, TYPES, describe, library

_definitions = torch_library.Library("tessera", "DEF")
_definitions.define(
    "attention(Tensor query, Tensor key, Tensor value, Tensor? mask, Tensor? offsets_query, Tensor? offsets_key, "
    "bool causal, float scale) -> (Tensor, Tensor)", tags=torch.Tag.pt2_compliant_tag)
_definitions.define(
    "attention_backward(Tensor grad, Tensor query, Tensor key, Tensor value, Tensor out, Tensor lse, Tensor? mask, "
    "Tensor? offsets_query, Tensor? offsets_key, bool causal, float scale) -> (Tensor, Tensor, Tensor)",
    tags=torch.Tag.pt2_compliant_tag)


def _strides_out(batch, heads, length, size):
    """As PyTorch's own output lies: [batch][length][heads][size], so that merging the heads afterwards copies nothing."""
    return length * heads * size, size, heads * size, 1


def _describe_mask(mask, batch, heads, length, keys):
    """The mask as `describe` takes it, and the tensor that must outlive the call."""
    if mask.shape[3] != keys or (mask.stride(3) != 1 and keys != 1):
        mask = mask.expand(-1, -1, -1, keys).contiguous()
    mask = mask.expand(batch, heads, length, keys)
    return (TYPES[mask.dtype], mask.data_ptr(), *mask.stride()[:3]), mask


def _describe_offsets(offsets):
    """The offsets as the library takes them, how many sequences there are, and the longest."""
    offsets = offsets.to(torch.int32).contiguous()
    return offsets, offsets.shape[0] - 1, int(offsets.diff().amax()) if offsets.shape[0] > 1 else 0


def _describe(query, key, value, strides_out, mask, offsets_query, offsets_key, causal, scale):
    """The descriptor of a call, and what must outlive the call."""
    batch, heads, length, size = query.shape
    _, heads_key, length_key, size_value = value.shape
    described, kept, addresses = NO_MASK, None, NO_OFFSETS
    if mask is not None:
        described, kept = _describe_mask(mask, batch, heads, length, length_key)
    if offsets_query is not None:
        offsets_query, batch, length = _describe_offsets(offsets_query)
        offsets_key, _, length_key = _describe_offsets(offsets_key)
        kept, addresses = (offsets_query, offsets_key), (offsets_query.data_ptr(), offsets_key.data_ptr())
    return describe(TYPES[query.dtype], batch, heads, heads_key, length, length_key, size, size_value, query.stride(),
                    key.stride(), value.stride(), strides_out, scale, CAUSAL_TOP_LEFT if causal else 0, described,
                    addresses), kept


def compute(query, key, value, mask, offsets_query, offsets_key, causal, scale, want_lse=True):
    """The output and, if wanted, its log-sum-exp; plain CPU tensors only."""
    if query.stride(3) != 1 or key.stride(3) != 1 or value.stride(3) != 1:
        query, key, value = query.contiguous(), key.contiguous(), value.contiguous()
    batch, heads, length, _ = query.shape
    shape = batch, heads, length, value.shape[3]
    strides = _strides_out(*shape)
    out = torch.empty_strided(shape, strides, dtype=query.dtype)
    lse = torch.empty(shape[:3], dtype=torch.float32) if want_lse else None
    if batch and heads and length:
        descriptor, kept = _describe(query, key, value, strides, mask, offsets_query, offsets_key, causal, scale)
        library().attention(descriptor, query.data_ptr(), key.data_ptr(), value.data_ptr(), out.data_ptr(),
                            lse.data_ptr() if want_lse else None)
        del kept
    _counts.add("forward")
    return out, lse


def _gap_free(tensor):
    """A tensor and an empty one for its gradient, of the same strides."""
    gradient = torch.empty_like(tensor)
    if gradient.stride() == tensor.stride() and tensor.stride(3) == 1:
        return tensor, gradient
    tensor = tensor.contiguous() if gradient.stride(3) != 1 else gradient.copy_(tensor)
    return tensor, torch.empty_like(tensor)


def compute_backward(grad, query, key, value, out, lse, mask, offsets_query, offsets_key, causal, scale):
    """The gradients of query, key and value; plain CPU tensors only."""
    kind = query.dtype
    if kind == torch.float16:  # tsr_attention_backward takes f32 and bf16
        grad, query, key, value, out = (t.float() for t in (grad, query, key, value, out))
    (query, grad_query), (key, grad_key), (value, grad_value) = (_gap_free(t) for t in (query, key, value))
    if not (query.numel() and key.numel() and value.numel()):
        grad_query.zero_(), grad_key.zero_(), grad_value.zero_()
    else:
        if grad.stride() != out.stride():
            grad = torch.empty_strided(out.shape, out.stride(), dtype=out.dtype).copy_(grad)
        descriptor, kept = _describe(query, key, value, out.stride(), mask, offsets_query, offsets_key, causal, scale)
        operands = query, key, value, out, lse.contiguous(), grad, grad_query, grad_key, grad_value
        library().attention_backward(descriptor, *(t.data_ptr() for t in operands))
        del kept
    _counts.add("backward")
    return tuple(t.to(kind) for t in (grad_query, grad_key, grad_value))


def _fake_attention(query, key, value, mask, offsets_query, offsets_key, causal, scale):
    shape = *query.shape[:3], value.shape[3]
    return query.new_empty_strided(shape, _strides_out(*shape)), query.new_empty(shape[:3], dtype=torch.float32)


def _fake_gradient(tensor):
    gradient = torch.empty_like(tensor)
    return gradient if gradient.stride(3) == 1 else torch.empty_like(tensor, memory_format=torch.contiguous_format)


def _fake_attention_backward(grad, query, key, value, out, lse, mask, offsets_query, offsets_key, causal, scale):
    return _fake_gradient(query), _fake_gradient(key), _fake_gradient(value)


def _save(ctx, inputs, output):
    query, key, value, mask, offsets_query, offsets_key, ctx.causal, ctx.scale = inputs
    ctx.mark_non_differentiable(output[1])
    ctx.set_materialize_grads(False)
    ctx.save_for_backward(query, key, value, *output, mask, offsets_query, offsets_key)


def _differentiate(ctx, grad, _):
    gradients = torch.ops.tessera.attention_backward(grad, *ctx.saved_tensors, ctx.causal, ctx.scale)
    return (*gradients, None, None, None, None, None)


class Attention(torch.autograd.Function):
    """tessera::attention for plain tensors: the same without the dispatcher, which takes longer than a small call."""

    @staticmethod
    def forward(ctx, *inputs):
        output = compute(*inputs)
        _save(ctx, inputs, output)
        return output

    backward = staticmethod(_differentiate)


_definitions.impl("attention", compute, "CPU")
_definitions.impl("attention_backward", compute_backward, "CPU")
torch_library.register_fake("tessera::attention", _fake_attention, lib=_definitions)
torch_library.register_fake("tessera::attention_backward", _fake_attention_backward, lib=_definitions)
torch_library.register_autograd("tessera::attention", _differentiate, setup_context=_save, lib=_definitions)

attention = torch.ops.tessera.attention.default
