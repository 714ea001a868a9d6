"""SIP over UDP: one socket for each bound address, answers leave by the socket on which the request came."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from ipaddress import ip_address

from confero.errors import LocalError
from confero.protocols.sip.target import Target
from confero.runtime.logging import get_logger

from .base import Local, Receiver, authority

log = get_logger(__name__)

RECEIVE_BUFFER = 4 << 20
"""Bytes; at 1 kB a message a burst of some thousand calls. The kernel may give less (net.core.rmem_max)."""


class UdpTransport:
    """All UDP sockets of the gateway. ``start``, then ``close``."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._sockets: dict[int, asyncio.DatagramTransport] = {}
        self.locals: list[Local] = []

    async def start(self, addresses: Sequence[str], port: int) -> None:
        """Binds each address (0: one free port, the same for all). Raises LocalError for one that cannot be used."""
        for address in addresses:
            await self._bind(address, port or (self.locals[0].port if self.locals else 0))

    async def _bind(self, address: str, port: int) -> None:
        number = len(self._sockets)
        try:
            sock = _socket(address, port)
            transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: _Protocol(self, number), sock=sock
            )
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise LocalError(f"cannot listen on UDP {authority(address, port)}: {reason}") from error
        self._sockets[number] = transport
        self.locals.append(Local(address, sock.getsockname()[1]))

    def send(self, data: bytes, target: Target) -> None:
        """One datagram; UDP tells nothing of its fate, but for ``failed`` where the kernel knows of no way."""
        number = self._number_for(target)
        if number is None:
            self._fail(target, "no socket of this address family")
            return
        if len(data) > 65_507:
            self._fail(target, "longer than a datagram")
            return
        self._sockets[number].sendto(data, (target.host, target.port))

    def local(self, target: Target) -> Local:
        """Where the peer at ``target`` reaches us."""
        return self.locals[self._number_for(target) or 0]

    def _number_for(self, target: Target) -> int | None:
        if target.connection is not None and target.connection in self._sockets:
            return target.connection
        modern = ":" in target.host
        return next((n for n, local in enumerate(self.locals) if (":" in local.address) == modern), None)

    def _fail(self, target: Target, reason: str) -> None:
        # Not from within ``send``: the sender's state is not settled yet.
        asyncio.get_running_loop().call_soon(self._receiver.failed, target, reason)

    def received(self, data: bytes, address: tuple[str, int], number: int) -> None:
        self._receiver.received(data, Target("udp", address[0].split("%")[0], address[1], number))

    async def close(self) -> None:
        """Idempotent."""
        for transport in self._sockets.values():
            transport.close()


class _Protocol(asyncio.DatagramProtocol):
    def __init__(self, owner: UdpTransport, number: int) -> None:
        self._owner = owner
        self._number = number

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._owner.received(data, addr, self._number)

    def error_received(self, exc: Exception) -> None:
        # An ICMP error of some earlier datagram: the kernel does not say whose; the transaction's timer will tell.
        log.debug("datagram not delivered", reason=str(exc))


def _socket(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ip_address(address).version == 6 else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    try:
        sock.setblocking(False)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        sock.bind((address, port))
    except BaseException:
        sock.close()
        raise
    return sock
