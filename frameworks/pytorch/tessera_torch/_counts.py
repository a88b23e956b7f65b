"""How many calls Tessera has computed, and how many PyTorch, and why."""

import threading

_lock = threading.Lock()
_computed = {}  # {(operator, what): calls}
_fallbacks = {}  # {(operator, reason): calls}


def add(what, operator="attention"):
    with _lock:
        _computed[operator, what] = _computed.get((operator, what), 0) + 1


def add_fallback(reason, operator="attention"):
    with _lock:
        _fallbacks[operator, reason] = _fallbacks.get((operator, reason), 0) + 1


def counts(operator="attention"):
    """The calls of "attention", "convolution" or "linear" since the last reset: {"forward": computed by Tessera,
    "backward": the same, "fallback": {reason: calls left to PyTorch}}. Products of matrices, forward or backward, are all
    counted as forward. What a compiled function leaves to PyTorch is counted once, when it is compiled."""
    with _lock:
        return {"forward": _computed.get((operator, "forward"), 0), "backward": _computed.get((operator, "backward"), 0),
                "fallback": {reason: n for (of, reason), n in _fallbacks.items() if of == operator}}


def reset_counts():
    with _lock:
        _computed.clear()
        _fallbacks.clear()
