"""Who must not get in, and whom it must not disturb. During each attack a call goes on or is set up, and is heard."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import secrets
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aioice import stun

from confero.protocols.sdp import parse

from ..support.waiting import until
from .others import Others
from .rig import Browser, Rig
from .stranger import Stranger, client_hello, target
from .test_calls import until_hears

WRONG = "sha-256 " + hashlib.sha256(b"somebody else").digest().hex(":").upper()


@asynccontextmanager
async def canary(rig: Rig, seconds: float = 5.0) -> AsyncIterator[None]:
    """A browser and a phone that hear each other before; after it they still do, and so does one who joins then."""
    await rig.room("canary")
    browser, phone = await rig.browser("canary-1", 440, "canary"), await rig.phone("canary-2", 1000, "canary")
    await until_hears(phone, 440)
    await until_hears(browser, 1000)
    yield
    for peer in (browser, phone):
        peer.heard.clear()
    await until_hears(phone, 440, seconds)
    await until_hears(browser, 1000, seconds)
    late = await rig.browser("canary-3", 700, "canary")
    await until_hears(phone, 700, seconds)
    await until_hears(late, 440, seconds)
    assert rig.app.conference.registry.room("canary").participants.keys() >= {"canary-1", "canary-2", "canary-3"}


async def wrong_browser(rig: Rig, name: str, replace: str, *, passive: bool = False) -> Browser:
    """Joins with another fingerprint than its certificate's."""
    browser = Browser(name, 440)
    rig.peers.append(browser)
    offer = re.sub(r"a=fingerprint:.*\r\n", "", await browser.offer())
    if passive:
        offer = offer.replace("a=setup:actpass", "a=setup:passive")
    offer = offer.replace("a=setup:", f"a=fingerprint:{replace}\r\na=setup:")
    reply = await rig.leg(name, sdp=offer)
    browser.leg = reply.leg
    await browser.accept(reply.sdp)
    return browser


@pytest.mark.parametrize("passive", [False, True], ids=["we-are-server", "we-are-client"])
async def test_wrong_fingerprint(rig: Rig, others: Others, passive: bool) -> None:
    async with canary(rig):
        await rig.room()
        browser = await wrong_browser(rig, "mallory", WRONG, passive=passive)
        begun = time.monotonic()
        await until(lambda: rig.state("mallory") == "", "out", 3.0)
        assert time.monotonic() - begun < 1.5
        await until(lambda: others.left("mallory") == ["fingerprint-mismatch"])
        record = next(r for r in others.records if r.participant == "mallory" and r.event == "left")
        assert record.stats["tx_packets"] == 0 and record.stats["rx_packets"] == 0
        assert not [r for r in others.records if r.participant == "mallory" and r.event == "connected"]
        await until(lambda: browser.peer.connectionState in ("failed", "closed"), "the alert")
        assert browser.heard == []


async def test_right_digest_under_another_name(rig: Rig, others: Others) -> None:
    await rig.room()
    browser = Browser("mallory", 440)
    rig.peers.append(browser)
    offer = await browser.offer()
    digest = next(f for f in parse(offer).media[0].fingerprints if f.algorithm == "sha-384").digest
    await browser.peer.close()
    rig.peers.remove(browser)
    # 48 bytes are no sha-256, so the closest forgery is a sha-256 made of half of them.
    await wrong_browser(rig, "mallory", "sha-256 " + digest[:32].hex(":").upper())
    await until(lambda: others.left("mallory") == ["fingerprint-mismatch"])


async def test_several_fingerprints_with_the_right_one_last(rig: Rig) -> None:
    await rig.room()
    browser = Browser("alice", 440)
    rig.peers.append(browser)
    offer = await browser.offer()
    right = next(str(f) for f in parse(offer).media[0].fingerprints if f.algorithm == "sha-256")
    offer = re.sub(r"a=fingerprint:.*\r\n", "", offer)
    offer = offer.replace("a=setup:", f"a=fingerprint:{WRONG}\r\na=fingerprint:{right.lower()}\r\na=setup:")
    reply = await rig.leg("alice", sdp=offer)
    await browser.accept(reply.sdp)
    await until(lambda: rig.state("alice") == "connected")


async def test_a_passive_browser_makes_us_the_client(rig: Rig) -> None:
    await rig.room()
    phone = await rig.phone("bob", 1000)
    browser = Browser("alice", 440)
    rig.peers.append(browser)
    reply = await rig.leg("alice", sdp=(await browser.offer()).replace("a=setup:actpass", "a=setup:passive"))
    assert parse(reply.sdp).media[0].setup == "active"
    await browser.accept(reply.sdp)
    await until_hears(phone, 440)
    await until_hears(browser, 1000)


async def test_a_hello_from_an_unproved_address_does_nothing(rig: Rig) -> None:
    async with canary(rig):
        await rig.room()
        browser = Browser("alice", 440)
        rig.peers.append(browser)
        reply = await rig.leg("alice", sdp=await browser.offer())
        stranger = await Stranger.open()
        for _ in range(20):
            stranger.send(client_hello(), target(reply.sdp))
            stranger.send(client_hello(b"ECDHE-ECDSA-AES128-SHA"), target(reply.sdp))
        await asyncio.sleep(0.2)
        assert stranger.received == []
        await browser.accept(reply.sdp)
        await until(lambda: rig.state("alice") == "connected")
        assert (await rig.stats(reply.leg)).counters["dtls_dropped"] == 0
        stranger.close()


