"""The command ``confero-edge``."""

from __future__ import annotations

import sys

from confero.runtime import service

from .app import EdgeApp
from .config import EdgeConfig


def main() -> int:
    """Run until SIGTERM; the process's exit code."""
    return service.main("edge", EdgeConfig, EdgeApp)


if __name__ == "__main__":
    sys.exit(main())
