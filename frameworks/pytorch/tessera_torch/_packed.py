"""Weights that are packed once and used many times, as long as they stay what they were.

A weight is packed when it comes a second time with the same version counter, and anew when that counter has moved:
weights that are trained change in every step and are not packed. What changes a weight behind PyTorch's back
(`weight.data.mul_()`, a NumPy view) is noticed by samples of its bytes, which nearly all such changes touch;
forget_weights() is for the rest."""

import collections
import ctypes
import threading
import weakref

import torch

MOST_BYTES = 1 << 30  # of weights that are packed; the packed ones take about as much
_MOST_ENTRIES = 4096
_SAMPLES, _SAMPLE_BYTES = 4, 32

_lock = threading.Lock()
_entries = collections.OrderedDict()  # the one that was used longest ago first
_dead = collections.deque()           # keys of entries whose weight is gone
_bytes = 0


class _Entry:
    __slots__ = ("call", "weight", "bias", "state", "plan", "bytes")


def _sample(tensor):
    """A few bytes of a tensor without gaps, from all over it."""
    at, size = tensor.data_ptr(), tensor.nbytes
    if size <= _SAMPLES * _SAMPLE_BYTES:
        return ctypes.string_at(at, size)
    step = (size - _SAMPLE_BYTES) // (_SAMPLES - 1)
    return b"".join([ctypes.string_at(at + i * step, _SAMPLE_BYTES) for i in range(_SAMPLES)])


def _state(weight, bias):
    state = weight._version, weight.data_ptr(), _sample(weight)
    return state if bias is None else (*state, bias._version, bias.data_ptr(), _sample(bias))


def _drop(key):
    global _bytes
    entry = _entries.pop(key, None)
    if entry is not None:
        _bytes -= entry.bytes


def _keep(key, entry, size):
    """Puts an entry in the place of what is there; those not used for long make room."""
    global _bytes
    with _lock:
        while _dead:
            _drop(_dead.popleft())
        _drop(key)
        _entries[key], entry.bytes = entry, size
        _bytes += entry.bytes
        while (_bytes > MOST_BYTES or len(_entries) > _MOST_ENTRIES) and len(_entries) > 1:
            _drop(next(iter(_entries)))


def _is_fit(tensor):
    return tensor is None or (not tensor.is_inference() and tensor.is_contiguous())


def plan(call, weight, bias, pack):
    """The plan that pack(call, weight, bias) has made or makes now; None if the weight comes for the first time, or
    cannot be watched. `weight` has no gaps."""
    if weight.is_inference() or not _is_fit(bias):
        return None
    key = id(call), id(weight), id(bias), torch.get_num_threads()
    state = _state(weight, bias)
    entry = _entries.get(key)
    # An id may be another object's by now.
    if (entry is not None and entry.state == state and entry.call is call and entry.weight() is weight
            and (bias is None or entry.bias() is bias)):
        if entry.plan is None:
            entry.plan = pack(call, weight, bias)
            _keep(key, entry, weight.nbytes)
        else:
            try:
                _entries.move_to_end(key)
            except KeyError:  # another thread has dropped it
                pass
        return entry.plan
    entry = _Entry()
    entry.call, entry.state, entry.plan, entry.bytes = call, state, None, 0
    entry.weight = weakref.ref(weight, lambda _: _dead.append(key))
    entry.bias = None if bias is None else weakref.ref(bias)
    _keep(key, entry, 0)
    return None


def forget_weights():
    """Drops all packed weights: to be called after weights have been changed behind PyTorch's back."""
    global _bytes
    with _lock:
        _entries.clear()
        _dead.clear()
        _bytes = 0
