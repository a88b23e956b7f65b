"""ONNX's own cases of Conv, ConvTranspose, ConvInteger, QLinearConv, Gemm, MatMulInteger and QLinearMatMul, computed by
tsr_conv and tsr_gemm through the C API.

usage: conv_cases.py LIBRARY [--table]     ends with 77 where the onnx wheel is missing
"""
import ctypes
from ctypes import c_char_p, c_double, c_int, c_int32, c_int64, c_size_t, c_void_p

from cases import S8, TYPES, attributes_of, call, main

import numpy as np

SIZES = c_int64 * 3
CHANNELS_LAST, CHANNELS_FIRST = 0, 1
ROW_MAJOR, NO_TRANS, TRANS = 101, 111, 112


class PostOps(ctypes.Structure):
    """tsr_post_ops of tessera/conv.h."""

    _fields_ = [("scale", c_void_p), ("scales", c_int64), ("add", c_void_p), ("activation", c_int), ("low", c_double),
                ("high", c_double), ("slope", c_double)]


class ConvDesc(ctypes.Structure):
    """tsr_conv_desc of tessera/conv.h."""

    _fields_ = [("size", c_size_t), ("type_x", c_int), ("type_w", c_int), ("type_y", c_int), ("layout_x", c_int),
                ("layout_w", c_int), ("layout_y", c_int), ("dims", c_int), ("transposed", c_int), ("batch", c_int64),
                ("channels", c_int64), ("filters", c_int64), ("groups", c_int64), ("in_", SIZES), ("out", SIZES),
                ("kernel", SIZES), ("stride", SIZES), ("dilation", SIZES), ("pad_begin", SIZES), ("pad_end", SIZES),
                ("post", PostOps), ("zero_x", c_int32), ("zero_y", c_int32), ("zero_w", c_void_p), ("zeros_w", c_int64),
                ("plan", c_char_p)]


class GemmDesc(ctypes.Structure):
    """tsr_gemm_desc of tessera/tessera.h."""

    _fields_ = [("size", c_size_t), ("type", c_int), ("order", c_int), ("trans_a", c_int), ("trans_b", c_int),
                ("m", c_int64), ("n", c_int64), ("k", c_int64), ("lda", c_int64), ("ldb", c_int64), ("ldc", c_int64),
                ("alpha", c_double), ("beta", c_double), ("type_c", c_int), ("plan", c_char_p), ("bias", c_void_p),
                ("post", c_void_p), ("alpha_im", c_double), ("beta_im", c_double)]


def at(array):
    return c_void_p(array.ctypes.data) if array is not None else None


def same_padding(total, upper):
    """Begin and end of a padding that is to be even."""
    small, large = total // 2, total - total // 2
    return (small, large) if upper else (large, small)


