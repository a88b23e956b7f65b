"""What the runners of ONNX's own cases share: the wheel, the library, and the loop over cases."""
import ctypes
import sys
import warnings

try:
    import onnx
    from onnx.backend.test.case.node import collect_testcases
    from onnx.backend.test.runner import Runner
except ImportError as missing:
    print(f"skipped: {missing} (pip install onnx)")
    sys.exit(77)

F32, F64, F16, BF16, S8, S32, BOOL, U8 = 1, 2, 3, 4, 5, 6, 9, 10
TYPES = {"float32": F32, "float64": F64, "float16": F16, "bfloat16": BF16, "int8": S8, "int32": S32, "bool": BOOL,
         "uint8": U8}


def call(library, function, *arguments):
    """Calls a function of the C API; what it says is the error."""
    if getattr(library, function)(*arguments):
        library.tsr_last_error.restype = ctypes.c_char_p
        raise RuntimeError(library.tsr_last_error().decode())


def attributes_of(node):
    return {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}


def run(library, case, compute):
    """Compares one case as ONNX's runner does; returns the outputs that were not computed."""
    node = case.model.graph.node[0]
    left_out = set()
    for given, expected in case.data_sets:
        inputs = dict(zip([name for name in node.input if name], given))
        got = compute(library, node, inputs)
        for name, want in zip([name for name in node.output if name], expected):
            if name in got:
                Runner.assert_similar_outputs([want], [got[name]], case.rtol, case.atol)
            else:
                left_out.add(name)
    return left_out


def main(operators, compute):
    """usage: <file> LIBRARY [--table]. compute(library, node, inputs by name) gives outputs by name."""
    warnings.simplefilter("ignore")
    library, table = ctypes.CDLL(sys.argv[1]), "--table" in sys.argv
    count = {"passed": 0, "FAILED": 0}
    for case in collect_testcases(None):
        if case.model is None or case.name.endswith("_expanded") or case.model.graph.node[0].op_type not in operators:
            continue
        try:
            left_out = run(library, case, compute)
            result = "passed but for " + ", ".join(left_out) if left_out else "passed"
        except Exception as error:  # an assertion of ONNX's runner, or a refused call
            result = "FAILED"
            print(f"{case.name}: {error}")
        count[result] = count.get(result, 0) + 1
        if table:
            print(f"| {case.name} | {case.model.opset_import[0].version} | {result} |")
    print(f"onnx {onnx.__version__}: " + ", ".join(f"{n} {what}" for what, n in count.items()))
    sys.exit(1 if count["FAILED"] or not count["passed"] else 0)
