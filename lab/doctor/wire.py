"""Bytes to and from a port over UDP, TCP or TLS, alike for all: connect, send, take what comes, each within its time."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from typing import Literal

from confero.runtime.tasks import spawn

from .place import Spot

Transport = Literal["udp", "tcp", "tls"]
MAX_WAITING = 64
"""Datagrams or pieces that wait; those above are dropped."""
MAX_PIECE = 65_536
CONNECT_S = 4.0


def unverified(alpn: tuple[str, ...] = ()) -> ssl.SSLContext:
    """TLS with whatever certificate: the checks of certificates say what is wrong with them, the others go on without."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context


class Wire(asyncio.DatagramProtocol):
    """One socket. Errors of the network come out of ``receive``, as they are."""

    def __init__(self) -> None:
        self._arrived: asyncio.Queue[bytes | Exception] = asyncio.Queue(MAX_WAITING)
        self._datagrams: asyncio.DatagramTransport | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self.local: tuple[str, int] = ("", 0)

    @classmethod
    async def connect(
        cls,
        transport: Transport,
        spot: Spot,
        *,
        tls: ssl.SSLContext | None = None,
        name: str = "",
        seconds: float = CONNECT_S,
    ) -> Wire:
        """``name``: for SNI. Raises OSError, ssl.SSLError, TimeoutError."""
        wire = cls()
        async with asyncio.timeout(seconds):
            if transport == "udp":
                loop = asyncio.get_running_loop()
                wire._datagrams, _ = await loop.create_datagram_endpoint(
                    lambda: wire, remote_addr=(spot.host, spot.port)
                )
                wire.local = wire._datagrams.get_extra_info("sockname")[:2]
            else:
                context = (tls or unverified()) if transport == "tls" else None
                reader, wire._writer = await asyncio.open_connection(
                    spot.host, spot.port, ssl=context, server_hostname=(name or spot.host) if context else None
                )
                wire.local = wire._writer.get_extra_info("sockname")[:2]
                wire._reading = spawn(wire._read(reader), name=f"doctor reads {spot}")
        return wire

    def send(self, data: bytes) -> None:
        if self._datagrams is not None:
            self._datagrams.sendto(data)
        elif self._writer is not None:
            self._writer.write(data)

    async def receive(self, seconds: float) -> bytes:
        """A datagram, or what the stream has. Raises TimeoutError, OSError, EOFError for a stream's end."""
        async with asyncio.timeout(seconds):
            arrived = await self._arrived.get()
        if isinstance(arrived, Exception):
            raise arrived
        return arrived

    async def close(self) -> None:
        """Idempotent."""
        if self._datagrams is not None:
            self._datagrams.close()
        if self._reading is not None:
            self._reading.cancel()
        if self._writer is not None:
            self._writer.close()
            with contextlib.suppress(OSError, TimeoutError):  # ssl.SSLError is an OSError
                async with asyncio.timeout(1):
                    await self._writer.wait_closed()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._take(data)

    def error_received(self, exc: Exception) -> None:
        self._take(exc)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while data := await reader.read(MAX_PIECE):
                self._take(data)
            self._take(EOFError("the connection was closed"))
        except OSError as error:
            self._take(error)

    def _take(self, arrived: bytes | Exception) -> None:
        with contextlib.suppress(asyncio.QueueFull):
            self._arrived.put_nowait(arrived)
