"""Lets aiortc members reach services on loopback: aioice leaves 127.0.0.1 out of its candidates, a lab cannot."""

from __future__ import annotations

import aioice.ice

LOOPBACK = "127.0.0.1"


def gather_loopback() -> None:
    """From here on this process's aioice gathers 127.0.0.1 and nothing else. Idempotent; for lab processes and tests only."""
    aioice.ice.get_host_addresses = _only_loopback


def _only_loopback(use_ipv4: bool, use_ipv6: bool) -> list[str]:
    return [LOOPBACK] if use_ipv4 else []
