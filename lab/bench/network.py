"""The loopback network that a benchmark's services live on: held from before they start until after they have ended."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from confero.errors import LocalError
from confero.lab.stack import HEALTH, addresses
from confero.ports import find

NETWORKS = range(70, 100)
"""The benchmark's services live on 127.0.<one of these>.x, out of the way of a running system and of each other."""


@contextmanager
def held_network() -> Iterator[int]:
    """A network that no other benchmark holds and on which nobody listens. Raises LocalError if there is none."""
    for network in NETWORKS:
        hold = _hold(network)
        if hold is None:
            continue
        with hold:
            if _is_silent(network):
                yield network
                return
    raise LocalError("other benchmarks hold all the addresses that there are for them")


def _hold(network: int) -> socket.socket | None:
    """None if it is held. An abstract Unix socket (unix(7)) ends with its process, and belongs to a network namespace as
    loopback addresses do.
    """
    hold = socket.socket(socket.AF_UNIX)
    try:
        hold.bind(_hold_name(network))
    except OSError:
        hold.close()
        return None
    return hold


def _hold_name(network: int) -> str:
    return f"\0confero-bench-network-{network}"


def _is_silent(network: int) -> bool:
    return all(
        _is_free(host, find(service, HEALTH.get(service, "http")).number)
        for service, host in addresses(network).items()
    )


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
