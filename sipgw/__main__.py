"""The command ``confero-sipgw``."""

from __future__ import annotations

import sys

from confero.runtime import service

from .app import SipgwApp
from .config import SipgwConfig


def main() -> int:
    """Run until SIGTERM; the process's exit code."""
    return service.main("sipgw", SipgwConfig, SipgwApp)


if __name__ == "__main__":
    sys.exit(main())
