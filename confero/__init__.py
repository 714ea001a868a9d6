"""confero: a complete conferencing stack; this package is what its services share."""

__version__ = "0.1.0"
