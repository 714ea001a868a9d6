"""Lets aiortc members reach services on loopback: aioice leaves it out of its candidates, a lab cannot."""

from __future__ import annotations

from collections.abc import Callable

import aioice.ice

LOOPBACK = "127.0.0.1"
LOOPBACK_6 = "::1"


_usual: Callable[[bool, bool], list[str]] = aioice.ice.get_host_addresses


def gather_loopback() -> None:
    """From here on aioice gathers 127.0.0.1 and ::1 and nothing else. Idempotent; for lab processes and tests only."""
    aioice.ice.get_host_addresses = _only_loopback


def gather_loopback_too() -> None:
    """From here on aioice gathers 127.0.0.1 and ::1 as well, unless it gathers nothing else already."""
    if aioice.ice.get_host_addresses not in (_only_loopback, _also_loopback):
        aioice.ice.get_host_addresses = _also_loopback


def _also_loopback(use_ipv4: bool, use_ipv6: bool) -> list[str]:
    return [*_usual(use_ipv4, use_ipv6), *_only_loopback(use_ipv4, use_ipv6)]


def _only_loopback(use_ipv4: bool, use_ipv6: bool) -> list[str]:
    return [LOOPBACK] * use_ipv4 + [LOOPBACK_6] * use_ipv6  # one that the machine lacks is left out by aioice
