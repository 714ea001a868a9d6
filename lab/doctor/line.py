"""A client of STUN and TURN on a wire: asks one thing at a time, and takes peers' data in between."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Callable

from confero.protocols.stun import Message, StunError
from confero.protocols.turn import TurnClient
from confero.protocols.turn.client import Answered, Data, Failed
from confero.protocols.turn.types import Random

from .place import Spot
from .wire import Transport, Wire

ASK_S = 4.0
"""For one request with all its repetitions: RFC 8489's 39.5 s are for lines that the doctor would call broken."""
MAX_DATA = 64


class TurnRefused(Exception):
    """An error response, by its code; 0: what answers there does not speak TURN."""

    def __init__(self, code: int, detail: str) -> None:
        super().__init__(f"{code} {detail}".strip())
        self.code = code


class Line:
    """Close it after use. Everything raises TimeoutError, OSError, EOFError as the wire does."""

    def __init__(self, wire: Wire, client: TurnClient) -> None:
        self._wire = wire
        self.client = client
        self._data: deque[Data] = deque(maxlen=MAX_DATA)
        self._strange = False
        """Something came for the present request, and was no answer so far."""

    @classmethod
    async def connect(
        cls,
        transport: Transport,
        spot: Spot,
        random: Random,
        *,
        username: str = "",
        password: str = "",
        tls: ssl.SSLContext | None = None,
        name: str = "",
    ) -> Line:
        wire = await Wire.connect(transport, spot, tls=tls, name=name)
        client = TurnClient(random, username=username, password=password, reliable=transport != "udp")
        return cls(wire, client)

    @property
    def local(self) -> tuple[str, int]:
        return self._wire.local

    async def ask(self, begin: Callable[[float], bytes]) -> Message:
        """The success response to a request of the client. Raises TurnRefused, TimeoutError."""
        begin(_now())
        self._strange = False
        try:
            async with asyncio.timeout(ASK_S):
                return await self._answer()
        except TimeoutError:
            if self._strange:
                raise TurnRefused(0, "it answers, and not in TURN") from None
            raise

    async def _answer(self) -> Message:
        while True:
            self._flush()
            while event := self.client.next_event():
                self._strange = False
                if isinstance(event, Answered):
                    return event.reply
                if isinstance(event, Failed) and event.code:
                    raise TurnRefused(event.code, event.detail)
                if isinstance(event, Failed):
                    raise TimeoutError(event.detail)
                if isinstance(event, Data):
                    self._data.append(event)
            await self._take()

    async def echo(self, send: Callable[[], None], wanted: Callable[[Data], bool], tries: int = 3) -> float:
        """Sends until a peer answers as wanted; the seconds from the sending that was answered. Raises TimeoutError."""
        for attempt in range(tries):
            send()
            self._flush()
            started = _now()
            try:
                async with asyncio.timeout(0.5 * (attempt + 1)):
                    while True:
                        if any(wanted(self._data.popleft()) for _ in range(len(self._data))):
                            return _now() - started
                        await self._take()
                        while event := self.client.next_event():
                            if isinstance(event, Data):
                                self._data.append(event)
            except TimeoutError:
                continue
        raise TimeoutError("no echo")

    async def close(self) -> None:
        await self._wire.close()

    def _flush(self) -> None:
        for data in self.client.data_to_send():
            self._wire.send(data)

    async def _take(self) -> None:
        """What comes next, or the client's timer."""
        timer = self.client.get_timer()
        wait = ASK_S if timer is None else max(0.0, timer - _now())
        try:
            data = await self._wire.receive(wait)
            self._strange = True
            self.client.receive(data, _now())
        except TimeoutError:
            self.client.handle_timer(_now())
        except StunError as error:
            raise TurnRefused(0, f"it answers, and not in TURN: {error}") from error


def _now() -> float:
    return asyncio.get_running_loop().time()
