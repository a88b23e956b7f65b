"""ONNX's own cases of its Attention operator (opsets 23 to 25), computed by tsr_attention through the C API.

usage: attention_cases.py LIBRARY [--table]     ends with 77 where the onnx wheel is missing
"""
import ctypes
import sys
import warnings
from ctypes import POINTER, c_char_p, c_double, c_float, c_int, c_int32, c_int64, c_size_t, c_void_p

try:
    import numpy as np
    import onnx
    from onnx.backend.test.case.node import collect_testcases
    from onnx.backend.test.runner import Runner
except ImportError as missing:
    print(f"skipped: {missing} (pip install onnx)")
    sys.exit(77)

F32, F16, BF16, BOOL = 1, 3, 4, 9
TYPES = {"float32": F32, "float16": F16, "bfloat16": BF16, "bool": BOOL}
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


def load(path):
    library = ctypes.CDLL(path)
    library.tsr_attention.argtypes = [c_void_p, POINTER(Desc)] + [c_void_p] * 4 + [POINTER(c_float)]
    library.tsr_last_error.restype = c_char_p
    return library


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


def attention(library, inputs, attributes):
    """The operator's outputs Y, present_key and present_value."""
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
    status = library.tsr_attention(None, ctypes.byref(d), q.ctypes.data, k.ctypes.data, v.ctypes.data, out.ctypes.data,
                                   None)
    if status:
        raise RuntimeError(library.tsr_last_error().decode())
    y = out.transpose(0, 2, 1, 3).reshape(batch, queries, -1) if flat else out
    return {"Y": y, "present_key": k, "present_value": v}


def cases():
    for case in collect_testcases(None):
        if case.name.startswith("test_attention") and not case.name.endswith("_expanded"):
            yield case


def run(library, case):
    """Compares one case as ONNX's runner does; returns the outputs that were not computed."""
    node = case.model.graph.node[0]
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    left_out = set()
    for given, expected in case.data_sets:
        inputs = dict(zip([name for name in node.input if name], given))
        got = attention(library, inputs, attributes)
        for name, want in zip([name for name in node.output if name], expected):
            if name in got:
                Runner.assert_similar_outputs([want], [got[name]], case.rtol, case.atol)
            else:
                left_out.add(name)
    return left_out


def main():
    library, table = load(sys.argv[1]), "--table" in sys.argv
    count = {"passed": 0, "passed but for qk_matmul_output": 0, "FAILED": 0}
    for case in cases():
        try:
            left_out = run(library, case)
            result = "passed but for " + ", ".join(left_out) if left_out else "passed"
        except Exception as error:  # an assertion of ONNX's runner, or a refused call
            result = "FAILED"
            print(f"{case.name}: {error}")
        count[result] += 1
        if table:
            print(f"| {case.name} | {case.model.opset_import[0].version} | {result} |")
    print(f"onnx {onnx.__version__}: " + ", ".join(f"{n} {what}" for what, n in count.items()))
    return 1 if count["FAILED"] or not count["passed"] else 0


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    sys.exit(main())
