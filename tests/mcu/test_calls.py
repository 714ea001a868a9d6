"""Real media through a whole MCU: a browser (aiortc) and telephones hear each other, and what happens to them."""

from __future__ import annotations

import asyncio
import io
import wave
from pathlib import Path

import aiohttp
import numpy as np
import pytest

from confero import models
from confero.clock import SystemClock
from confero.errors import Refused
from confero.protocols.sdp import parse
from confero.protocols.sdp.model import Connection
from confero.tokens import service_token

from ..support.waiting import until
from .fakes import SECRET
from .others import Others
from .rig import Browser, Phone, Rig, tones
from .stranger import Stranger

HEARD = 2000.0
"""Amplitude of a tone that is heard; they are sent with 8000, and aiortc's way from mono to stereo takes 3 dB."""
UNHEARD = 60.0


async def until_hears(peer: Browser | Phone, hertz: float, seconds: float = 10.0) -> None:
    await until(lambda: peer.levels(hertz)[0] > HEARD, f"{hertz} Hz", seconds)


async def test_browser_and_phone_hear_each_other_and_not_themselves(rig: Rig, others: Others) -> None:
    await rig.room()
    browser = await rig.browser("alice", 440)
    phone = await rig.phone("bob", 1000)
    await until_hears(browser, 1000)
    await until_hears(phone, 440)
    await until(lambda: browser.levels(440)[0] < UNHEARD and phone.levels(1000)[0] < UNHEARD, "own voice gone")
    assert rig.state("alice") == rig.state("bob") == "connected"
    assert phone.sources == {(await _remote(rig, phone))}
    stats = await rig.stats(browser.leg)
    assert (stats.kind, stats.codec) == ("webrtc", "opus") and stats.counters["srtp_failures"] == 0
    await _told(others)


async def _remote(rig: Rig, phone: Phone) -> tuple[str, int]:
    config = rig.app.conference.registry.leg(phone.leg)[0].leg._ports  # type: ignore[attr-defined]
    return config.external, config.sockets.rtp_port


async def _told(others: Others) -> None:
    """What browsers and the application server have heard of it."""
    await until(lambda: len([r for r in others.records if r.event == "connected"]) == 2, "records")
    assert [r.event for r in others.records if r.participant == "alice"] == ["joined", "connected"]
    rosters = [e for e in others.events(models.RosterEvent) if isinstance(e, models.RosterEvent)]
    assert [[p.id for p in roster.participants] for roster in rosters][:1] in ([["alice"]], [["alice", "bob"]])
    news = [e for e in others.events(models.ParticipantEvent) if isinstance(e, models.ParticipantEvent)]
    newest = {e.participant.id: e.participant.state for e in news}
    assert newest == {"alice": "connected", "bob": "connected"}
    await until(lambda: others.events(models.SpeakersEvent), "speakers")
    assert others.registered and others.started
    assert others.started[0].boot == others.registered[0].boot


async def test_three_of_one_kind_each(rig: Rig) -> None:
    await rig.room()
    first, second = await rig.browser("a", 440), await rig.browser("b", 660)
    phone = await rig.phone("c", 1000)
    for peer, theirs in ((first, (660, 1000)), (second, (440, 1000)), (phone, (440, 660))):
        for hertz in theirs:
            await until_hears(peer, hertz)


async def test_late_joiner_is_heard_within_a_second_of_ice(rig: Rig) -> None:
    await rig.room()
    phone = await rig.phone("bob", 1000)
    browser = await rig.browser("alice", 440)
    await until(lambda: browser.peer.iceConnectionState == "completed", "ICE")
    begun = asyncio.get_running_loop().time()
    await until(lambda: phone.levels(440)[0] > HEARD / 4, "the first sound", 1.5)
    assert asyncio.get_running_loop().time() - begun < 1.2


async def test_mute_deaf_and_gain(rig: Rig) -> None:
    await rig.room()
    one, two = await rig.phone("one", 440), await rig.phone("two", 1000)
    await until_hears(one, 1000)
    path = f"/v1/legs/{two.leg}"
    view = await rig.client.call("PATCH", path, body=models.LegPatch(muted=True), reply=models.Participant)
    assert view.muted
    await until(lambda: one.levels(1000)[0] < UNHEARD, "silence")
    await rig.client.call("PATCH", path, body=models.LegPatch(muted=False, gain_db=-12), reply=models.Participant)
    await until(lambda: 1200 < one.levels(1000)[0] < 2800, "a quarter")
    await rig.client.call("PATCH", path, body=models.LegPatch(gain_db=18), reply=models.Participant)
    await until(lambda: one.levels(1000)[0] > 10_000, "as loud as it gets")
    await rig.client.call("PATCH", path, body=models.LegPatch(gain_db=0), reply=models.Participant)
    await until_hears(two, 440)
    await rig.client.call("PATCH", path, body=models.LegPatch(deaf=True), reply=models.Participant)
    await until(lambda: two.levels(440)[0] < UNHEARD, "deafness")


