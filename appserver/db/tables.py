"""Every table: importing this makes ``metadata`` whole."""

from __future__ import annotations

from . import accounttables, historytables, meetingtables, repeattables, roomtables, siptables
from .models import metadata

MODULES = (accounttables, historytables, meetingtables, repeattables, roomtables, siptables)
"""That have put their tables into it."""

__all__ = ["metadata"]
