"""Lets aiortc members reach services on loopback: aioice leaves it out of its candidates, a lab cannot."""

from __future__ import annotations

import aioice.ice

LOOPBACK = "127.0.0.1"
LOOPBACK_6 = "::1"


def gather_loopback() -> None:
    """From here on aioice gathers 127.0.0.1 and ::1 and nothing else. Idempotent; for lab processes and tests only."""
    aioice.ice.get_host_addresses = _only_loopback


def _only_loopback(use_ipv4: bool, use_ipv6: bool) -> list[str]:
    return [LOOPBACK] * use_ipv4 + [LOOPBACK_6] * use_ipv6  # one that the machine lacks is left out by aioice
