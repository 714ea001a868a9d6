"""Every table: importing this makes ``metadata`` whole."""

from __future__ import annotations

from . import accounttables, historytables, meetingtables, roomtables, siptables
from .models import metadata

MODULES = (accounttables, historytables, meetingtables, roomtables, siptables)
"""That have put their tables into it."""

__all__ = ["metadata"]
