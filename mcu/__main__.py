"""The command ``confero-mcu``."""

from __future__ import annotations

import sys

from confero.runtime import service

from .app import McuApp
from .config import McuConfig


def main() -> int:
    """Run until SIGTERM; the process's exit code."""
    return service.main("mcu", McuConfig, McuApp)


if __name__ == "__main__":
    sys.exit(main())
