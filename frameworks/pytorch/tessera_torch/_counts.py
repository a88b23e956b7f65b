"""How many calls Tessera has computed, and how many PyTorch, and why."""

import threading

_lock = threading.Lock()
_computed = {}
_fallbacks = {}


def add(what):
    with _lock:
        _computed[what] = _computed.get(what, 0) + 1


def add_fallback(reason):
    with _lock:
        _fallbacks[reason] = _fallbacks.get(reason, 0) + 1


def counts():
    """The calls since the last reset: {"forward": computed by Tessera, "backward": the same, "fallback": {reason: calls
    left to PyTorch}}. What a compiled function leaves to PyTorch is counted once, when it is compiled."""
    with _lock:
        return {"forward": _computed.get("forward", 0), "backward": _computed.get("backward", 0),
                "fallback": dict(_fallbacks)}


def reset_counts():
    with _lock:
        _computed.clear()
        _fallbacks.clear()
