"""Finds libtessera and calls it."""

import ctypes
import ctypes.util
import os
import pathlib
import struct
import threading

import torch

# tsr_status, tsr_type and tsr_causal of tessera.h.
UNSUPPORTED = 2
TYPES = {torch.float32: 1, torch.float16: 3, torch.bfloat16: 4, torch.bool: 9}
CAUSAL_TOP_LEFT = 1

# struct tsr_attention_desc, in native alignment. Its first field is its own size, which the library checks.
_DESCRIPTOR = struct.Struct("@N 4i 7q 12q 2d i 3q iP3q PiP 3P P3q i 2P3q i 2q P".replace(" ", ""))

# tsr_layout of tessera/conv.h, and struct tsr_conv_desc.
CHANNELS_LAST, CHANNELS_FIRST = 0, 1
_CONV_DESCRIPTOR = struct.Struct("@N 3i 3i i i 4q 3q 3q 3q 3q 3q 3q 3q P q P i 3d 2i P q P".replace(" ", ""))
_NO_POST = (0,) * 12  # post ... plan

# tsr_order, tsr_trans and struct tsr_gemm_desc.
_ROW_MAJOR, _NO_TRANS, _TRANS = 101, 111, 112
_GEMM_DESCRIPTOR = struct.Struct("@N 4i 3q 3q 2d i P P P 2d".replace(" ", ""))


class TesseraError(RuntimeError):
    """libtessera cannot be found, or refused a call."""


class Unsupported(TesseraError):
    """No kernel of this libtessera serves the call: PyTorch's own is to be used."""


_REST = (0,) * 14  # block_table ... plan
# No mask: its type, address and strides; no ragged batch: the addresses of cu_q and cu_kv.
NO_MASK = 0, 0, 0, 0, 0
NO_OFFSETS = 0, 0


def describe(kind, batch, heads_q, heads_kv, len_q, len_kv, d_qk, d_v, stride_q, stride_k, stride_v, stride_out, scale,
             causal, mask, offsets):
    """The bytes of a tsr_attention_desc. Of each tensor's strides the first three are used."""
    return _DESCRIPTOR.pack(
        _DESCRIPTOR.size, kind, kind, kind, kind, batch, heads_q, heads_kv, len_q, len_kv, d_qk, d_v,
        *stride_q[:3], *stride_k[:3], *stride_v[:3], *stride_out[:3], scale, 0.0, causal, -1, -1, 0, *mask,
        0, 0, 0, 0, *offsets, *_REST)


def describe_conv(layout_x, layout_w, layout_y, kind, dims, transposed, batch, channels, filters, groups, size_in,
                  size_out, kernel, stride, padding, dilation):
    """The bytes of a tsr_conv_desc; sizes are sequences of `dims` numbers."""
    sizes = []
    for size, rest in ((size_in, 1), (size_out, 0), (kernel, 1), (stride, 1), (dilation, 1), (padding, 0),
                       (padding, 0)):
        sizes += (*size, *(rest,) * (3 - dims))
    return _CONV_DESCRIPTOR.pack(_CONV_DESCRIPTOR.size, kind, kind, kind, layout_x, layout_w, layout_y, dims, transposed,
                                 batch, channels, filters, groups, *sizes, *_NO_POST)


def describe_gemm(kind, trans_a, trans_b, m, n, k, lda, ldb, ldc, alpha, beta, bias):
    """The bytes of a tsr_gemm_desc for C, A and B in row-major order."""
    return _GEMM_DESCRIPTOR.pack(_GEMM_DESCRIPTOR.size, kind, _ROW_MAJOR, _TRANS if trans_a else _NO_TRANS,
                                 _TRANS if trans_b else _NO_TRANS, m, n, k, lda, ldb, ldc, alpha, beta, kind, 0, bias, 0,
                                 0.0, 0.0)


def _candidates():
    """(where, path) of each place to look, the first first."""
    here = pathlib.Path(__file__).resolve().parent
    for name in ("libtessera.so", "libtessera.so.0"):
        yield "in the package", here / name
    if system := ctypes.util.find_library("tessera"):
        yield "on the system", system
    yield "in the build folder", here.parents[2] / "build" / "libtessera.so"


def _open():
    if chosen := os.environ.get("TESSERA_LIBRARY"):
        try:
            return ctypes.CDLL(chosen), chosen
        except OSError as error:
            raise TesseraError(f"TESSERA_LIBRARY={chosen}: {error}") from None
    tried = []
    for where, path in _candidates():
        if isinstance(path, pathlib.Path) and not path.exists():
            tried.append(f"{path} ({where}): not there")
            continue
        try:
            return ctypes.CDLL(str(path)), str(path)
        except OSError as error:
            tried.append(f"{path} ({where}): {error}")
    raise TesseraError("libtessera.so is not found. Build it (./dev build) and install tessera_torch again, install it "
                       "on the system, or set TESSERA_LIBRARY to its path. Tried: " + "; ".join(tried))


class ConvPlan:
    """A tsr_conv_plan: packed weights. Its memory goes with it."""

    def __init__(self, library, handle):
        self._library, self._handle = library, handle
        self._bytes = library.conv_workspace(handle)

    def run(self, x, out):
        self._library.conv_run(self._handle, x, out, self._bytes)

    def __del__(self):
        self._library.conv_plan_destroy(self._handle)


