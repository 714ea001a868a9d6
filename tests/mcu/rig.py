"""A whole MCU in this process on loopback, and peers for it: an aiortc browser, a G.711 telephone."""

from __future__ import annotations

import asyncio
import fractions
import secrets
import struct
import time
from pathlib import Path
from typing import Any, Protocol, Self

import aioice.ice
import av
import numpy as np
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from numpy.typing import NDArray
from pydantic import SecretStr

from confero import models
from confero.clock import SystemClock
from confero.mcu.app import McuApp
from confero.mcu.config import McuConfig
from confero.runtime.client import ServiceClient
from confero.runtime.tasks import TaskBag

from .fakes import SECRET

RATE = 48_000
FRAME = 960
PHONE_RATE = 8000
PHONE_FRAME = 160
Signal = NDArray[np.float64]


def config(state_dir: Path, **settings: Any) -> McuConfig:
    """Ports 0 and up on loopback; notifier and application server are not there."""
    values: dict[str, Any] = {
        "http_port": 0,
        "state_dir": state_dir,
        "secret": SecretStr(SECRET.decode()),
        "media_bind": ["127.0.0.1"],
        "media_threads": 1,
        "appserver_url": "http://127.0.0.1:9",
        "notifier_url": "http://127.0.0.1:9",
        "drain_s": 1.0,
    }
    return McuConfig(**(values | settings))


class Closable(Protocol):
    async def close(self) -> None: ...


class Rig:
    """The MCU, a caller named lab, and what must be closed."""

    def __init__(self, state_dir: Path, **settings: Any) -> None:
        self.app = McuApp(config(state_dir, **settings))
        self.client: ServiceClient
        self.peers: list[Closable] = []

    async def start(self) -> None:
        await self.app.start()
        assert self.app.listener is not None
        self.client = ServiceClient("lab", "mcu", self.app.listener.url, secret=SECRET, clock=SystemClock(), retries=0)

    async def stop(self) -> None:
        for peer in self.peers:
            await peer.close()
        await self.client.close()
        await self.app.stop()

    async def room(self, id: str = "r1", **spec: Any) -> models.RoomState:
        return await self.client.call("PUT", f"/v1/rooms/{id}", body=models.RoomSpec(**spec), reply=models.RoomState)

    async def leg(self, participant: str, room: str = "r1", **wish: Any) -> models.LegReply:
        kind = models.WebRtcLegCreate if wish.get("kind", "webrtc") == "webrtc" else models.RtpLegCreate
        body = kind(**({"kind": "webrtc", "participant": participant, "display_name": participant} | wish))
        return await self.client.call("POST", f"/v1/rooms/{room}/legs", body=body, reply=models.LegReply)

    async def browser(self, name: str, hertz: float, room: str = "r1", host: str = "127.0.0.1") -> Browser:
        browser = Browser(name, hertz, host)
        self.peers.append(browser)
        reply = await self.leg(name, room, sdp=await browser.offer())
        browser.leg = reply.leg
        await browser.accept(reply.sdp)
        return browser

    async def phone(self, name: str, hertz: float, room: str = "r1", host: str = "127.0.0.1", **wish: Any) -> Phone:
        phone = await Phone.open(hertz, host)
        self.peers.append(phone)
        reply = await self.leg(name, room, kind="rtp", sdp=phone.offer(), **wish)
        phone.leg = reply.leg
        phone.talk_to(reply.sdp)
        return phone

    def state(self, participant: str, room: str = "r1") -> str:
        """As the roster has it; "" if not there."""
        found = self.app.conference.registry.room(room).participants.get(participant)
        return found.state if found else ""

    async def stats(self, leg: str) -> models.LegStats:
        return await self.client.call("GET", f"/v1/legs/{leg}/stats", reply=models.LegStats)


