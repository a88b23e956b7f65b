"""ONNX's own cases of its Attention operator (opsets 23 to 25), computed by tsr_attention through the C API.

usage: attention_cases.py LIBRARY [--table]     ends with 77 where the onnx wheel is missing
"""
import ctypes
from ctypes import c_char_p, c_double, c_int, c_int64, c_size_t, c_void_p

from cases import TYPES, attributes_of, call, main

import numpy as np

NOT_CAUSAL, BOTTOM_RIGHT = 0, 2
STRIDES = c_int64 * 3


class Desc(ctypes.Structure):
    """tsr_attention_desc of tessera/attention.h."""

    _fields_ = [
        ("size", c_size_t),
        ("type_q", c_int), ("type_k", c_int), ("type_v", c_int), ("type_out", c_int),
        ("batch", c_int64), ("heads_q", c_int64), ("heads_kv", c_int64), ("len_q", c_int64), ("len_kv", c_int64),
        ("d_qk", c_int64), ("d_v", c_int64),
        ("stride_q", STRIDES), ("stride_k", STRIDES), ("stride_v", STRIDES), ("stride_out", STRIDES),
        ("scale", c_double), ("softcap", c_double), ("causal", c_int),
        ("window_left", c_int64), ("window_right", c_int64), ("prefix", c_int64),
        ("mask_type", c_int), ("mask", c_void_p), ("stride_mask", STRIDES),
        ("alibi", c_void_p), ("alibi_scales_mask", c_int), ("sinks", c_void_p),
        ("kv_lens", c_void_p), ("cu_q", c_void_p), ("cu_kv", c_void_p),
        ("block_table", c_void_p), ("stride_table", c_int64), ("page_size", c_int64), ("pages", c_int64),
        ("layout_k", c_int), ("scales_k", c_void_p), ("scales_v", c_void_p), ("stride_scales", STRIDES),
        ("result", c_int), ("first_key", c_int64), ("all_keys", c_int64), ("plan", c_char_p),
    ]


def strides(array):
    """Batch, head and row of a 4-D array, in elements."""
    return STRIDES(*(step // array.itemsize for step in array.strides[:3]))


def by_head(x, heads):
    """3-D inputs hold the heads of a row side by side; 4-D ones are [batch][head][row][d] already."""
    if x.ndim == 4:
        return x
    return x.reshape(x.shape[0], x.shape[1], heads, -1).transpose(0, 2, 1, 3)


def padded(mask, keys):
    """A mask for all keys: those it does not name are masked."""
    missing = keys - mask.shape[-1]
    if missing > 0:
        fill = False if mask.dtype == np.bool_ else -np.inf
        mask = np.pad(mask, [(0, 0)] * (mask.ndim - 1) + [(0, missing)], constant_values=fill)
    return mask


def attention(library, node, inputs):
    """The operator's outputs Y, present_key and present_value."""
    attributes = attributes_of(node)
    q, k, v = (by_head(inputs[name], attributes.get(heads)) for name, heads in
               (("Q", "q_num_heads"), ("K", "kv_num_heads"), ("V", "kv_num_heads")))
    past = inputs["past_key"].shape[2] if "past_key" in inputs else 0
    if past:
        k = np.concatenate((inputs["past_key"], k), axis=2)
        v = np.concatenate((inputs["past_value"], v), axis=2)
    batch, heads, queries, _ = q.shape
    flat = inputs["Q"].ndim == 3
    out = np.empty((batch, queries, heads, v.shape[3]), q.dtype).transpose(0, 2, 1, 3)
    d = Desc(size=ctypes.sizeof(Desc), type_q=TYPES[q.dtype.name], type_k=TYPES[k.dtype.name],
             type_v=TYPES[v.dtype.name], type_out=TYPES[out.dtype.name], batch=batch, heads_q=heads,
             heads_kv=k.shape[1], len_q=queries, len_kv=k.shape[2], d_qk=q.shape[3], d_v=v.shape[3],
             stride_q=strides(q), stride_k=strides(k), stride_v=strides(v), stride_out=strides(out),
             scale=attributes.get("scale", 0), softcap=attributes.get("softcap", 0),
             window_left=attributes.get("left_window_size", -1), window_right=attributes.get("right_window_size", -1))
    # Query i stands at position past + i; with nonpad_kv_seqlen at the end of the sequence's keys.
    d.causal = BOTTOM_RIGHT if attributes.get("is_causal") else NOT_CAUSAL
    d.all_keys = past + queries
    if "nonpad_kv_seqlen" in inputs:
        lengths = inputs["nonpad_kv_seqlen"].astype(np.int32)
        d.kv_lens, d.all_keys = lengths.ctypes.data, 0
    if "attn_mask" in inputs:
        mask = np.broadcast_to(padded(inputs["attn_mask"], k.shape[2]), (batch, heads, queries, k.shape[2]))
        d.mask_type, d.mask, d.stride_mask = TYPES[mask.dtype.name], mask.ctypes.data, strides(mask)
    call(library, "tsr_attention", None, ctypes.byref(d), c_void_p(q.ctypes.data), c_void_p(k.ctypes.data),
         c_void_p(v.ctypes.data), c_void_p(out.ctypes.data), None)
    y = out.transpose(0, 2, 1, 3).reshape(batch, queries, -1) if flat else out
    return {"Y": y, "present_key": k, "present_value": v}


if __name__ == "__main__":
    main({"Attention"}, attention)
