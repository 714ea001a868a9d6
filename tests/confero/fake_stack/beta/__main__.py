"""Runs beta."""

from __future__ import annotations

import sys

from about import AboutApp

from beta.config import BetaConfig
from confero.runtime.service import main

if __name__ == "__main__":
    sys.exit(main("mcu", BetaConfig, lambda config: AboutApp("mcu", config)))
