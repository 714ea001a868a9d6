"""A network from which no datagram gets out: a namespace of its own on a virtual cable, with UDP forbidden by its routing."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..support import namespaces
from ..support.namespaces import namespace, run, settle

NET = os.getpid() % 250
"""Files that run at the same time have cables of their own."""
OUTSIDE, INSIDE = f"10.75.{NET}.1", f"10.75.{NET}.2"


@dataclass(frozen=True)
class Walled:
    """``outside`` is this machine's address on the cable, ``inside`` the namespace's."""

    name: str
    outside: str = OUTSIDE
    inside: str = INSIDE

    def program(self, folder: Path, program: str) -> Path:
        """A file that runs a program of the machine inside."""
        return namespaces.program(self.name, folder, program)


@contextlib.contextmanager
def walled() -> Iterator[Walled]:
    """Made and taken away again; needs the rights of root."""
    cable = f"cfw{os.getpid() % 10**8}"
    with namespace("walled") as name:
        network = Walled(name)
        run("ip", "link", "add", f"{cable}o", "type", "veth", "peer", "name", f"{cable}i", "netns", name)
        run("ip", "address", "add", f"{network.outside}/24", "dev", f"{cable}o")
        run("ip", "link", "set", f"{cable}o", "up")
        settle(name, {f"{cable}i": f"{network.inside}/24"})
        run("ip", "-n", name, "rule", "add", "preference", "100", "ipproto", "udp", "prohibit")
        yield network