async def test_two_rooms_do_not_mix_and_a_leg_can_move(rig: Rig) -> None:
    await rig.room("r1")
    await rig.room("r2")
    one, two, three = await rig.phone("one", 440), await rig.phone("two", 700), await rig.phone("three", 1000, "r2")
    await until_hears(one, 700)
    assert one.levels(1000)[0] < UNHEARD and three.levels(440)[0] < UNHEARD
    await rig.client.call("PATCH", f"/v1/legs/{three.leg}", body=models.LegPatch(room="r1"), reply=models.Participant)
    await until_hears(one, 1000)
    await until_hears(three, 440)
    assert rig.state("three", "r1") == "connected" and rig.state("three", "r2") == ""
    assert two.levels(440)[0] > HEARD


async def test_our_offer_to_a_phone(rig: Rig) -> None:
    await rig.room()
    one, two = await rig.phone("one", 440), await Phone.open(1000)
    rig.peers.append(two)
    reply = await rig.leg("two", kind="rtp", codecs=("PCMU",))
    await rig.client.call("PUT", f"/v1/legs/{reply.leg}/answer", body=models.LegSdp(sdp=two.offer()))
    two.talk_to(reply.sdp)
    await until_hears(one, 1000)
    await until_hears(two, 440)
    assert rig.state("two") == "connected"


async def test_a_phone_changes_codec_hold_and_resume(rig: Rig) -> None:
    await rig.room()
    one, two = await rig.phone("one", 440), await rig.phone("two", 1000)
    await until_hears(two, 440)
    path = f"/v1/legs/{two.leg}/offer"
    held = await rig.client.call("PUT", path, body=models.LegSdp(sdp=two.offer("a=inactive")), reply=models.LegReply)
    assert parse(held.sdp).media[0].direction == "inactive"
    two.heard.clear()
    two.others.clear()
    await until(lambda: one.levels(1000)[0] < UNHEARD, "no voice from hold")
    assert len(two.heard) < 10
    await rig.client.call("PUT", path, body=models.LegSdp(sdp=two.offer()), reply=models.LegReply)
    await until_hears(two, 440)
    await until_hears(one, 1000)


async def test_music_on_hold_is_not_for_the_room(rig: Rig) -> None:
    await rig.room()
    one, two = await rig.phone("one", 440), await rig.phone("two", 1000)
    await until_hears(one, 1000)
    path = f"/v1/legs/{two.leg}/offer"
    held = await rig.client.call("PUT", path, body=models.LegSdp(sdp=two.offer("a=sendonly")), reply=models.LegReply)
    assert parse(held.sdp).media[0].direction == "recvonly"
    await until(lambda: one.levels(1000)[0] < UNHEARD, "what it sends on hold is not heard")
    await rig.client.call("PUT", path, body=models.LegSdp(sdp=two.offer()), reply=models.LegReply)
    await until_hears(one, 1000)


async def test_a_phone_on_symmetric_rtp_is_heard_from_where_it_really_is(rig: Rig) -> None:
    await rig.room()
    one, two = await rig.phone("one", 440), await Phone.open(1000)
    rig.peers.append(two)
    wrong = two.offer().replace(f"m=audio {two.address[1]}", "m=audio 40000")
    reply = await rig.leg("two", kind="rtp", sdp=wrong, symmetric=True)
    two.talk_to(reply.sdp)
    await until_hears(two, 440)
    await until_hears(one, 1000)


async def test_a_phone_behind_nat_is_heard_from_where_its_signalling_comes_from(rig: Rig) -> None:
    """It signals an address of its own network, and nobody else is believed, whatever he sends."""
    await rig.room()
    one, two, thief = await rig.phone("one", 440), await Phone.open(1000), await Phone.open(1700, "127.0.0.9")
    rig.peers += [two, thief]
    inside = two.offer().replace("c=IN IP4 127.0.0.1", "c=IN IP4 10.20.30.40")
    wish = {"kind": "rtp", "symmetric": True, "confirmed": False}
    reply = await rig.leg("two", sdp=inside, signalling="127.0.0.1", **wish)
    thief.talk_to(reply.sdp)
    await asyncio.sleep(0.3)
    two.talk_to(reply.sdp)
    await until_hears(two, 440)
    await until_hears(one, 1000)
    assert one.levels(1700)[0] < UNHEARD and not thief.heard


