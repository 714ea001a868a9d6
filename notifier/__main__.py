"""The command ``confero-notifier``."""

from __future__ import annotations

import sys

from confero.runtime import service

from .app import NotifierApp
from .config import NotifierConfig


def main() -> int:
    """Run until SIGTERM; the process's exit code."""
    return service.main("notifier", NotifierConfig, NotifierApp)


if __name__ == "__main__":
    sys.exit(main())
