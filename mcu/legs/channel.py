"""The engine's DTLS inbox of one leg, standing where aiortc expects an ICE transport."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Protocol

from confero.errors import ConferoError


class DtlsEngine(Protocol):
    """The part of the media engine that is needed here."""

    def dtls_send(self, leg: int, data: bytes) -> None: ...

    def dtls_take(self, leg: int) -> list[bytes]: ...


class Turnstile:
    """Lets one through at a time, with a turn of the event loop between two: who queues here shares the loop fairly.

    A handshake step is synchronous (about half a millisecond); a hundred at once would stop everything else for as long.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    async def pass_through(self) -> None:
        async with self._lock:
            await asyncio.sleep(0)


class EngineChannel:
    """DTLS datagrams up and down. Its bound is the engine's: a leg's inbox is a short ring with a quota."""

    role = "controlled"
    state = "completed"

    def __init__(self, engine: DtlsEngine, leg: int, turnstile: Turnstile) -> None:
        self._engine = engine
        self._leg = leg
        self._turnstile = turnstile
        self._waiting: deque[bytes] = deque()
        self._wake = asyncio.Event()
        self._closed = False

    def wake(self) -> None:
        """The engine says that datagrams wait."""
        self._wake.set()

    def close(self) -> None:
        """Ends a waiting ``_recv`` with ConnectionError, and sends no more."""
        self._closed = True
        self._wake.set()

    def send(self, data: bytes) -> None:
        """Raises ConnectionError when the leg is gone or the engine is too busy (DTLS then sends it again)."""
        if self._closed:
            raise ConnectionError("the channel is closed")
        try:
            self._engine.dtls_send(self._leg, data)
        except ConferoError as error:
            raise ConnectionError(str(error)) from error

    async def _send(self, data: bytes) -> None:
        self.send(data)

    async def _recv(self) -> bytes:
        """The next datagram. It may be cancelled without losing one. Raises ConnectionError at the end."""
        while not self._fill():
            self._wake.clear()
            if not self._fill():
                await self._wake.wait()
        await self._turnstile.pass_through()
        self._check()
        return self._waiting.popleft()

    def _fill(self) -> bool:
        self._check()
        if not self._waiting:
            try:
                self._waiting.extend(self._engine.dtls_take(self._leg))
            except ConferoError as error:
                raise ConnectionError(str(error)) from error
        return bool(self._waiting)

    def _check(self) -> None:
        if self._closed:
            raise ConnectionError("the channel is closed")
