"""Networks of tests' own: namespaces with addresses, and programs and sockets inside of them. Needs the rights of root."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import shutil
import socket
import stat
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

CLONE_NEWNET = 0x40000000
"""setns(2)."""


@contextlib.contextmanager
def namespace(purpose: str) -> Iterator[str]:
    """Its name; made, with its loopback up, and taken away again, and with it its ends of cables."""
    sweep()
    name = f"confero-{purpose}-{os.getpid()}"
    run("ip", "netns", "add", name)
    try:
        run("ip", "-n", name, "link", "set", "lo", "up")
        yield name
    finally:
        run("ip", "netns", "delete", name)


def sweep() -> None:
    """Takes away those of runs that were killed: their addresses stand in the way of the next run's."""
    for name in run("ip", "netns", "list").splitlines():
        made_by = re.match(r"confero-[a-z0-9-]+-(\d+)\b", name)
        if made_by and not Path("/proc", made_by[1]).exists():
            with contextlib.suppress(AssertionError):  # another lane was quicker
                run("ip", "netns", "delete", made_by[0])


def settle(name: str, addresses: Mapping[str, str]) -> None:
    """Gives devices of a namespace their addresses with their prefix lengths, and switches them on."""
    for device, address in addresses.items():
        run("ip", "-n", name, "address", "add", address, "dev", device, *(["nodad"] if ":" in address else []))
        run("ip", "-n", name, "link", "set", device, "up")


def set_kernel(name: str, setting: str, value: str) -> None:
    """Of a namespace; ``setting`` as below /proc/sys."""
    run("ip", "netns", "exec", name, "tee", str(Path("/proc/sys") / setting), said=value)


def program(name: str, folder: Path, wanted: str) -> Path:
    """A file in ``folder`` that runs a program of the machine inside of a namespace."""
    path, found = folder / wanted, shutil.which(wanted)
    assert found is not None, f"{wanted} is not installed"
    path.write_text(f'#!/bin/sh\nexec ip netns exec {name} {found} "$@"\n')
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def inside(name: str, opener: Callable[[], socket.socket]) -> socket.socket:
    """A socket belongs to the namespace in which it was opened, wherever it is used. Raises OSError."""
    found: list[socket.socket | OSError] = []

    def open_there() -> None:
        try:
            with Path("/run/netns", name).open("rb") as there:
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


def run(*command: str, said: str | None = None) -> str:
    """What it has written; AssertionError with its complaint if it fails."""
    done = subprocess.run(command, input=said, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout
