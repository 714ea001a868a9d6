"""The engine and browsers: ICE checks on the shared port, DTLS datagrams up and down."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from aioice import stun

from confero.media import (
    Address,
    EventType,
    SrtpKeys,
    SrtpProfile,
)

from .engine_rig import LOCAL, running, webrtc_leg


class Browser(asyncio.DatagramProtocol):
    """The network side of a browser: sends checks and DTLS, keeps what comes."""

    def __init__(self) -> None:
        self.got: asyncio.Queue[bytes] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.got.put_nowait(data)


def binding_request(password: str) -> bytes:
    request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
    request.attributes["USERNAME"] = "ours:peer"
    request.attributes["PRIORITY"] = 1
    request.attributes["ICE-CONTROLLING"] = 5
    request.attributes["USE-CANDIDATE"] = None
    request.add_message_integrity(password.encode())
    return bytes(request)


async def test_ice_and_dtls_over_the_shared_port() -> None:
    loop = asyncio.get_running_loop()
    async with running() as state:
        engine = state.engine
        engine.add_room(1)
        engine.add_leg(webrtc_leg(30, 1))
        (candidate,) = engine.candidates(1)
        assert candidate == Address("127.0.0.1", engine.shared_port(0))
        transport, browser = await loop.create_datagram_endpoint(Browser, remote_addr=candidate)
        transport.sendto(binding_request("a password of our own"))
        event = await state.wait_for(EventType.ICE_CONNECTED, leg=30)
        assert event.text == "{}:{}".format(*transport.get_extra_info("sockname"))
        answer = stun.parse_message(await asyncio.wait_for(browser.got.get(), 5))
        assert answer.message_class is stun.Class.RESPONSE

        assert engine.dtls_take(30) == []
        transport.sendto(b"\x16\xfe\xfdone")
        await state.wait_for(EventType.DTLS, leg=30)
        transport.sendto(b"\x16\xfe\xfdtwo")
        found: list[bytes] = []
        async with asyncio.timeout(5):
            while len(found) < 2:
                found += engine.dtls_take(30)
                await asyncio.sleep(0)
        assert found == [b"\x16\xfe\xfdone", b"\x16\xfe\xfdtwo"]
        engine.dtls_send(30, b"\x16\xfe\xfdback")
        assert await asyncio.wait_for(browser.got.get(), 5) == b"\x16\xfe\xfdback"
        assert engine.leg_stats(30).leg["stun_checks"] == 1

        engine.restart_ice(30, "anew", "a new password of ours", "peer2")
        key = SrtpKeys(bytes(16), bytes(12))
        engine.set_keys(30, SrtpProfile.AEAD_AES_128_GCM, key, key)
        transport.close()


async def test_wrong_password_is_not_connected() -> None:
    loop = asyncio.get_running_loop()
    async with running() as state:
        engine = state.engine
        engine.add_room(1)
        engine.add_leg(webrtc_leg(30, 1))
        transport, browser = await loop.create_datagram_endpoint(Browser, remote_addr=engine.candidates(1)[0])
        transport.sendto(binding_request("some other password"))
        answer = stun.parse_message(await asyncio.wait_for(browser.got.get(), 5))
        assert answer.message_class is stun.Class.ERROR
        assert not [event for event in state.events if event.type is EventType.ICE_CONNECTED]
        transport.close()


async def framed(reader: asyncio.StreamReader) -> bytes:
    """The next frame (RFC 4571)."""
    async with asyncio.timeout(5):
        return await reader.readexactly(int.from_bytes(await reader.readexactly(2)))


def frame(data: bytes) -> bytes:
    return len(data).to_bytes(2) + data


async def test_ice_and_dtls_over_tcp() -> None:
    async with running(replace(LOCAL, tcp=True)) as state:
        engine = state.engine
        engine.add_room(1)
        engine.add_leg(webrtc_leg(30, 1))
        reader, writer = await asyncio.open_connection(*engine.candidates(1)[0])
        request = frame(binding_request("a password of our own"))
        for cut in (request[:1], request[1:30], request[30:]):
            writer.write(cut)
            await asyncio.sleep(0.01)
        event = await state.wait_for(EventType.ICE_CONNECTED, leg=30)
        assert event.text == "{}:{}".format(*writer.get_extra_info("sockname"))
        assert stun.parse_message(await framed(reader)).message_class is stun.Class.RESPONSE
        writer.write(frame(b"\x16\xfe\xfdone") + frame(b"") + frame(b"\x16\xfe\xfdtwo"))
        found: list[bytes] = []
        async with asyncio.timeout(5):
            while len(found) < 2:
                found += engine.dtls_take(30)
                await asyncio.sleep(0)
        assert found == [b"\x16\xfe\xfdone", b"\x16\xfe\xfdtwo"]
        engine.dtls_send(30, b"\x16\xfe\xfdback")
        assert await framed(reader) == b"\x16\xfe\xfdback"
        assert engine.thread_stats(0)["tcp_open"] == 1
        engine.remove_leg(30)
        async with asyncio.timeout(5):
            while await reader.read(4096):
                pass
        writer.close()
