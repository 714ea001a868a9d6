"""Our own TURN client over a socket of whatever network: it asks one thing at a time, and hears peers' data in between."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Callable

from confero.protocols.turn.client import Answered, Data, Event, Failed, TurnClient

PATIENCE_S = 5.0
MOST = 65_536


class Caller:
    """Over a connected UDP or TCP socket, which it makes its own; close it after use."""

    def __init__(self, there: socket.socket, username: str, password: str, *, pieces: int = MOST) -> None:
        """``pieces``: bytes that are written at once to a stream."""
        there.setblocking(False)
        self._socket = there
        self._pieces = pieces if there.type == socket.SOCK_STREAM else MOST
        reliable = there.type == socket.SOCK_STREAM
        self.client = TurnClient(random.Random(), username=username, password=password, reliable=reliable)

    async def ask(self, begin: Callable[[float], bytes]) -> Answered:
        """The success response to a request of ``client``. AssertionError with the refusal."""
        found = await self.answer(begin)
        assert isinstance(found, Answered), found
        return found

    async def code(self, begin: Callable[[float], bytes]) -> int:
        """What it is refused with; 0: it is granted."""
        found = await self.answer(begin)
        return found.code if isinstance(found, Failed) else 0

    async def answer(self, begin: Callable[[float], bytes]) -> Answered | Failed:
        """Raises TimeoutError, as where nothing answers does a Failed without a code."""
        begin(_now())
        while True:
            found = await self._next()
            if isinstance(found, Answered | Failed):
                assert not isinstance(found, Failed) or found.code, found
                return found

    async def heard(self) -> Data:
        """What a peer says next. Raises TimeoutError."""
        while True:
            found = await self._next()
            if isinstance(found, Data):
                return found

    async def flush(self) -> None:
        """Sends what the client has to say."""
        loop = asyncio.get_running_loop()
        for data in self.client.data_to_send():
            for at in range(0, len(data), self._pieces):
                await loop.sock_sendall(self._socket, data[at : at + self._pieces])

    def close(self) -> None:
        self._socket.close()

    async def _next(self) -> Event:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                await self.flush()
                if event := self.client.next_event():
                    return event
                await self._take()

    async def _take(self) -> None:
        """What comes next, or the client's timer."""
        due = self.client.get_timer()
        try:
            async with asyncio.timeout(None if due is None else max(0.0, due - _now())):
                data = await asyncio.get_running_loop().sock_recv(self._socket, MOST)
        except TimeoutError:
            self.client.handle_timer(_now())
            return
        assert data, "the server has hung up"
        self.client.receive(data, _now())


def _now() -> float:
    return asyncio.get_running_loop().time()
