"""The command ``confero-appserver``."""

from __future__ import annotations

import sys

from confero.runtime import service

from .app import AppserverApp
from .config import AppserverConfig


def main() -> int:
    """Run until SIGTERM; the process's exit code."""
    return service.main("appserver", AppserverConfig, AppserverApp)


if __name__ == "__main__":
    sys.exit(main())
