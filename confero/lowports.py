"""May this process listen on ports below 1024? Asked of the kernel, not tried out."""

from __future__ import annotations

import os
from pathlib import Path

CAP_NET_BIND_SERVICE = 10
"""Bit of the capability set, capabilities(7)."""
FIRST_FREE = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
STATUS = Path("/proc/self/status")


def lowest_permitted(first_free: Path = FIRST_FREE, status: Path = STATUS) -> int:
    """The lowest port that this process, and so its children, may bind. Off Linux: 1 for root, 1024 for others."""
    if _may_bind_all(status):
        return 1
    try:
        return int(first_free.read_text())
    except (OSError, ValueError):
        return 1024


def _may_bind_all(status: Path) -> bool:
    """Root without the capability, as in many containers, may not."""
    try:
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        return bool(int(lines["CapEff"], 16) >> CAP_NET_BIND_SERVICE & 1)
    except (OSError, ValueError, KeyError):
        return os.geteuid() == 0
