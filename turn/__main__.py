"""The command ``confero-turn``."""

from __future__ import annotations

import sys

from confero.runtime import service

from .app import TurnApp
from .config import TurnConfig


def main() -> int:
    """Run until SIGTERM; the process's exit code."""
    return service.main("turn", TurnConfig, TurnApp)


if __name__ == "__main__":
    sys.exit(main())
