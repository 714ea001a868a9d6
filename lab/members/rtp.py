"""A G.711 phone without SIP: plain RTP from a socket of its own, paced by the clock, its leg asked of the MCU."""

from __future__ import annotations

import asyncio
import secrets
import time

import numpy as np

from confero.ids import new_id
from confero.lab.signals import g711
from confero.lab.signals.sources import RATE, Signal, from_pcm16, resample, to_pcm16
from confero.models import LegReply, RtpLegCreate
from confero.protocols.rtp import RtpError, RtpPacket
from confero.runtime.client import ServiceClient
from confero.runtime.tasks import TaskBag

from .base import Recording

PCMU = 0
PHONE_RATE = 8000
FRAME = 160
FRAME_S = FRAME / PHONE_RATE
REORDER_WINDOW = 1000


class RtpMember(asyncio.DatagramProtocol):
    """Sends mu-law at 50 packets/s and records what comes back, each packet in its place by its RTP timestamp."""

    def __init__(
        self,
        name: str,
        said: Signal,
        *,
        mcu: ServiceClient,
        room: str,
        host: str,
        port: int = 0,
        symmetric: bool = False,
    ) -> None:
        self.name = name
        self.said = said
        self.said_at: float | None = None
        self.heard = Recording()
        self.participant = new_id("phone")
        self.leg = ""
        self.packets_received = 0
        self.packets_malformed = 0
        self._mcu = mcu
        self._room = room
        self._host, self._port = host, port
        self._symmetric = symmetric
        self._payloads = _frames(said)
        self._transport: asyncio.DatagramTransport | None = None
        self.remote: tuple[str, int] | None = None
        """Where the MCU listens; None before the answer."""
        self._tasks = TaskBag()
        self._ear: _Ear = _Ear(self.heard)
        self._hearing = asyncio.Event()

    async def join(self) -> None:
        """Sends to where the answer to its offer says, and waits for the first packet (5 s)."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(self._host, self._port))
        self._port = self._transport.get_extra_info("sockname")[1]
        self.remote = remote_of(await self._call())
        self._tasks.spawn(self._talk(), name=f"lab-phone-{self.name}")
        async with asyncio.timeout(5):
            await self._hearing.wait()

    async def _call(self) -> str:
        """Asks the MCU itself for a leg: the answer to our offer."""
        body = RtpLegCreate(
            kind="rtp",
            participant=self.participant,
            display_name=self.name,
            sdp=self.offer(),
            symmetric=self._symmetric,
        )
        reply = await self._mcu.call("POST", f"/v1/rooms/{self._room}/legs", body=body, reply=LegReply)
        self.leg = reply.leg
        return reply.sdp

    async def leave(self) -> None:
        """Idempotent; the leg is removed at the MCU."""
        await self._tasks.close()
        if self._transport is not None:
            self._transport.close()
            self._transport = None
            await self._mcu.call("DELETE", f"/v1/legs/{self.leg}?reason=left")

    def send_raw(self, data: bytes) -> None:
        """One datagram of any content to the leg's RTP port, from the very address that the offer named."""
        if self._transport is not None and self.remote is not None:
            self._transport.sendto(data, self.remote)

    def offer(self) -> str:
        """What a simple phone offers: PCMU and telephone-event."""
        family = "IP6" if ":" in self._host else "IP4"
        lines = (
            "v=0",
            f"o=- {secrets.randbelow(1 << 32)} 1 IN {family} {self._host}",
            "s=-",
            f"c=IN {family} {self._host}",
            "t=0 0",
            f"m=audio {self._port} RTP/AVP {PCMU} 101",
            "a=rtpmap:0 PCMU/8000",
            "a=rtpmap:101 telephone-event/8000",
            "a=fmtp:101 0-15",
            "a=ptime:20",
            "a=sendrecv",
            "",
        )
        return "\r\n".join(lines)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        try:
            packet = RtpPacket.decode(data)
        except RtpError:
            self.packets_malformed += 1
            return
        if packet.payload_type == PCMU:
            self.packets_received += 1
            self._ear.hear(packet, time.monotonic())
            self._hearing.set()

    async def _talk(self) -> None:
        """50 packets/s on an absolute schedule, so that a late wake-up is made up for and the clock does not drift."""
        ssrc, sequence, timestamp = secrets.randbits(32), secrets.randbits(16), secrets.randbits(32)
        start = time.monotonic()
        self.said_at = start - FRAME_S  # a frame is sent when a microphone would have filled it
        for index in range(1 << 31):
            payload = self._payloads[index % len(self._payloads)]
            packet = RtpPacket(PCMU, sequence + index, timestamp + index * FRAME, ssrc, payload, marker=index == 0)
            self.send_raw(packet.encode())
            await asyncio.sleep(max(0.0, start + (index + 1) * FRAME_S - time.monotonic()))


class _Ear:
    """Puts packets in order by timestamp; what is missing when the window has passed is silence."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._next: int | None = None

    def hear(self, packet: RtpPacket, now: float) -> None:
        if self._next is None:
            self._next = packet.timestamp
        gap = (packet.timestamp - self._next + (1 << 31)) % (1 << 32) - (1 << 31)
        if gap < 0 or gap > REORDER_WINDOW * FRAME:
            return  # late or from another stream: a phone would drop it too
        pcm = np.concatenate([np.zeros(gap, dtype=np.int16), g711.ulaw_decode(packet.payload)])
        self._next = (packet.timestamp + len(packet.payload)) % (1 << 32)
        self._recording.add(resample(from_pcm16(pcm), PHONE_RATE, RATE), now)


def _frames(said: Signal) -> list[bytes]:
    """The signal as 20 ms mu-law payloads; its length must be a multiple of 20 ms to loop without a seam."""
    samples = to_pcm16(resample(said, RATE, PHONE_RATE))
    return [g711.ulaw_encode(samples[i : i + FRAME]) for i in range(0, samples.size - FRAME + 1, FRAME)]


def remote_of(sdp: str) -> tuple[str, int]:
    """Address and port of the first audio section of an answer. Raises ValueError when there is none."""
    host, port = "", 0
    for line in sdp.splitlines():
        if line.startswith("c=IN "):
            host = line.split()[2]
        if line.startswith("m=audio "):
            port = int(line.split()[1])
    if not host or not port:
        raise ValueError("the answer names no address and port for audio")
    return host, port
