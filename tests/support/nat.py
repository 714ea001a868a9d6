"""A house behind a NAT: a namespace for who is in it, one for its router, and a short memory of who has spoken.

The router gives each flow an outer port of its own choice (so that nobody guesses it), and forgets it ``MEMORY_S`` after the
last packet. Nothing gets in that was not asked for; with ``pass_only`` next to nothing gets out.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from . import namespaces
from .namespaces import namespace, run, set_kernel, settle

OUTSIDE, ROUTER = "10.82.0.1", "10.82.0.2"
"""This machine on the cable to the router, and the router."""
INSIDE, GATE = "192.168.82.2", "192.168.82.1"
"""The telephone, and the router as it sees it."""
MEMORY_S = 4
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
NARROW = """\
flush chain ip filter forward
add rule ip filter forward iifname "inner" tcp dport {port} accept
add rule ip filter forward oifname "inner" tcp sport {port} ct state established accept
"""


@dataclass(frozen=True)
class House:
    """A ``Place`` for telephones."""

    name: str
    """Of the namespace of who is in it."""
    router: str
    """Of the router's."""
    host: str = INSIDE

    def ports(self, count: int) -> int:
        return 5060  # nobody else is here

    def command(self, *words: str) -> tuple[str, ...]:
        return ("ip", "netns", "exec", self.name, *words)

    def program(self, folder: Path, program: str) -> Path:
        """A file that runs a program of the machine in the house."""
        return namespaces.program(self.name, folder, program)

    async def connect(self, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        sock = await asyncio.to_thread(self.inside, lambda: socket.create_connection((self.host, port), timeout=5))
        return await asyncio.open_connection(sock=sock)

    def inside(self, opener: Callable[[], socket.socket]) -> socket.socket:
        """A socket of the house, wherever it is used. Raises OSError."""
        return namespaces.inside(self.name, opener)

    def pass_only(self, port: int) -> None:
        """From now on the router drops, without a word, all but TCP to this port and what comes back from there."""
        run("ip", "netns", "exec", self.router, "nft", "-f", "-", said=NARROW.format(port=port))


@contextlib.contextmanager
def house_behind_nat() -> Iterator[House]:
    """Made and taken away again; needs the rights of root."""
    cable = f"cfn{os.getpid() % 10**8}"
    with namespace("house") as house, namespace("router") as router:
        run("ip", "link", "add", cable, "type", "veth", "peer", "name", "outer", "netns", router)
        run("ip", "address", "add", f"{OUTSIDE}/24", "dev", cable)
        run("ip", "link", "set", cable, "up")
        run("ip", "-n", router, "link", "add", "inner", "type", "veth", "peer", "name", "house", "netns", house)
        settle(router, {"outer": f"{ROUTER}/24", "inner": f"{GATE}/24"})
        settle(house, {"house": f"{INSIDE}/24"})
        run("ip", "-n", house, "route", "add", "default", "via", GATE)
        run("ip", "netns", "exec", router, "nft", "-f", "-", said=RULES)
        for setting in ("nf_conntrack_udp_timeout", "nf_conntrack_udp_timeout_stream"):
            set_kernel(router, f"net/netfilter/{setting}", str(MEMORY_S))
        set_kernel(router, "net/ipv4/ip_forward", "1")
        yield House(house, router)
