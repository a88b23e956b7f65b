"""Products of matrices on Tessera: what takes the place of aten::addmm and aten::mm on the CPU. Linear layers arrive
there, forward and backward."""

import torch

from . import _counts
from ._library import TYPES, TesseraError, describe_gemm, library

_FLOATS = (torch.float32, torch.bfloat16, torch.float16)

_addmm = torch.ops.aten.addmm.default
_mm = torch.ops.aten.mm.default
OPERATORS = _addmm, _mm


def _lie(matrix):
    """The matrix or a copy of it, whether it is to be transposed, and its leading dimension."""
    (rows, cols), (down, across) = matrix.shape, matrix.stride()
    if (across == 1 or cols == 1) and (down >= cols or rows == 1):
        return matrix, False, max(down, cols)
    if (down == 1 or rows == 1) and (across >= rows or cols == 1):
        return matrix, True, max(across, rows)
    return matrix.contiguous(), False, cols


def _why_not(a, b):
    if a.dtype not in _FLOATS:
        return str(a.dtype)
    if b.dtype != a.dtype:
        return "different types"
    if a.dim() != 2 or b.dim() != 2 or a.shape[1] != b.shape[0] or not a.numel() or not b.numel():
        return "shapes"
    return None


def _multiply(a, b, out, alpha=1, beta=0, bias=None):
    (m, k), n = a.shape, b.shape[1]
    a, trans_a, lda = _lie(a)
    b, trans_b, ldb = _lie(b)
    descriptor = describe_gemm(TYPES[a.dtype], trans_a, trans_b, m, n, k, lda, ldb, n, alpha, beta,
                               0 if bias is None else bias.data_ptr())
    library().gemm(descriptor, a.data_ptr(), b.data_ptr(), out.data_ptr())
    _counts.add("forward", "linear")
    return out


def _mm_kernel(own, keys, a, b):
    reason = _why_not(a, b)
    if reason is None:
        try:
            return _multiply(a, b, torch.empty((a.shape[0], b.shape[1]), dtype=a.dtype))
        except TesseraError as error:
            reason = str(error)
    _counts.add_fallback(reason, "linear")
    return own.call_boxed(keys, a, b)


def _add_multiply(c, a, b, beta, alpha):
    shape = a.shape[0], b.shape[1]
    if beta == 1 and alpha == 1 and c.dim() == 1 and c.shape[0] == shape[1]:
        # What the sums begin with; in f32 for 16-bit matrices too.
        return _multiply(a, b, torch.empty(shape, dtype=a.dtype), bias=c.to(torch.float32).contiguous())
    out = torch.empty(shape, dtype=a.dtype)
    if beta != 0:
        out.copy_(c)
    return _multiply(a, b, out, alpha, beta)


def _addmm_kernel(own, keys, c, a, b, *, beta=1, alpha=1):
    reason = _why_not(a, b)
    if reason is None and c.dtype != a.dtype:
        reason = "different types"
    if reason is None and (c.dim() > 2 or any(n not in (1, m) for n, m in
                                              zip(reversed(c.shape), (b.shape[1], a.shape[0])))):
        reason = "shapes"
    if reason is None:
        try:
            return _add_multiply(c, a, b, beta, alpha)
        except TesseraError as error:
            reason = str(error)
    _counts.add_fallback(reason, "linear")
    return own.call_boxed(keys, c, a, b, beta=beta, alpha=alpha)


def kernels():
    """(operator, kernel that gets PyTorch's own and the dispatch keys first)."""
    return ((_addmm, _addmm_kernel), (_mm, _mm_kernel))
