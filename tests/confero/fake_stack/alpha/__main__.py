"""Runs alpha."""

from __future__ import annotations

import sys

from about import AboutApp

from alpha.config import AlphaConfig
from confero.runtime.service import main

if __name__ == "__main__":
    sys.exit(main("appserver", AlphaConfig, lambda config: AboutApp("appserver", config)))
