"""Write, check and explain the uv configuration that PyTorch needs."""

__version__ = "0.1.0"
