"""A network from which no datagram gets out: a namespace of its own on a virtual cable, with UDP forbidden by its routing."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

OUTSIDE, INSIDE = "10.75.0.1", "10.75.0.2"


@dataclass(frozen=True)
class Walled:
    """``outside`` is this machine's address on the cable, ``inside`` the namespace's."""

    name: str
    outside: str = OUTSIDE
    inside: str = INSIDE

    def program(self, folder: Path, program: str) -> Path:
        """A file that runs a program of the machine inside."""
        path, found = folder / program, shutil.which(program)
        assert found is not None, f"{program} is not installed"
        path.write_text(f'#!/bin/sh\nexec ip netns exec {self.name} {found} "$@"\n')
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path


@contextlib.contextmanager
def walled() -> Iterator[Walled]:
    """Made and taken away again; needs the rights of root."""
    network, cable = Walled(f"confero-walled-{os.getpid()}"), f"cfw{os.getpid() % 10**8}"
    run("ip", "netns", "add", network.name)
    try:
        run("ip", "link", "add", f"{cable}o", "type", "veth", "peer", "name", f"{cable}i", "netns", network.name)
        run("ip", "address", "add", f"{network.outside}/24", "dev", f"{cable}o")
        run("ip", "link", "set", f"{cable}o", "up")
        inside = ("ip", "-n", network.name)
        run(*inside, "address", "add", f"{network.inside}/24", "dev", f"{cable}i")
        run(*inside, "link", "set", "lo", "up")
        run(*inside, "link", "set", f"{cable}i", "up")
        run(*inside, "rule", "add", "preference", "100", "ipproto", "udp", "prohibit")
        yield network
    finally:
        run("ip", "netns", "delete", network.name)  # and with it both ends of the cable


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)
