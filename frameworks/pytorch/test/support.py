"""What the tests share. Without PyTorch they are skipped: exit status 77."""

import os
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
# What is compiled here is not to be found by others, nor what others have compiled here.
os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", tempfile.mkdtemp(prefix="tessera-torch-"))

try:
    import torch
except ModuleNotFoundError:
    print("skipped: this Python has no PyTorch (pip install torch; ./dev test does it where a CPU wheel is to be had)")
    sys.exit(77)

import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

import tessera_torch

# The largest error that is allowed, as a share of the largest number of the result.
FORWARD = {torch.float32: 2.0**-19, torch.float16: 2.0**-11, torch.bfloat16: 2.0**-8}
BACKWARD = {torch.float32: 2.0**-18, torch.float16: 2.0**-9, torch.bfloat16: 2.0**-6}


def random(*shape, dtype=torch.float32, grad=False):
    return torch.randn(*shape).to(dtype).requires_grad_(grad)


def in_f64(tensor):
    return tensor.detach().double().requires_grad_(tensor.requires_grad) if tensor.is_floating_point() else tensor


def reference(query, key, value, attn_mask=None, **options):
    """PyTorch's unfused attention in float64. Call it after `routed`: it counts, too."""
    query, key, value = (t.double() for t in (query, key, value))
    if attn_mask is not None and attn_mask.is_floating_point():
        attn_mask = attn_mask.double()
    with sdpa_kernel(SDPBackend.MATH):
        result = F.scaled_dot_product_attention(query, key, value, attn_mask, **options)
    tessera_torch.reset_counts()
    return result


def error(result, expected):
    """The largest error, as a share of the largest number expected; NaN and infinities are errors."""
    assert result.shape == expected.shape, f"{tuple(result.shape)}, not {tuple(expected.shape)}"
    if not expected.numel():
        return 0.0
    largest = expected.abs().max().item() or 1.0
    off = (result.double() - expected).abs().max().item() / largest
    return off if off == off else float("inf")


def routed(calls=1):
    """Asserts that this many calls have been computed by Tessera, and none by PyTorch, since the last time."""
    counts = tessera_torch.counts()
    tessera_torch.reset_counts()
    assert counts["forward"] == calls and not counts["fallback"], f"{counts}, not {calls} calls forward"
