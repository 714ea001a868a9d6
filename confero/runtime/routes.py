"""Which of our own addresses leads to another: the kernel knows."""

from __future__ import annotations

import socket


def route_to(address: str) -> str | None:
    """Our own address on the way to another; asks the kernel's table, sends nothing. None: no way there."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address, 9))
            return str(probe.getsockname()[0])
    except OSError:
        return None