async def test_the_signalling_moves_to_another_network(rig: Rig) -> None:
    """A telephone that goes from one network to another offers anew from there: its media is awaited from there as well."""
    await rig.room()
    one, two, moved = await rig.phone("one", 440), await Phone.open(1000), await Phone.open(1700, "127.0.0.9")
    rig.peers += [two, moved]
    inside = two.offer().replace("c=IN IP4 127.0.0.1", "c=IN IP4 10.20.30.40")
    reply = await rig.leg("two", kind="rtp", sdp=inside, symmetric=True, confirmed=False, signalling="127.0.0.1")
    two.talk_to(reply.sdp)
    await until_hears(one, 1000)
    two.talking = False
    path = f"/v1/legs/{reply.leg}"
    await rig.client.call("PATCH", path, body=models.LegPatch(signalling="127.0.0.9"), reply=models.Participant)
    fresh = await rig.client.call("PUT", f"{path}/offer", body=models.LegSdp(sdp=inside), reply=models.LegReply)
    moved.talk_to(fresh.sdp)
    await until_hears(one, 1700)
    await until_hears(moved, 440)


async def test_ice_restart_moves_the_media_and_keeps_the_keys(rig: Rig) -> None:
    await rig.room()
    browser, phone = await rig.browser("alice", 440), await rig.phone("bob", 1000)
    await until_hears(phone, 440)
    before = (await rig.stats(browser.leg)).remote
    elsewhere = await Stranger.open()
    offer = str(browser.peer.localDescription.sdp)
    media = parse(offer).media[0]
    restarted = offer.replace(f"a=ice-ufrag:{media.ice_ufrag}", f"a=ice-ufrag:{elsewhere.ufrag}")
    restarted = restarted.replace(f"a=ice-pwd:{media.ice_pwd}", f"a=ice-pwd:{elsewhere.pwd}")
    reply = await rig.client.call(
        "PUT", f"/v1/legs/{browser.leg}/offer", body=models.LegSdp(sdp=restarted), reply=models.LegReply
    )
    assert reply.leg == browser.leg
    assert parse(reply.sdp).media[0].ice_ufrag != media.ice_ufrag
    await until_hears(phone, 440)  # over the old path
    await elsewhere.check(reply.sdp)
    await until(lambda: len(elsewhere.received) > 20, "media over the new path")
    assert all(packet[0] >> 6 == 2 for packet in elsewhere.received)
    after = await rig.stats(browser.leg)
    assert after.remote != before and after.remote == f"127.0.0.1:{elsewhere.address[1]}"
    elsewhere.close()


async def test_a_fresh_leg_replaces_the_earlier_one(rig: Rig, others: Others) -> None:
    await rig.room()
    phone = await rig.phone("bob", 1000)
    first = await rig.browser("alice", 440)
    await until_hears(phone, 440)
    second = await rig.browser("alice", 660)
    await until_hears(phone, 660)
    await until(lambda: phone.levels(440)[0] < UNHEARD, "the earlier leg is gone")
    await until(lambda: first.peer.connectionState == "closed", "the earlier browser hears of it")
    assert first.leg != second.leg
    with pytest.raises(Refused) as caught:
        await rig.stats(first.leg)
    assert (caught.value.status, caught.value.code) == (404, "leg-unknown")
    await until(lambda: others.left("alice") == ["replaced"], "the record")
    assert rig.app.conference.registry.legs == 2


async def test_a_browser_that_closes_is_gone_at_once(rig: Rig, others: Others) -> None:
    await rig.room()
    browser = await rig.browser("alice", 440)
    await until(lambda: browser.peer.connectionState == "connected")
    await until(lambda: rig.state("alice") == "connected")
    await browser.peer.close()
    await until(lambda: rig.state("alice") == "", "gone", 1.0)
    await until(lambda: others.left("alice") == ["bye"])


async def test_removal_says_goodbye_to_both_kinds(rig: Rig) -> None:
    await rig.room()
    browser, phone = await rig.browser("alice", 440), await rig.phone("bob", 1000)
    await until_hears(phone, 440)
    await rig.client.call("DELETE", "/v1/rooms/r1")
    await until(lambda: browser.peer.connectionState == "closed", "close_notify")
    with pytest.raises(Refused):
        await rig.client.call("GET", "/v1/rooms/r1", reply=models.RoomState)


