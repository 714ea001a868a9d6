"""SIP over UDP: one socket for each bound address, answers leave by the socket on which the request came."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from contextlib import suppress
from ipaddress import ip_address

from confero.errors import LocalError
from confero.protocols.sip.keepalive import binding_answer, is_stun
from confero.protocols.sip.target import Target
from confero.runtime.logging import get_logger

from .base import Local, Receiver, authority

log = get_logger(__name__)

RECEIVE_BUFFER = 4 << 20
"""Bytes; at 1 kB a message a burst of some thousand calls. The kernel may give less (net.core.rmem_max)."""
LONGEST = 65_507
"""Bytes of a datagram."""
AT_ONCE = 64
"""Datagrams taken before others have their turn: 20 ms of work."""


class UdpTransport:
    """All UDP sockets of the gateway. ``start``, then ``close``."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._sockets: dict[int, socket.socket] = {}
        self.locals: list[Local] = []

    async def start(self, addresses: Sequence[str], port: int) -> None:
        """Binds each address (0: one free port, the same for all). Raises LocalError for one that cannot be used."""
        for address in addresses:
            await self._bind(address, port or (self.locals[0].port if self.locals else 0))

    async def _bind(self, address: str, port: int) -> None:
        number = len(self._sockets)
        try:
            sock = _socket(address, port)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise LocalError(f"cannot listen on UDP {authority(address, port)}: {reason}") from error
        self._sockets[number] = sock
        self.locals.append(Local(address, sock.getsockname()[1]))
        asyncio.get_running_loop().add_reader(sock, self._drain, sock, number)

    def send(self, data: bytes, target: Target) -> None:
        """One datagram; UDP tells nothing of its fate, but for ``failed`` where the kernel knows of no way."""
        number = self._number_for(target)
        if number is None:
            self._fail(target, "no socket of this address family")
            return
        if len(data) > LONGEST:
            self._fail(target, "longer than a datagram")
            return
        try:
            self._sockets[number].sendto(data, (target.host, target.port))
        except BlockingIOError:
            log.debug(
                "datagram lost, the socket is full", to=target.host
            )  # as on any network: what matters is sent again
        except OSError as error:
            self._fail(target, error.strerror or type(error).__name__)

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

    def _drain(self, sock: socket.socket, number: int) -> None:
        """Takes what has come. With one datagram at each turn of the loop, as asyncio's own transport has it, messages would wait
        behind all that other services say, and be sent again."""
        for _ in range(AT_ONCE):
            try:
                data, address = sock.recvfrom(LONGEST)
            except BlockingIOError:
                return
            except OSError as error:
                # An ICMP error of some earlier datagram: the kernel does not say whose; the transaction's timer will tell.
                log.debug("datagram not delivered", reason=str(error))
                continue
            self._received(data, Target("udp", address[0].split("%")[0], address[1], number), sock)

    def _received(self, data: bytes, source: Target, sock: socket.socket) -> None:
        try:
            if is_stun(data):
                self._answer(data, source, sock)
            else:
                self._receiver.received(data, source)
        except Exception:  # a bug of ours: the next message is another one's
            log.exception("a datagram was not handled", source=source.host)

    def _answer(self, data: bytes, source: Target, sock: socket.socket) -> None:
        """A telephone behind NAT keeps its way open (RFC 5626 section 3.5.2)."""
        answer = binding_answer(data, source.host, source.port)
        if answer is not None:
            with suppress(OSError):
                sock.sendto(answer, (source.host, source.port))

    async def close(self) -> None:
        """Idempotent."""
        while self._sockets:
            _, sock = self._sockets.popitem()
            asyncio.get_running_loop().remove_reader(sock)
            sock.close()


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