def paddings(mode, attributes, sizes, kernel, stride, dilation, out):
    """Begin and end of each dimension. `out`: what a transposed convolution is to give, or None."""
    dims = len(sizes)
    if mode in (b"NOTSET", b"VALID") and out is None:
        pads = attributes.get("pads", [0] * 2 * dims)
        return pads[:dims], pads[dims:]
    pairs = []
    for i in range(dims):
        reach = dilation[i] * (kernel[i] - 1) + 1
        if out is None:
            total = max(0, (-(-sizes[i] // stride[i]) - 1) * stride[i] + reach - sizes[i])
        else:
            total = max(0, (sizes[i] - 1) * stride[i] + attributes.get("output_padding", [0] * dims)[i] + reach - out[i])
        pairs.append(same_padding(total, mode != b"SAME_LOWER"))
    return [begin for begin, _ in pairs], [end for _, end in pairs]


def geometry(node, x, w):
    """A descriptor of a convolution of x by w, all with channels first, and the sizes of y where they are given."""
    attributes, dims = attributes_of(node), x.ndim - 2
    transposed = node.op_type == "ConvTranspose"
    kernel, sizes = list(w.shape[2:]), list(x.shape[2:])
    stride, dilation = attributes.get("strides", [1] * dims), attributes.get("dilations", [1] * dims)
    groups, mode = attributes.get("group", 1), attributes.get("auto_pad", b"NOTSET")
    out = attributes.get("output_shape")
    if transposed and mode in (b"SAME_UPPER", b"SAME_LOWER"):
        out = [n * s for n, s in zip(sizes, stride)]
    begin, end = paddings(mode, attributes, sizes, kernel, stride, dilation, out if transposed else None)
    d = ConvDesc(size=ctypes.sizeof(ConvDesc), type_x=TYPES[x.dtype.name], type_w=TYPES[w.dtype.name],
                 layout_x=CHANNELS_FIRST, layout_w=CHANNELS_FIRST, layout_y=CHANNELS_FIRST, dims=dims,
                 transposed=int(transposed), batch=x.shape[0], channels=x.shape[1], groups=groups,
                 filters=w.shape[1] * groups if transposed else w.shape[0])
    for name, values in (("in_", sizes), ("kernel", kernel), ("stride", stride), ("dilation", dilation),
                         ("pad_begin", begin), ("pad_end", end)):
        setattr(d, name, SIZES(*values))
    if transposed and not out and "output_padding" in attributes:
        out = [(sizes[i] - 1) * stride[i] + dilation[i] * (kernel[i] - 1) + 1 - begin[i] - end[i] +
               attributes["output_padding"][i] for i in range(dims)]
    return d, out if transposed else None


def convolve(library, d, out, x, w, bias, dtype):
    call(library, "tsr_conv_set_out", ctypes.byref(d))
    d.out = SIZES(*(out or d.out))
    y = np.empty((d.batch, d.filters, *d.out[: d.dims]), dtype)
    call(library, "tsr_conv", None, ctypes.byref(d), at(x), at(w), at(bias), at(y))
    return y


def conv(library, node, inputs):
    x, w, bias = (list(inputs.values()) + [None])[:3]
    x, w = np.ascontiguousarray(x), np.ascontiguousarray(w)
    d, out = geometry(node, x, w)
    return {node.output[0]: convolve(library, d, out, x, w, bias, x.dtype)}


def signed(w, zero):
    """Weights and their zero points as s8: u8 less 128."""
    zero = np.zeros(1, np.int32) if zero is None else np.atleast_1d(zero).astype(np.int32)
    if w.dtype == np.uint8:
        return (w.astype(np.int16) - 128).astype(np.int8), zero - 128
    return np.ascontiguousarray(w), zero


def of_integers(d, x_zero, zero_w):
    d.type_w, d.zero_x = S8, int(x_zero) if x_zero is not None else 0
    d.zero_w, d.zeros_w = zero_w.ctypes.data, zero_w.size


def conv_integer(library, node, inputs):
    x, w, x_zero, w_zero = (list(inputs.values()) + [None, None])[:4]
    d, out = geometry(node, x, w)
    w, zero_w = signed(w, w_zero)
    of_integers(d, x_zero, zero_w)
    return {node.output[0]: convolve(library, d, out, np.ascontiguousarray(x), w, None, np.int32)}


def requantised(d, x_scale, w_scale, y_scale, y_zero):
    """post.scale, which must outlive the call."""
    scale = (np.float32(x_scale) * np.atleast_1d(w_scale).astype(np.float32) / np.float32(y_scale)).astype(np.float32)
    d.type_y, d.zero_y = TYPES[y_zero.dtype.name], int(y_zero)
    d.post.scale, d.post.scales = scale.ctypes.data, scale.size
    return scale


def qlinear_conv(library, node, inputs):
    x, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero, bias = (list(inputs.values()) + [None])[:9]
    d, out = geometry(node, x, w)
    w, zero_w = signed(w, w_zero)
    of_integers(d, x_zero, zero_w)
    scale = requantised(d, x_scale, w_scale, y_scale, y_zero)
    y = convolve(library, d, out, np.ascontiguousarray(x), w, bias, y_zero.dtype)
    del scale
    return {node.output[0]: y}


def matrix_as_conv(a, b):
    """A times B as a convolution of rows with the channels last: B's columns are filters."""
    w, m = np.ascontiguousarray(b.T), a.shape[0]
    d = ConvDesc(size=ctypes.sizeof(ConvDesc), type_x=TYPES[a.dtype.name], type_w=TYPES[w.dtype.name], dims=1, batch=1,
                 channels=a.shape[1], filters=w.shape[0], groups=1)
    for name, value in (("in_", m), ("kernel", 1), ("stride", 1), ("dilation", 1)):
        setattr(d, name, SIZES(value, 1, 1))
    return d, w


def one_product(library, a, b, a_zero, b_zero, requantise, dtype):
    d, w = matrix_as_conv(a, b)
    w, zero_w = signed(w, b_zero)
    of_integers(d, a_zero, zero_w)
    scale = requantise(d) if requantise else None
    y = convolve(library, d, None, np.ascontiguousarray(a), w, None, dtype)
    del scale
    return y.reshape(-1, d.filters)


def products(library, a, b, *rest):
    if a.ndim == 2:
        return one_product(library, a, b, *rest)
    return np.stack([products(library, *pair, *rest) for pair in zip(a, b)])


def scalar(x):
    return None if x is None else np.asarray(x).reshape(-1)[0]


def matmul_integer(library, node, inputs):
    a, b, a_zero, b_zero = (list(inputs.values()) + [None, None])[:4]
    return {node.output[0]: products(library, a, b, scalar(a_zero), b_zero, None, np.int32)}


def qlinear_matmul(library, node, inputs):
    a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero = inputs.values()
    y_zero = np.asarray(y_zero).reshape(-1)[0]
    y = products(library, a, b, scalar(a_zero), b_zero,
                 lambda d: requantised(d, scalar(a_scale), b_scale, scalar(y_scale), y_zero), y_zero.dtype)
    return {node.output[0]: y}


def gemm(library, node, inputs):
    attributes = attributes_of(node)
    a, b, c = (list(inputs.values()) + [None])[:3]
    a, b = np.ascontiguousarray(a), np.ascontiguousarray(b)
    trans_a, trans_b = attributes.get("transA", 0), attributes.get("transB", 0)
    m, k = a.shape[::-1] if trans_a else a.shape
    n = b.shape[0] if trans_b else b.shape[1]
    y = np.empty((m, n), a.dtype)
    d = GemmDesc(size=ctypes.sizeof(GemmDesc), type=TYPES[a.dtype.name], order=ROW_MAJOR,
                 trans_a=TRANS if trans_a else NO_TRANS, trans_b=TRANS if trans_b else NO_TRANS, m=m, n=n, k=k,
                 lda=a.shape[1], ldb=b.shape[1], ldc=n, alpha=attributes.get("alpha", 1.0))
    bias = None
    if c is not None and c.size == n and c.shape[-1:] == (n,) and m > 1 and attributes.get("beta", 1.0) == 1:
        bias = np.ascontiguousarray(c.reshape(-1))  # one for each column: fused
        d.bias = bias.ctypes.data
    elif c is not None:
        y[:] = c
        d.beta = attributes.get("beta", 1.0)
    call(library, "tsr_gemm", None, ctypes.byref(d), at(a), at(b), at(y))
    del bias
    return {node.output[0]: y}


OPERATORS = {"Conv": conv, "ConvTranspose": conv, "ConvInteger": conv_integer, "QLinearConv": qlinear_conv, "Gemm": gemm,
             "MatMulInteger": matmul_integer, "QLinearMatMul": qlinear_matmul}

if __name__ == "__main__":
    main(OPERATORS, lambda library, node, inputs: OPERATORS[node.op_type](library, node, inputs))
