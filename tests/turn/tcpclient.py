"""A client's connection to a TURN server: our own sans-IO client over a stream, with a second life as a peer's connection."""

from __future__ import annotations

import asyncio
import random
import ssl

from confero.models.turn import TurnTransport
from confero.protocols.stun import Address
from confero.protocols.stun import attributes as a
from confero.protocols.turn import TCP, TurnClient
from confero.protocols.turn.client import Answered, Attempted, Event, Failed

from .house import SERVER, House

PATIENCE_S = 10.0


class Connection:
    """Over TCP or TLS. ``bind`` makes it a peer's: from then on ``read`` and ``write`` are the peer's bytes."""

    def __init__(self, house: House, user: str) -> None:
        name, password = house.login(user)
        self.turn = TurnClient(random.SystemRandom(), username=name, password=password, reliable=True)
        self._house = house
        self.reader: asyncio.StreamReader
        self.writer: asyncio.StreamWriter

    @classmethod
    async def open(cls, house: House, host: str, via: TurnTransport = "tcp", user: str = "alice") -> Connection:
        made = cls(house, user)
        trust: ssl.SSLContext | None = house.trust if via == "tls" else None
        made.reader, made.writer = await asyncio.open_connection(
            host, house.port(via), ssl=trust, server_hostname=SERVER if trust else None
        )
        return made

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()

    async def event(self) -> Event:
        """The next thing that the server says, after what we have to say. Raises TimeoutError, EOFError."""
        async with asyncio.timeout(PATIENCE_S):
            while (found := self.turn.next_event()) is None:
                self.writer.writelines(self.turn.data_to_send())
                data = await self.reader.read(65_536)
                if not data:
                    raise EOFError("the server has hung up")
                self.turn.receive(data, self.now)
                self.writer.writelines(self.turn.data_to_send())
        return found

    async def answer(self) -> Answered:
        event = await self.event()
        assert isinstance(event, Answered), event
        return event

    async def refusal(self) -> int:
        """The error code."""
        event = await self.event()
        assert isinstance(event, Failed), event
        return event.code

    async def allocate(self, *rows: a.Row, protocol: int = TCP) -> Address:
        """The first relayed address."""
        self.turn.allocate(self.now, *rows, protocol=protocol)
        await self.answer()
        return self.turn.relayed[0]

    async def permit(self, *peers: Address) -> None:
        self.turn.create_permission(self.now, *peers)
        await self.answer()

    async def connect(self, peer: Address) -> int:
        """Connects to a peer: the connection's number."""
        self.turn.connect(self.now, peer)
        number = (await self.answer()).reply.get(a.CONNECTION_ID)
        assert number is not None
        return number

    async def attempt(self) -> Attempted:
        """A peer that has connected."""
        event = await self.event()
        assert isinstance(event, Attempted), event
        return event

    async def bind(self, number: int) -> Connection:
        """This connection becomes the peer's."""
        self.turn.connection_bind(self.now, number)
        await self.answer()
        return self

    async def read(self, size: int) -> bytes:
        """Of a bound connection: so many bytes of the peer's. Raises TimeoutError, asyncio.IncompleteReadError."""
        early = bytearray()
        while (event := self.turn.next_event()) is not None:
            early += getattr(event, "data", b"")
        assert len(early) <= size
        async with asyncio.timeout(PATIENCE_S):
            return bytes(early) + await self.reader.readexactly(size - len(early))

    async def over(self) -> bool:
        """Nothing comes any more but the end."""
        async with asyncio.timeout(PATIENCE_S):
            try:
                return await self.reader.read() == b""
            except ConnectionError:
                return True

    def close(self) -> None:
        self.writer.close()
