"""A running engine for tests: its events in the loop, telephones that say a tone, legs."""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
from numpy.typing import NDArray

from confero.media import (
    Address,
    Codec,
    CodecParams,
    Engine,
    EngineConfig,
    Event,
    EventType,
    LegConfig,
    LegKind,
    PayloadType,
    RtpSockets,
)

RATE = 8000


FRAME = 160


LOCAL = EngineConfig(threads=1, seed=7, bind=("127.0.0.1",))


PCMU = CodecParams(codec=Codec.PCMU)


OPUS = CodecParams(codec=Codec.OPUS)


def ulaw_encode(pcm: NDArray[np.int16]) -> bytes:
    """ITU-T G.711 mu-law."""
    sign = np.where(pcm < 0, 0x80, 0)
    magnitude = np.minimum(np.abs(pcm.astype(np.int32)), 32635) + 132
    exponent = np.floor(np.log2(magnitude)).astype(np.int32) - 7
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    return bytes((~(sign | (exponent << 4) | mantissa) & 0xFF).astype(np.uint8))


def ulaw_decode(data: bytes) -> NDArray[np.float64]:
    code = ~np.frombuffer(data, np.uint8) & 0xFF
    magnitude = (((code & 0x0F).astype(np.int32) << 3) + 132 << ((code >> 4) & 7)) - 132
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.float64)


class Phone(asyncio.DatagramProtocol):
    """Says a tone in G.711 and keeps what it hears."""

    def __init__(self, hertz: float) -> None:
        t = np.arange(RATE) / RATE
        self.tone = (8000 * np.sin(2 * np.pi * hertz * t)).astype(np.int16)
        self.heard: list[bytes] = []
        self.others: list[bytes] = []
        self.sent = 0

    @classmethod
    async def open(cls, hertz: float, host: str) -> Phone:
        loop = asyncio.get_running_loop()
        transport, phone = await loop.create_datagram_endpoint(lambda: cls(hertz), local_addr=(host, 0))
        phone.transport = transport
        phone.address = Address(*transport.get_extra_info("sockname")[:2])
        return phone

    transport: asyncio.DatagramTransport
    address: Address

    def datagram_received(self, data: bytes, addr: object) -> None:
        is_rtp = len(data) >= 12 and data[0] == 0x80 and data[1] & 0x7F == 0
        (self.heard if is_rtp else self.others).append(data[12:] if is_rtp else data)

    def speak(self, to: Address) -> None:
        header = struct.pack("!BBHII", 0x80, 0, self.sent & 0xFFFF, self.sent * FRAME, self.address.port)
        at = self.sent * FRAME % RATE
        self.transport.sendto(header + ulaw_encode(self.tone[at : at + FRAME]), tuple(to))
        self.sent += 1

    def hears(self, hertz: float) -> float:
        """Amplitude of a frequency in the last half second."""
        pcm = ulaw_decode(b"".join(self.heard))[-RATE // 2 :]
        window = np.hanning(pcm.size)
        return float(
            2 * np.abs(np.sum(pcm * window * np.exp(-2j * np.pi * hertz * np.arange(pcm.size) / RATE))) / window.sum()
        )


class Running:
    """A started engine whose events are read by the event loop."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.events: list[Event] = []
        self._changed = asyncio.Event()

    def pump(self) -> None:
        self.events += self.engine.events()
        self._changed.set()

    async def wait_for(self, kind: EventType, *, leg: int = 0, room: int = 0) -> Event:
        """The first event of this kind (about this leg or room), past or future."""
        async with asyncio.timeout(10):
            while True:
                for event in self.events:
                    if (
                        event.type is kind
                        and (not leg or event.leg == leg)
                        and (not room or (event.room, event.leg) == (room, 0))
                    ):
                        return event
                self._changed.clear()
                await self._changed.wait()


@asynccontextmanager
async def running(config: EngineConfig = LOCAL) -> AsyncIterator[Running]:
    loop = asyncio.get_running_loop()
    with Engine(config) as engine:
        state = Running(engine)
        loop.add_reader(engine.fileno(), state.pump)
        try:
            yield state
        finally:
            loop.remove_reader(engine.fileno())


async def talk(pairs: list[tuple[Phone, Address]], frames: int) -> None:
    """Everybody speaks for ``frames`` times 20 ms."""
    start = time.monotonic()
    for frame in range(frames):
        for phone, to in pairs:
            phone.speak(to)
        await asyncio.sleep(max(0.0, start + (frame + 1) * 0.02 - time.monotonic()))


def rtp_leg(
    leg: int, room: int, sockets: RtpSockets, remote: Address | None = None, signalling: str = "127.0.0.2"
) -> LegConfig:
    return LegConfig(
        id=leg,
        room=room,
        kind=LegKind.RTP,
        tx=PCMU,
        tx_pt=0,
        rx=(PayloadType(0, Codec.PCMU, 8000),),
        sockets=sockets,
        remote_rtp=remote,
        symmetric=remote is None,
        signalling=signalling,
        cname="test",
    )


def webrtc_leg(leg: int, room: int, ufrag: str = "ours") -> LegConfig:
    return LegConfig(
        id=leg,
        room=room,
        kind=LegKind.WEBRTC,
        tx=OPUS,
        tx_pt=111,
        rx=(PayloadType(111, Codec.OPUS, 48000),),
        local_ufrag=ufrag,
        local_pwd="a password of our own",
        remote_ufrag="peer",
    )


def join(engine: Engine, leg: int, room: int, phone: Phone) -> Address:
    sockets = engine.open_rtp(room, mux=True)
    engine.add_leg(rtp_leg(leg, room, sockets, phone.address))
    return Address(sockets.address, sockets.rtp_port)