class Library:
    """libtessera, with a context of its own, so that its number of threads is nobody else's."""

    def __init__(self):
        self._dll, self.path = _open()
        try:
            self._find_functions()
        except AttributeError as error:
            raise TesseraError(f"{self.path} is too old: it has no attention or no convolution ({error})") from None
        self._dll.tsr_set_num_threads.argtypes = [ctypes.c_void_p, ctypes.c_int]
        for name in ("tsr_last_error", "tsr_version", "tsr_status_string", "tsr_context_isa"):
            getattr(self._dll, name).restype = ctypes.c_char_p
        self._dll.tsr_context_isa.argtypes = [ctypes.c_void_p]
        isa = os.environb.get(b"TESSERA_ISA")
        if isa and isa.startswith(b"accel"):
            raise TesseraError(f"TESSERA_ISA is {isa.decode()}: PyTorch's tensors are not in the memory of a device")
        context = ctypes.c_void_p()
        self._dll.tsr_context_create.argtypes = [ctypes.c_char_p, ctypes.POINTER(ctypes.c_void_p)]
        self._check(self._dll.tsr_context_create(isa, ctypes.byref(context)))
        self._context = context.value
        self._threads = 0
        self._use_torch_team()
        self.version = self._dll.tsr_version().decode()
        self.isa = self._dll.tsr_context_isa(self._context).decode()

    def _find_functions(self):
        dll, pointer = self._dll, ctypes.c_void_p
        self._forward, self._backward = dll.tsr_attention, dll.tsr_attention_backward
        self._conv, self._conv_plan_create, self._conv_run = dll.tsr_conv, dll.tsr_conv_plan_create, dll.tsr_conv_run
        self._conv_backward_data, self._conv_backward_weights = dll.tsr_conv_backward_data, dll.tsr_conv_backward_weights
        self.conv_workspace, self.conv_plan_destroy = dll.tsr_conv_plan_workspace, dll.tsr_conv_plan_destroy
        self._gemm = dll.tsr_gemm
        for function, arguments in ((self._forward, 7), (self._backward, 11), (self._conv, 6),
                                    (self._conv_plan_create, 5), (self._conv_run, 5), (self._conv_backward_data, 5),
                                    (self._conv_backward_weights, 6), (self.conv_workspace, 1), (self.conv_plan_destroy, 1), (self._gemm, 5)):
            function.argtypes = [pointer] * arguments
        self.conv_workspace.restype = ctypes.c_size_t
        self.conv_plan_destroy.restype = None
        self._workspaces = threading.local()

    def _check(self, status):
        if status:
            message = (self._dll.tsr_last_error() or self._dll.tsr_status_string(status)).decode()
            raise (Unsupported if status == UNSUPPORTED else TesseraError)(f"libtessera: {message}")

    def _use_torch_team(self):
        """Runs on PyTorch's OpenMP threads. They spin for milliseconds after each of PyTorch's operators, where other
        threads would wait for a core."""
        torch_cpu = ctypes.CDLL(str(pathlib.Path(torch.__file__).parent / "lib" / "libtorch_cpu.so"))
        try:  # a symbol of the runtime that PyTorch is linked to; other runtimes may be loaded as well
            parallel = ctypes.cast(torch_cpu.GOMP_parallel, ctypes.c_void_p)
            refuses = torch_cpu.omp_get_dynamic() or torch_cpu.omp_get_thread_limit() < 512
        except AttributeError:
            return  # another kind of threads: Tessera's own then
        if not refuses:
            team = ctypes.cast(self._dll.tsr_openmp_parallel_for, ctypes.c_void_p)
            self._dll.tsr_set_parallel_for.argtypes = [ctypes.c_void_p] * 3
            self._check(self._dll.tsr_set_parallel_for(self._context, team, parallel))

    def _use_torch_threads(self):
        # A caller that asks for another number changes that of the calls that run beside it: their speed, not a bit.
        threads = torch.get_num_threads()
        if threads != self._threads:
            self._check(self._dll.tsr_set_num_threads(self._context, threads))
            self._threads = threads

    def attention(self, descriptor, *operands):
        self._use_torch_threads()
        status = self._forward(self._context, descriptor, *operands)
        if status:
            self._check(status)

    def attention_backward(self, descriptor, *operands):
        self._use_torch_threads()
        self._check(self._backward(self._context, descriptor, *operands))

    def conv(self, descriptor, *operands):
        self._use_torch_threads()
        status = self._conv(self._context, descriptor, *operands)
        if status:
            self._check(status)

    def conv_plan(self, descriptor, weights, bias):
        self._use_torch_threads()
        handle = ctypes.c_void_p()
        self._check(self._conv_plan_create(self._context, descriptor, weights, bias, ctypes.byref(handle)))
        return ConvPlan(self, handle.value)

    def _workspace(self, size):
        """The address of so many bytes of the calling thread's own, aligned to 64."""
        kept = getattr(self._workspaces, "kept", None)
        if kept is None or kept.nbytes < size + 64:
            kept = self._workspaces.kept = torch.empty(size + 64, dtype=torch.uint8)
        return (kept.data_ptr() + 63) & ~63

    def conv_run(self, plan, x, out, workspace):
        status = self._conv_run(plan, x, None, out, self._workspace(workspace))
        if status:
            self._check(status)

    def conv_backward_data(self, descriptor, *operands):
        self._use_torch_threads()
        self._check(self._conv_backward_data(self._context, descriptor, *operands))

    def conv_backward_weights(self, descriptor, *operands):
        self._use_torch_threads()
        self._check(self._conv_backward_weights(self._context, descriptor, *operands))

    def gemm(self, descriptor, a, b, c):
        self._use_torch_threads()
        status = self._gemm(self._context, descriptor, a, b, c)
        if status:
            self._check(status)


_library = None
_lock = threading.Lock()


def library():
    """The one Library of this process, opened when it is first asked for."""
    global _library
    if _library is None:
        with _lock:
            if _library is None:
                _library = Library()
    return _library
