"""A network with public addresses that nobody else has: a namespace whose loopback answers to all of a block.

What is refused in special-purpose networks can be tried there without an exception. The calling thread is in it meanwhile, and with
it all sockets that it opens, and the processes that it starts.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

CLONE_NEWNET = 0x40000000
"""unshare(2), setns(2)."""
BLOCK, BLOCK6 = "11.0.77.0/24", "2a00:77::/64"


def host(last: int) -> str:
    """An address of the block."""
    return BLOCK.replace("0/24", str(last))


def host6(last: int) -> str:
    return BLOCK6.replace("/64", f"{last:x}")


@contextlib.contextmanager
def open_network() -> Iterator[None]:
    """Needs the rights of root. Addresses of the blocks can be bound and reached; the interface has none of them."""
    libc = ctypes.CDLL(None, use_errno=True)
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.unshare(CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "unshare")
        try:
            _settle()
            yield
        finally:
            if libc.setns(home, CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
    finally:
        os.close(home)


def _settle() -> None:
    _run("ip", "link", "set", "lo", "up")
    _run("ip", "route", "add", "local", BLOCK, "dev", "lo")
    _run("ip", "-6", "route", "add", "local", BLOCK6, "dev", "lo")
    Path("/proc/sys/net/ipv6/ip_nonlocal_bind").write_text("1")


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
