"""PyTorch's scaled_dot_product_attention on the CPU, computed by Tessera.

    import tessera_torch
    tessera_torch.enable()
"""

from ._counts import counts, reset_counts
from ._library import TesseraError, library
from ._routing import disable, enable, is_enabled

__version__ = "0.1.0"
__all__ = ["TesseraError", "counts", "disable", "enable", "is_enabled", "library", "reset_counts"]
