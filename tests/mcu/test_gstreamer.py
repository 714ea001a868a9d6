"""Telephones over TCP with GStreamer as the judge: it connects, or is connected to; both sides hear each other."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from confero import models
from confero.protocols.sdp import parse

from ..support.waiting import until
from .gstreamer import GStreamer
from .rig import Phone, Rig, remote_of
from .test_calls import HEARD, UNHEARD

HEAD = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"


def offer(setup: str, port: int, *lines: str) -> str:
    own = (f"m=audio {port} TCP/RTP/AVP 0", f"a=setup:{setup}", "a=connection:new", "a=rtcp-mux", *lines)
    return HEAD + "\r\n".join((*own, ""))


async def they_hear_each_other(gst: GStreamer, phone: Phone) -> None:
    await until(lambda: gst.levels(440)[0] > HEARD, "the telephone at GStreamer's ear", 15)
    await until(lambda: phone.levels(1000)[0] > HEARD, "GStreamer at the telephone's ear", 15)
    await until(lambda: gst.levels(1000)[0] < UNHEARD and phone.levels(440)[0] < UNHEARD, "own voice gone", 15)


async def test_it_connects_to_us(rig: Rig, tmp_path: Path) -> None:
    await rig.room()
    phone = await rig.phone("bob", 440)
    reply = await rig.leg("gst", kind="rtp", sdp=offer("actpass", 9))
    assert parse(reply.sdp).media[0].setup == "passive"
    connection = await asyncio.to_thread(socket.create_connection, remote_of(reply.sdp))
    gst = await GStreamer.start(connection, 1000, tmp_path)
    rig.peers.append(gst)
    await they_hear_each_other(gst, phone)
    assert rig.state("gst") == "connected"
    stats = await rig.stats(reply.leg)
    assert stats.playout["lost"] == stats.playout["undecodable"] == stats.counters["rx_dropped"] == 0


async def test_we_connect_to_it_once_it_is_confirmed(rig: Rig, tmp_path: Path) -> None:
    await rig.room()
    phone = await rig.phone("bob", 440)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        sdp = offer("passive", server.getsockname()[1])
        reply = await rig.leg("gst", kind="rtp", sdp=sdp, confirmed=False)
        media = parse(reply.sdp).media[0]
        assert (media.setup, media.port) == ("active", 9)
        await asyncio.sleep(0.3)
        with pytest.raises(BlockingIOError):
            server.accept()  # no word of proof yet
        await rig.client.call("PATCH", f"/v1/legs/{reply.leg}", body=models.LegPatch(confirmed=True))
        async with asyncio.timeout(5):
            connection, _ = await asyncio.get_running_loop().sock_accept(server)
    gst = await GStreamer.start(connection, 1000, tmp_path)
    rig.peers.append(gst)
    await they_hear_each_other(gst, phone)
    await rig.client.call("DELETE", f"/v1/legs/{reply.leg}")
