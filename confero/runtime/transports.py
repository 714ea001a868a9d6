"""Cutting a connection, whatever state it is in."""

from __future__ import annotations

import asyncio
from contextlib import suppress


def abort(transport: asyncio.BaseTransport | None) -> None:
    """Cuts a connection at once; one that is gone already, or going, is left alone.

    A TLS transport of Python before 3.11.4 that has been closed has lost its protocol and raises AttributeError instead.
    """
    if isinstance(transport, asyncio.WriteTransport):
        with suppress(AttributeError):
            transport.abort()