async def test_checks_that_prove_nothing(rig: Rig) -> None:
    """Reliability check R03: no integrity, wrong password, wrong ufrag, swapped halves, forged responses."""
    await rig.room()
    async with canary(rig):
        peer, stranger = await Stranger.open(), await Stranger.open()
        reply = await rig.leg("alice", sdp=peer.offer())
        media, to = parse(reply.sdp).media[0], target(reply.sdp)
        for user, password in (
            (f"{media.ice_ufrag}:{peer.ufrag}", b"wrong password, 22 chars"),
            (f"{media.ice_ufrag}:nobody", str(media.ice_pwd).encode()),
            (f"{peer.ufrag}:{media.ice_ufrag}", str(media.ice_pwd).encode()),
            (f"{media.ice_ufrag}:{peer.ufrag}", None),
        ):
            request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
            request.attributes.update({"USERNAME": user, "PRIORITY": 1, "USE-CANDIDATE": None, "ICE-CONTROLLING": 1})
            if password is not None:
                request.add_message_integrity(password)
            stranger.send(bytes(request), to)
        for _ in range(1000):
            forged = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, secrets.token_bytes(12))
            stranger.send(bytes(forged), to)
        stranger.send(client_hello(), to)
        await asyncio.sleep(0.2)
        assert stranger.received == [] and rig.state("alice") == "connecting"
        assert (await rig.stats(reply.leg)).remote == ""
        answer = await peer.check(reply.sdp)
        assert answer.message_class is stun.Class.RESPONSE
        await until(lambda: rig.app.conference.registry.leg(reply.leg)[0].leg.remote != "", "the honest check")
        for each in (peer, stranger):
            each.close()


async def test_a_flood_of_dtls_on_one_leg_delays_nobody(rig: Rig) -> None:
    await rig.room()
    stranger = await Stranger.open()
    reply = await rig.leg("mallory", sdp=stranger.offer())
    await stranger.check(reply.sdp)
    to, flooding = target(reply.sdp), True

    async def flood() -> int:
        sent, hello = 0, client_hello()
        while flooding:
            for _ in range(40):
                stranger.send(os.urandom(1) + b"\xfe\xfd" + os.urandom(200) if sent % 2 else hello, to)
                stranger.send(bytes([20 + sent % 44]) + os.urandom(300), to)
                sent += 2
            await asyncio.sleep(0.01)
        return sent

    task = asyncio.get_running_loop().create_task(flood())
    begun = time.monotonic()
    phone = await rig.phone("bob", 1000)
    browser = await rig.browser("alice", 440)
    await until(lambda: rig.state("alice") == "connected", "join under the flood", 3.0)
    took = time.monotonic() - begun
    await until_hears(phone, 440)
    await until_hears(browser, 1000)
    await asyncio.sleep(1.0)
    flooding = False
    assert await task > 3000
    assert took < 2.0
    assert (await rig.stats(reply.leg)).counters["dtls_dropped"] > 500
    stranger.close()


async def test_garbage_on_every_media_port(rig: Rig) -> None:
    await rig.room()
    async with canary(rig):
        phone = await rig.phone("bob", 1000)
        stranger = await Stranger.open()
        shared = rig.app.engine.candidates(rig.app.conference.registry.room("r1").number)[0]  # type: ignore[union-attr]
        ports = [shared.port, phone._remote[1], phone._remote[1] + 1]  # type: ignore[index]
        for size in (0, 1, 2, 11, 12, 13, 20, 100, 1200, 1500, 9000):
            for port in ports:
                for first in (0, 1, 20, 22, 63, 64, 128, 144, 191, 192, 255):
                    stranger.send(bytes([first])[:size] + os.urandom(max(0, size - 1)), ("127.0.0.1", port))
        for _ in range(300):
            rtp = struct.pack("!BBHII", 0x80, 0, secrets.randbits(16), secrets.randbits(32), secrets.randbits(32))
            stranger.send(rtp + os.urandom(160), ("127.0.0.1", ports[1]))
        await asyncio.sleep(0.2)
        assert stranger.received == []
        assert rig.state("bob") == "connected"
        stranger.close()


async def test_a_stranger_cannot_say_goodbye_for_a_phone(rig: Rig) -> None:
    await rig.room()
    phone = await rig.phone("bob", 1000)
    await until(lambda: rig.state("bob") == "connected")
    stranger = await Stranger.open()
    bye = struct.pack("!BBHIBBHI", 0x80, 201, 1, 7, 0x81, 203, 1, 7)
    for port in (phone._remote[1], phone._remote[1] + 1):  # type: ignore[index]
        stranger.send(bye, ("127.0.0.1", port))
    await asyncio.sleep(0.2)
    assert rig.state("bob") == "connected"
    phone.send(bye, ("127.0.0.1", phone._remote[1] + 1))  # type: ignore[index]
    await asyncio.sleep(0.1)
    assert rig.state("bob") == "connected"  # from its RTP port: not where its RTCP was announced
    stranger.close()
