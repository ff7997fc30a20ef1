"""Write, check and explain the uv configuration that PyTorch needs.

`configure`, `check` and `table` are for other programs: text in, value out.
"""

__version__ = "0.1.0"
__all__ = ["Finding", "Row", "TorchconfError", "__version__", "check", "configure", "table"]

TYPE_CHECKING = False  # `typing` is not needed to print help
if TYPE_CHECKING:
    from torchconf.api import Finding, Row, TorchconfError, check, configure, table


def __getattr__(name: str) -> object:
    """Load what other programs call when they call it: the command line waits for none of it."""
    if name.startswith("_") or name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from torchconf import api

    return getattr(api, name)
