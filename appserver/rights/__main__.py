"""Writes the table of rights as a page: ``python -m confero.appserver.rights > docs/authorisation.md``."""

from __future__ import annotations

import sys

from .page import render

if __name__ == "__main__":
    sys.stdout.write(render())
