"""A house behind a NAT: a namespace for its telephone, one for its router, and a short memory of who has spoken.

The router gives each flow an outer port of its own choice (so that nobody guesses it), and forgets it ``MEMORY_S`` after the
last packet. Nothing gets in that was not asked for.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

OUTSIDE, ROUTER = "10.82.0.1", "10.82.0.2"
"""This machine on the cable to the router, and the router."""
INSIDE, GATE = "192.168.82.2", "192.168.82.1"
"""The telephone, and the router as it sees it."""
MEMORY_S = 4
CLONE_NEWNET = 0x40000000
"""setns(2)."""
RULES = """\
table ip nat {
  chain out { type nat hook postrouting priority srcnat; oifname "outer" masquerade fully-random; }
}
table ip filter {
  chain forward {
    type filter hook forward priority filter; policy drop;
    iifname "inner" accept
    ct state established accept
  }
}
"""


@dataclass(frozen=True)
class House:
    """A ``Place`` for telephones."""

    name: str
    """Of the telephone's namespace."""
    host: str = INSIDE

    def ports(self, count: int) -> int:
        return 5060  # nobody else is here

    def command(self, *words: str) -> tuple[str, ...]:
        return ("ip", "netns", "exec", self.name, *words)

    async def connect(self, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        sock = await asyncio.to_thread(self.inside, lambda: socket.create_connection((self.host, port), timeout=5))
        return await asyncio.open_connection(sock=sock)

    def inside(self, opener: Callable[[], socket.socket]) -> socket.socket:
        """A socket belongs to the namespace in which it was opened, wherever it is used. Raises OSError."""
        found: list[socket.socket | OSError] = []

        def open_there() -> None:
            try:
                with Path("/run/netns", self.name).open("rb") as there:
                    if ctypes.CDLL(None, use_errno=True).setns(there.fileno(), CLONE_NEWNET):
                        raise OSError(ctypes.get_errno(), "setns")
                found.append(opener())
            except OSError as error:
                found.append(error)

        thread = threading.Thread(target=open_there)  # of its own: it does not come back
        thread.start()
        thread.join()
        if isinstance(found[0], OSError):
            raise found[0]
        return found[0]


@contextlib.contextmanager
def house_behind_nat() -> Iterator[House]:
    """Made and taken away again; needs the rights of root."""
    house, router = House(f"confero-house-{os.getpid()}"), f"confero-router-{os.getpid()}"
    cable = f"cfn{os.getpid() % 10**8}"
    with contextlib.ExitStack() as cleanup:
        for name in (house.name, router):
            _run("ip", "netns", "add", name)
            cleanup.callback(_run, "ip", "netns", "delete", name)  # and with it its ends of the cables
        _run("ip", "link", "add", cable, "type", "veth", "peer", "name", "outer", "netns", router)
        _run("ip", "address", "add", f"{OUTSIDE}/24", "dev", cable)
        _run("ip", "link", "set", cable, "up")
        _run("ip", "-n", router, "link", "add", "inner", "type", "veth", "peer", "name", "house", "netns", house.name)
        _settle(router, {"outer": f"{ROUTER}/24", "inner": f"{GATE}/24"})
        _settle(house.name, {"house": f"{INSIDE}/24"})
        _run("ip", "-n", house.name, "route", "add", "default", "via", GATE)
        _run("ip", "netns", "exec", router, "nft", "-f", "-", said=RULES)
        for setting in ("nf_conntrack_udp_timeout", "nf_conntrack_udp_timeout_stream"):
            _write(router, f"net/netfilter/{setting}", str(MEMORY_S))
        _write(router, "net/ipv4/ip_forward", "1")
        yield house


def _settle(namespace: str, addresses: dict[str, str]) -> None:
    _run("ip", "-n", namespace, "link", "set", "lo", "up")
    for device, address in addresses.items():
        _run("ip", "-n", namespace, "address", "add", address, "dev", device)
        _run("ip", "-n", namespace, "link", "set", device, "up")


def _write(namespace: str, setting: str, value: str) -> None:
    _run("ip", "netns", "exec", namespace, "tee", str(Path("/proc/sys") / setting), said=value)


def _run(*command: str, said: str | None = None) -> None:
    done = subprocess.run(command, input=said, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
