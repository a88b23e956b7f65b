"""PyTorch's attention, convolution and linear layers on the CPU, computed by Tessera.

    import tessera_torch
    tessera_torch.enable()
"""

from ._counts import counts, reset_counts
from ._library import TesseraError, library
from ._packed import forget_weights
from ._routing import disable, enable, is_enabled

__version__ = "0.1.0"
__all__ = ["TesseraError", "counts", "disable", "enable", "forget_weights", "is_enabled", "library", "reset_counts"]