class Tone(MediaStreamTrack):
    """A sine, 20 ms at a time."""

    kind = "audio"

    def __init__(self, hertz: float) -> None:
        super().__init__()
        self._hertz, self._index, self._begun = hertz, 0, 0.0

    async def recv(self) -> av.AudioFrame:
        self._begun = self._begun or time.monotonic()
        await asyncio.sleep(max(0.0, self._begun + self._index * 0.02 - time.monotonic()))
        t = (self._index * FRAME + np.arange(FRAME)) / RATE
        pcm = (8000 * np.sin(2 * np.pi * self._hertz * t)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(pcm.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, self._index * FRAME, fractions.Fraction(1, RATE)
        self._index += 1
        return frame


class Browser:
    """aiortc as a browser: one audio track out, one in."""

    def __init__(self, name: str, hertz: float, host: str = "127.0.0.1") -> None:
        self.name = name
        self._host = host
        self.leg = ""
        self.heard: list[Signal] = []
        self.peer = RTCPeerConnection()
        self.peer.addTrack(Tone(hertz))
        self._tasks = TaskBag()
        self.peer.on("track", lambda track: self._tasks.spawn(self._hear(track), name=f"ear of {name}"))

    async def offer(self) -> str:
        hosts, aioice.ice.get_host_addresses = aioice.ice.get_host_addresses, lambda **_: [self._host]
        try:
            await self.peer.setLocalDescription(await self.peer.createOffer())
        finally:
            aioice.ice.get_host_addresses = hosts
        return str(self.peer.localDescription.sdp)

    async def answer(self, offer: str) -> str:
        hosts, aioice.ice.get_host_addresses = aioice.ice.get_host_addresses, lambda **_: [self._host]
        try:
            await self.peer.setRemoteDescription(RTCSessionDescription(offer, "offer"))
            await self.peer.setLocalDescription(await self.peer.createAnswer())
        finally:
            aioice.ice.get_host_addresses = hosts
        return str(self.peer.localDescription.sdp)

    async def accept(self, answer: str) -> None:
        await self.peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    async def _hear(self, track: MediaStreamTrack) -> None:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            for part in resampler.resample(frame):  # type: ignore[arg-type]
                self.heard.append(part.to_ndarray().reshape(-1).astype(np.float64))
            del self.heard[:-500]

    def levels(self, *hertz: float) -> list[float]:
        """Amplitudes of tones in the last second heard."""
        return tones(np.concatenate(self.heard[-50:]) if self.heard else np.zeros(1), RATE, hertz)

    async def close(self) -> None:
        await self._tasks.close()
        await self.peer.close()


def ulaw_encode(pcm: NDArray[np.int16]) -> bytes:
    sign = np.where(pcm < 0, 0x80, 0)
    magnitude = np.minimum(np.abs(pcm.astype(np.int32)), 32635) + 132
    exponent = np.floor(np.log2(magnitude)).astype(np.int32) - 7
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    return bytes((~(sign | (exponent << 4) | mantissa) & 0xFF).astype(np.uint8))


def ulaw_decode(data: bytes) -> Signal:
    code = ~np.frombuffer(data, np.uint8) & 0xFF
    magnitude = (((code & 0x0F).astype(np.int32) << 3) + 132 << ((code >> 4) & 7)) - 132
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.float64)


class Phone(asyncio.DatagramProtocol):
    """Says a tone in mu-law and keeps what it hears."""

    def __init__(self, hertz: float) -> None:
        self.leg = ""
        self.heard: list[bytes] = []
        self.others: list[bytes] = []
        self.sources: set[tuple[str, int]] = set()
        self.talking = True
        self._hertz = hertz
        self._transport: asyncio.DatagramTransport
        self._tasks = TaskBag()
        self._remote: tuple[str, int] | None = None

    @classmethod
    async def open(cls, hertz: float, host: str = "127.0.0.1") -> Self:
        loop = asyncio.get_running_loop()
        transport, phone = await loop.create_datagram_endpoint(lambda: cls(hertz), local_addr=(host, 0))
        phone._transport = transport
        return phone

    @property
    def address(self) -> tuple[str, int]:
        host, port = self._transport.get_extra_info("sockname")[:2]
        return host, port

    def offer(self, *lines: str) -> str:
        host, port = self.address
        net = f"IN {'IP6' if ':' in host else 'IP4'} {host}"
        head = ("v=0", f"o=- {secrets.randbelow(2**31)} 1 {net}", "s=-", f"c={net}", "t=0 0")
        return "\r\n".join((*head, f"m=audio {port} RTP/AVP 0", *lines, ""))

    def talk_to(self, answer: str) -> None:
        self._remote = remote_of(answer)
        if not len(self._tasks):
            self._tasks.spawn(self._talk(), name="mouth of a phone")

    async def _talk(self) -> None:
        # A second of it: dozens of telephones talk in one process.
        t = np.arange(PHONE_RATE).reshape(-1, PHONE_FRAME) / PHONE_RATE
        said = [ulaw_encode(pcm) for pcm in (8000 * np.sin(2 * np.pi * self._hertz * t)).astype(np.int16)]
        begun, seq, ssrc = time.monotonic(), 0, secrets.randbits(32)
        while True:
            await asyncio.sleep(max(0.0, begun + seq * 0.02 - time.monotonic()))
            header = struct.pack("!BBHII", 0x80, 0, seq & 0xFFFF, (seq * PHONE_FRAME) & 0xFFFFFFFF, ssrc)
            if self.talking and self._remote is not None:
                self._transport.sendto(self.seal(header + said[seq % len(said)]), self._remote)
            seq += 1

    def send(self, data: bytes, to: tuple[str, int] | None = None) -> None:
        self._transport.sendto(data, to or self._remote)

    def seal(self, packet: bytes) -> bytes:
        """What goes onto the wire for it."""
        return packet

    def unseal(self, data: bytes) -> bytes:
        """What a datagram holds."""
        return data

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.sources.add(addr[:2])
        data = self.unseal(data)
        if len(data) == 12 + PHONE_FRAME and data[1] & 0x7F == 0:
            self.heard.append(data[12:])
        else:
            self.others.append(data)

    def levels(self, *hertz: float) -> list[float]:
        pcm = np.concatenate([ulaw_decode(part) for part in self.heard[-50:]]) if self.heard else np.zeros(1)
        return tones(pcm, PHONE_RATE, hertz)

    async def close(self) -> None:
        await self._tasks.close()
        self._transport.close()


def remote_of(sdp: str) -> tuple[str, int]:
    lines = sdp.splitlines()
    host = next(line.split()[2] for line in lines if line.startswith("c="))
    return host, int(next(line.split()[1] for line in lines if line.startswith("m=audio")))


def tones(pcm: Signal, rate: int, hertz: tuple[float, ...]) -> list[float]:
    """The amplitude of each tone (16 bit full scale: 32768)."""
    window = np.hanning(pcm.size)
    t = np.arange(pcm.size) / rate
    scale = 2 / max(window.sum(), 1e-9)
    return [float(abs((pcm * window * np.exp(-2j * np.pi * f * t)).sum()) * scale) for f in hertz]