async def test_lost_consent_ends_the_leg(tmp_path: Path, others: Others) -> None:
    rig = Rig(tmp_path, consent_s=4, stale_s=0.5, **await others.start())
    await rig.start()
    try:
        await rig.room()
        stranger = await Stranger.open()
        reply = await rig.leg("alice", sdp=stranger.offer())
        await stranger.check(reply.sdp)
        await until(lambda: rig.state("alice") == "disconnected", "shown first", 4)
        await until(lambda: rig.state("alice") == "", "then ended", 8)
        await until(lambda: others.left("alice") == ["ice-timeout"])
        await until(lambda: others.events(models.RenegotiateEvent), "asked for a fresh offer")
        stranger.close()
    finally:
        await rig.stop()


async def test_silence_of_a_phone_ends_it_when_asked_for(rig: Rig, others: Others) -> None:
    await rig.room()
    phone = await rig.phone("bob", 1000, media_timeout_s=0.5)
    await until(lambda: rig.state("bob") == "connected")
    phone.talking = False
    await until(lambda: rig.state("bob") == "", "gone", 3)
    await until(lambda: others.left("bob") == ["media-timeout"])


async def test_taps(rig: Rig) -> None:
    await rig.room()
    one, two = await rig.phone("one", 440), await rig.phone("two", 1000)
    await until_hears(two, 440)
    await until_hears(one, 1000)
    await _taps(rig, f"/v1/legs/{one.leg}/tap?point=in&seconds=1", [True, False])
    await _taps(rig, f"/v1/legs/{one.leg}/tap?point=out&seconds=1", [False, True])
    await _taps(rig, "/v1/rooms/r1/tap?seconds=1", [True, True])


async def _taps(rig: Rig, path: str, expected: list[bool]) -> None:
    """Whether 440 and 1000 Hz are heard there. A machine so busy that the telephones falter gets another second."""
    for _ in range(4):
        if await _tap(rig, path, 440, 1000) == expected:
            return
    assert await _tap(rig, path, 440, 1000) == expected


async def _tap(rig: Rig, path: str, *hertz: float) -> list[bool]:
    token = service_token("lab", "mcu", secret=SECRET, now=SystemClock().wall())
    assert rig.app.listener is not None
    async with (
        aiohttp.ClientSession() as http,
        http.get(rig.app.listener.url + path, headers={"Authorization": f"Bearer {token}"}) as response,
    ):
        assert (response.status, response.content_type) == (200, "audio/wav")
        data = await response.read()
    with wave.open(io.BytesIO(data)) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getnframes()) == (48_000, 1, 48_000)
        pcm = np.frombuffer(sound.readframes(48_000), "<i2").astype(np.float64)
    return [level > HEARD for level in tones(pcm, 48_000, hertz)]


async def test_ipv6(tmp_path: Path) -> None:
    rig = Rig(tmp_path, media_bind=["127.0.0.1", "::1"])
    await rig.start()
    try:
        await rig.room()
        browser, phone = await rig.browser("alice", 440, host="::1"), await rig.phone("bob", 1000, host="::1")
        old = await rig.phone("carol", 1500)
        await until_hears(browser, 1000)
        await until_hears(phone, 440)
        await until_hears(old, 1000)
        assert (await rig.stats(browser.leg)).remote.startswith("[::1]:")
        assert {host for host, _ in phone.sources} == {"::1"} and {host for host, _ in old.sources} == {"127.0.0.1"}
    finally:
        await rig.stop()


async def test_one_to_one_nat_is_told_to_peers(tmp_path: Path) -> None:
    rig = Rig(tmp_path, media_bind=["0.0.0.0"], media_advertise=["127.0.0.77=127.0.0.1", "127.0.0.1"])
    await rig.start()
    try:
        await rig.room()
        first, second = await rig.browser("alice", 440), await rig.browser("bob", 1000)
        await until_hears(first, 1000)
        await until_hears(second, 440)
        remote = str(first.peer.remoteDescription.sdp)
        told = [(c.transport, c.address) for c in parse(remote).media[0].candidates]
        assert told == [(way, address) for way in ("udp", "tcp") for address in ("127.0.0.77", "127.0.0.1")]
        phone = await Phone.open(700)
        rig.peers.append(phone)
        reply = await rig.leg("carol", kind="rtp", sdp=phone.offer())
        assert parse(reply.sdp).connection == Connection("127.0.0.77")
        ports = rig.app.conference.registry.leg(reply.leg)[0].leg._ports  # type: ignore[attr-defined]
        assert (ports.sockets.address, ports.external) == ("127.0.0.1", "127.0.0.77")
    finally:
        await rig.stop()


async def test_works_alone(lonely: Rig) -> None:
    """No notifier, no application server: media goes on."""
    await lonely.room()
    browser, phone = await lonely.browser("alice", 440), await lonely.phone("bob", 1000)
    await until_hears(browser, 1000)
    await until_hears(phone, 440)
