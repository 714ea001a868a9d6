"""Telephones over TCP through a whole MCU: sealed by libsrtp, with RTCP on a connection of its own, through a re-offer."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from typing import Any

from confero import models
from confero.protocols.sdp import Session, parse

from ..support.waiting import until
from .rig import Phone, Rig, remote_of
from .secure import SdesPhone
from .test_calls import HEARD, UNHEARD


class Frames(asyncio.Protocol):
    """One connection: datagrams out and in as RFC 4571 has them; to its phone it is a datagram transport."""

    def __init__(self, took: Callable[[bytes, tuple[str, int]], None]) -> None:
        self._took = took
        self._waiting = b""
        self.closed = False
        self.transport: asyncio.Transport

    @classmethod
    async def open(cls, took: Callable[[bytes, tuple[str, int]], None], to: tuple[str, int]) -> Frames:
        _, made = await asyncio.get_running_loop().create_connection(lambda: cls(took), *to)
        return made

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True

    def data_received(self, data: bytes) -> None:
        self._waiting += data
        while len(self._waiting) >= 2 and len(self._waiting) >= 2 + (size := int.from_bytes(self._waiting[:2])):
            frame, self._waiting = self._waiting[2 : 2 + size], self._waiting[2 + size :]
            self._took(frame, self.transport.get_extra_info("peername"))

    def sendto(self, data: bytes, to: object = None) -> None:
        self.transport.write(len(data).to_bytes(2) + data)

    def get_extra_info(self, name: str) -> Any:
        return self.transport.get_extra_info(name)

    def close(self) -> None:
        self.transport.close()


def over_tcp(offer: str, *lines: str) -> str:
    """What a phone offers over UDP, as one that connects."""
    port = next(line.split()[1] for line in offer.splitlines() if line.startswith("m="))
    text = offer.replace(f"m=audio {port} RTP/", "m=audio 9 TCP/RTP/")
    return text + "\r\n".join(("a=setup:active", *lines, ""))


async def connect(phone: Phone, answer: str) -> Frames:
    phone._transport.close()
    frames = await Frames.open(phone.datagram_received, remote_of(answer))
    phone._transport = frames  # type: ignore[assignment]
    phone.talk_to(answer)
    return frames


async def offer(rig: Rig, leg: str, sdp: str) -> Session:
    """A re-offer, and its answer."""
    body = models.LegSdp(sdp=sdp)
    reply = await rig.client.call("PUT", f"/v1/legs/{leg}/offer", body=body, reply=models.LegReply)
    return parse(reply.sdp)


async def they_hear_each_other(one: Phone, other: Phone) -> None:
    """``one`` says 1000 Hz, ``other`` 440."""
    await until(lambda: one.levels(440)[0] > HEARD and other.levels(1000)[0] > HEARD, "each other", 10)
    await until(lambda: one.levels(1000)[0] < UNHEARD and other.levels(440)[0] < UNHEARD, "own voice gone", 10)


async def test_keys_by_sdes(rig: Rig) -> None:
    await rig.room()
    other, phone = await rig.phone("bob", 440), await SdesPhone.open(1000)
    rig.peers += [phone]
    phone.new_key("AEAD_AES_256_GCM")
    sdp = over_tcp(phone.offer())
    reply = await rig.leg("tcp", kind="rtp", sdp=sdp, media_security="required", confirmed=False)
    assert parse(reply.sdp).media[0].protocol == "TCP/RTP/SAVP"
    await connect(phone, reply.sdp)
    await they_hear_each_other(phone, other)
    assert phone.refused == 0
    assert (await rig.stats(reply.leg)).counters["srtp_failures"] == 0


class Named(Phone):
    """Knows by which source it is known."""

    ssrc = 0

    def seal(self, packet: bytes) -> bytes:
        self.ssrc = int.from_bytes(packet[8:12])
        return packet


async def test_rtcp_on_a_connection_of_its_own(rig: Rig) -> None:
    await rig.room()
    other, phone = await rig.phone("bob", 440), await Named.open(1000)
    rig.peers += [phone]
    reply = await rig.leg("tcp", kind="rtp", sdp=over_tcp(phone.offer()))
    await connect(phone, reply.sdp)
    await they_hear_each_other(phone, other)
    host, port = remote_of(reply.sdp)
    reports: list[bytes] = []
    control = await Frames.open(lambda data, _: reports.append(data), (host, port + 1))
    report = struct.pack("!BBHI", 0x80, 201, 1, phone.ssrc)
    control.sendto(report)
    await until(lambda: any(data[1] == 200 for data in reports), "sender reports", 15)
    assert not [data for data in phone.others if data[1] == 200]
    control.sendto(report + struct.pack("!BBHI", 0x81, 203, 1, phone.ssrc))
    await until(lambda: not rig.state("tcp"), "goodbye", 10)
    await until(lambda: control.closed, "its connection goes too", 10)


async def test_a_re_offer_keeps_the_connection_or_takes_another(rig: Rig) -> None:
    await rig.room()
    other, phone = await rig.phone("bob", 440), await Phone.open(1000)
    rig.peers += [phone]
    sdp = phone.offer("a=rtcp-mux")
    reply = await rig.leg("tcp", kind="rtp", sdp=over_tcp(sdp))
    first = await connect(phone, reply.sdp)
    await they_hear_each_other(phone, other)
    kept = await offer(rig, reply.leg, over_tcp(sdp, "a=connection:existing"))
    assert kept.media[0].tcp_connection == "existing"
    phone.heard.clear()
    await they_hear_each_other(phone, other)
    fresh = await offer(rig, reply.leg, over_tcp(sdp, "a=connection:new"))
    assert (fresh.media[0].tcp_connection, fresh.media[0].port) == ("new", kept.media[0].port)
    phone._transport = await Frames.open(phone.datagram_received, remote_of(reply.sdp))  # type: ignore[assignment]
    phone.heard.clear()
    await they_hear_each_other(phone, other)
    await until(lambda: first.closed, "the first has been let go of", 5)
