"""Binding the engine's sockets on allocated ports: one shared port per thread on every address, a pair for each RTP leg."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Sequence

from ._core import lib
from ._handle import Handle, SocketKind
from .addresses import parse_ip
from .errors import UnknownId, from_errno
from .ports import PortAllocator
from .types import RtpSockets, TcpRole

DISCARD = 9
"""Stands for the port of one who connects (RFC 4145 section 4.1)."""


def bind_addresses(configured: Sequence[str]) -> tuple[str, ...]:
    """The addresses to bind: the configured ones, or all of IPv4 and, if there is IPv6, all of that. Raises LocalError."""
    if configured:
        return tuple(dict.fromkeys(str(parse_ip(text)) for text in configured))
    return ("0.0.0.0", "::") if _has_ipv6() else ("0.0.0.0",)


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::", 0))
    except OSError:
        return False
    return True


Wanted = tuple[str, int, SocketKind]
"""An address, how far from the port that is tried, and what for."""


class Binder:
    """Finds ports that are free on all the addresses that are asked for, or leaves none bound."""

    def __init__(self, handle: Handle, allocator: PortAllocator) -> None:
        self._handle = handle
        self._allocator = allocator

    def bind_shared(self, thread: int, addresses: Sequence[str], *, tcp: bool = False) -> int:
        """Binds one port on every address for a thread's WebRTC legs, with ``tcp`` for both transports, and returns it.

        Raises BindError, NoPortFree.
        """
        kinds: tuple[SocketKind, ...] = ("shared", "listener") if tcp else ("shared",)
        wanted = [(address, 0, kind) for kind in kinds for address in addresses]
        return self._allocator.claim(lambda port: self._bind_all(thread, wanted, port))[0]

    def bind_rtp(self, thread: int, address: str, mux: bool, tcp: TcpRole | None = None) -> RtpSockets:
        """Binds one leg's ports; one that connects has none. Raises BindError, NoPortFree."""
        wanted: list[Wanted] = [(address, offset, tcp or "leg") for offset in range(1 if mux else 2)]
        if tcp == "active":
            found = self._bind_all(thread, [(address, 0, kind) for _, _, kind in wanted], 0)
            assert found is not None, "there is no port that could be taken"
            return RtpSockets(thread, found[0], found[-1], address, DISCARD, DISCARD)
        claim = self._allocator.claim if mux else self._allocator.claim_pair
        port, numbers = claim(lambda port: self._bind_all(thread, wanted, port))
        return RtpSockets(thread, numbers[0], numbers[-1], address, port, port if mux else port + 1)

    def close_rtp(self, sockets: RtpSockets) -> None:
        """Closes a leg's sockets and gives the ports back. Raises UnknownId, StillInUse, EngineBusy (try again)."""
        if sockets.rtcp != sockets.rtp:
            with contextlib.suppress(UnknownId):  # closed by a first try that met EngineBusy at the second socket
                self._close(sockets.thread, sockets.rtcp)
        self._close(sockets.thread, sockets.rtp)
        self._allocator.release(sockets.rtp_port, sockets.rtcp_port - sockets.rtp_port + 1)

    def _close(self, thread: int, number: int) -> None:
        result = lib.cf_engine_close_socket(self._handle.raw, thread, number)
        if result < 0:
            raise from_errno(-result, f"close socket {number} of thread {thread}")

    def _bind_all(self, thread: int, wanted: Sequence[Wanted], port: int) -> list[int] | None:
        """The numbers of sockets bound to each address at ``port`` plus its offset, or None if one is taken."""
        numbers: list[int] = []
        try:
            for address, offset, kind in wanted:
                number = self._handle.bind(thread, address, port + offset, kind)
                if number is None:
                    break
                numbers.append(number)
        finally:
            complete = len(numbers) == len(wanted)
            if not complete:
                for number in numbers:
                    self._close(thread, number)
        return numbers if complete else None
