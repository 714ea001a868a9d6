"""Protected RTP legs through a whole MCU: phones with keys of their own hear and are heard, and nobody else does."""

from __future__ import annotations

import secrets

import pytest

from confero import models
from confero.errors import Refused
from confero.protocols.sdp import parse

from ..support.waiting import until
from .rig import Browser, Phone, Rig
from .secure import SUITES, DtlsPhone, SdesPhone, join
from .test_calls import UNHEARD, until_hears


async def sdes_phone(suite: str = "AES_CM_128_HMAC_SHA1_80", hertz: float = 1000) -> SdesPhone:
    phone = await SdesPhone.open(hertz)
    phone.new_key(suite)
    return phone


async def reoffer(rig: Rig, phone: Phone, sdp: str) -> models.LegReply:
    return await rig.client.call(
        "PUT", f"/v1/legs/{phone.leg}/offer", body=models.LegSdp(sdp=sdp), reply=models.LegReply
    )


@pytest.mark.parametrize("suite", SUITES)
async def test_each_suite_both_ways(rig: Rig, suite: str) -> None:
    await rig.room()
    one, two = await rig.phone("one", 440), await sdes_phone(suite)
    answer = parse(await join(rig, two, "two", two.offer("a=rtcp-mux"), media_security="required"))
    assert (answer.media[0].protocol, answer.media[0].cryptos[0].suite) == ("RTP/SAVP", suite)
    await until_hears(one, 1000)
    await until_hears(two, 440)
    stats = await rig.stats(two.leg)
    assert (stats.security, stats.counters["srtp_failures"], two.refused) == ("sdes", 0, 0)
    await until(lambda: two.others, "a report", 8.0)
    assert two.refused == 0  # reports are opened as well
    stats = await rig.stats(two.leg)
    assert stats.incoming and stats.outgoing and min(stats.incoming.mos, stats.outgoing.mos) > 4.2


async def test_keys_for_those_who_have_them_on_rtp_avp(rig: Rig) -> None:
    await rig.room()
    one, two = await rig.phone("one", 440), await sdes_phone()
    answer = parse(await join(rig, two, "two", two.offer(protocol="RTP/AVP")))
    assert (answer.media[0].protocol, len(answer.media[0].cryptos)) == ("RTP/AVP", 1)
    await until_hears(two, 440)
    await until_hears(one, 1000)


async def test_what_is_not_protected_is_not_heard(rig: Rig) -> None:
    """Whoever knows the ports, and has no key."""
    await rig.room()
    one, two = await rig.phone("one", 440), await sdes_phone()
    await join(rig, two, "two", two.offer())
    await until_hears(one, 1000)
    two.seal = lambda packet: packet  # type: ignore[method-assign]
    await until(lambda: one.levels(1000)[0] < UNHEARD, "silence")
    before = (await rig.stats(two.leg)).counters
    assert before["srtp_failures"] > 0
    await until_hears(two, 440)  # it goes on hearing


async def test_another_key_under_way(rig: Rig) -> None:
    """The peer's new key is answered by one of ours; the ports stay."""
    await rig.room()
    one, two = await rig.phone("one", 440), await sdes_phone()
    first = parse(await join(rig, two, "two", two.offer()))
    await until_hears(two, 440)
    await until_hears(one, 1000)
    two.new_key("AEAD_AES_256_GCM")
    reply = await reoffer(rig, two, two.offer())
    second = parse(reply.sdp)
    assert (reply.leg, second.media[0].port) == (two.leg, first.media[0].port)
    assert second.media[0].cryptos != first.media[0].cryptos
    two.talk_to(reply.sdp)
    one.heard.clear()
    two.heard.clear()
    await until_hears(one, 1000)
    await until_hears(two, 440)


async def test_a_key_that_stays_goes_on_without_a_gap(rig: Rig) -> None:
    """Session timers repeat the offer: no key is set again, or its counters would begin anew."""
    await rig.room()
    one, two = await rig.phone("one", 440), await sdes_phone()
    first = await join(rig, two, "two", two.offer())
    await until_hears(two, 440)
    for _ in range(3):
        again = await reoffer(rig, two, two.offer())
        assert parse(again.sdp).media[0].cryptos == parse(first).media[0].cryptos
    held = await reoffer(rig, two, two.offer("a=inactive"))
    assert parse(held.sdp).media[0].direction == "inactive"
    await reoffer(rig, two, two.offer())
    two.heard.clear()
    await until_hears(two, 440)
    await until_hears(one, 1000)
    assert two.refused == 0 and (await rig.stats(two.leg)).counters["srtp_replays"] == 0


async def test_our_protected_offer(rig: Rig) -> None:
    await rig.room()
    one, two = await rig.phone("one", 440), await sdes_phone("AES_CM_128_HMAC_SHA1_32")
    rig.peers.append(two)
    reply = await rig.leg("two", kind="rtp", codecs=("PCMU",), media_security="required")
    two.leg = reply.leg
    offered = parse(reply.sdp).media[0]
    assert offered.protocol == "RTP/SAVP" and {c.suite for c in offered.cryptos} == set(SUITES)
    ours = next(c for c in offered.cryptos if c.suite == two.suite)
    await rig.client.call(
        "PUT",
        f"/v1/legs/{reply.leg}/answer",
        body=models.LegSdp(sdp=two.offer().replace("crypto:1", f"crypto:{ours.tag}")),
    )
    others = [c for c in offered.cryptos if c is not ours]
    text = reply.sdp
    for crypto in others:
        text = text.replace(f"a=crypto:{crypto.tag} {crypto.suite} {crypto.keys}\r\n", "")
    two.talk_to(text)
    await until_hears(one, 1000)
    await until_hears(two, 440)


@pytest.mark.parametrize("wish", [{"media_security": "required"}, {"media_security": "none"}])
async def test_what_the_policy_refuses(rig: Rig, wish: dict[str, str]) -> None:
    await rig.room()
    required = wish["media_security"] == "required"
    phone = await Phone.open(440) if required else await sdes_phone()
    rig.peers.append(phone)
    with pytest.raises(Refused) as caught:
        await rig.leg("one", kind="rtp", sdp=phone.offer(), **wish)
    assert (caught.value.status, caught.value.code) == (422, "sdp-no-usable-media")


@pytest.mark.parametrize("setup", ["actpass", "active", "passive"])
async def test_dtls_in_each_role(rig: Rig, setup: str) -> None:
    await rig.room()
    one, two = await rig.phone("one", 440), await DtlsPhone.open(1000)
    answer = parse(await join(rig, two, "two", two.offer(setup=setup), media_security="required"))
    assert answer.media[0].setup == ("active" if setup == "passive" else "passive")
    assert answer.media[0].protocol == "UDP/TLS/RTP/SAVP" and answer.media[0].rtcp_mux
    await until_hears(one, 1000)
    await until_hears(two, 440)
    assert (await rig.stats(two.leg)).security == "dtls" and rig.state("two") == "connected"


async def test_dtls_goes_on_through_hold(rig: Rig) -> None:
    await rig.room()
    one, two = await rig.phone("one", 440), await DtlsPhone.open(1000)
    answer = parse(await join(rig, two, "two", two.offer()))
    await until_hears(one, 1000)
    for lines in (("a=sendonly",), ("a=inactive",), ()):
        reply = await reoffer(rig, two, two.offer(*lines))
        assert parse(reply.sdp).media[0].port == answer.media[0].port
        assert parse(reply.sdp).media[0].setup == "passive"
    two.heard.clear()
    await until_hears(two, 440)


async def test_dtls_with_another_certificate(rig: Rig) -> None:
    await rig.room()
    phone = await DtlsPhone.open(440)
    wrong = secrets.token_bytes(32).hex(":").upper()
    rig.peers.append(phone)
    reply = await rig.leg("mallory", kind="rtp", sdp=phone.offer().replace(phone.fingerprint(), wrong))
    phone.leg = reply.leg
    phone.talk_to(reply.sdp)
    await until(lambda: rig.state("mallory") == "", "out", 3.0)
    assert phone.heard == []


async def test_a_dtls_phone_behind_nat_is_followed(rig: Rig) -> None:
    """Its description has an address that nobody answers at."""
    await rig.room()
    one, two = await rig.phone("one", 440), await DtlsPhone.open(1000)
    offer = two.offer().replace(f"m=audio {two.address[1]}", "m=audio 40000")
    await join(rig, two, "two", offer, symmetric=True)
    await until_hears(one, 1000)
    await until_hears(two, 440)


async def test_a_browser_that_speaks_sip(rig: Rig) -> None:
    """ICE and DTLS in an offer that came by SIP: the leg is one of RTP for its owner, and may change rooms."""
    await rig.room()
    one, browser = await rig.phone("one", 440), Browser("two", 1000)
    rig.peers.append(browser)
    reply = await rig.leg("two", kind="rtp", sdp=await browser.offer(), codecs=("opus",), media_security="required")
    browser.leg = reply.leg
    await browser.accept(reply.sdp)
    await until_hears(one, 1000)
    await until_hears(browser, 440)
    stats = await rig.stats(browser.leg)
    assert (stats.kind, stats.security, stats.codec) == ("rtp", "dtls", "opus")


async def test_a_browser_that_is_called_by_sip(rig: Rig) -> None:
    """The offer is ours, with ICE and DTLS."""
    await rig.room()
    one, browser = await rig.phone("one", 440), Browser("two", 1000)
    rig.peers.append(browser)
    reply = await rig.leg("two", kind="rtp", key_exchange="ice", media_security="required", codecs=("opus", "PCMU"))
    browser.leg = reply.leg
    answer = models.LegSdp(sdp=await browser.answer(reply.sdp))
    await rig.client.call("PUT", f"/v1/legs/{reply.leg}/answer", body=answer)
    await until_hears(one, 1000)
    await until_hears(browser, 440)
    assert (await rig.stats(browser.leg)).security == "dtls"
    with pytest.raises(Refused):
        await rig.client.call("PUT", f"/v1/legs/{reply.leg}/answer", body=answer)


async def test_a_browser_of_sip_goes_over_to_a_telephone(rig: Rig) -> None:
    """A transfer: the next offer of the same call is a telephone's, then another's with keys. The leg is another each time."""
    await rig.room()
    one, browser = await rig.phone("one", 440), Browser("two", 1000)
    rig.peers.append(browser)
    reply = await rig.leg("two", kind="rtp", sdp=await browser.offer(), owner="gw-1")
    browser.leg = reply.leg
    await browser.accept(reply.sdp)
    await until_hears(one, 1000)
    phone = await sdes_phone(hertz=700)
    rig.peers.append(phone)
    phone.leg = browser.leg
    moved = await reoffer(rig, phone, phone.offer())
    assert moved.leg != browser.leg and rig.app.conference.leases.renew("gw-1") == [moved.leg]
    phone.leg = moved.leg
    phone.talk_to(moved.sdp)
    await until_hears(one, 700)
    await until_hears(phone, 440)
    await until(lambda: one.levels(1000)[0] < UNHEARD, "the browser is gone")


async def test_nothing_is_sent_before_the_peer_is_known_to_want_it(rig: Rig) -> None:
    await rig.room()
    one, two = await rig.phone("one", 440), await Phone.open(1000)
    two.talking = False
    await join(rig, two, "two", two.offer(), confirmed=False)
    await until_hears_self(one)
    assert two.heard == [] and two.others == []
    patch = models.LegPatch(confirmed=True)
    await rig.client.call("PATCH", f"/v1/legs/{two.leg}", body=patch, reply=models.Participant)
    await until_hears(two, 440)
    assert (await rig.stats(two.leg)).counters["rx_packets"] == 0


async def until_hears_self(one: Phone) -> None:
    """Long enough that a second of sound was due."""
    count = len(one.heard)
    await until(lambda: len(one.heard) > count + 50, "a second")


async def test_a_packet_proves_that_the_peer_is_there(rig: Rig) -> None:
    await rig.room()
    one, two = await rig.phone("one", 440), await Phone.open(1000)
    await join(rig, two, "two", two.offer(), confirmed=False)
    await until_hears(two, 440)
    await until_hears(one, 1000)


async def test_our_offer_on_a_running_leg(rig: Rig) -> None:
    """As a re-INVITE without a description asks for it: other ports, and the sound goes on before and after."""
    await rig.room()
    one, two = await rig.phone("one", 440), await rig.phone("two", 1000)
    await until_hears(one, 1000)
    path = f"/v1/legs/{two.leg}/offer"
    withdrawn = await rig.client.call("POST", path, reply=models.LegReply)
    with pytest.raises(Refused) as caught:
        await rig.client.call("POST", path, reply=models.LegReply)
    assert caught.value.code == "offer-pending"
    await rig.client.call("DELETE", path)
    await until_hears(one, 1000)
    asked = await rig.client.call("POST", path, reply=models.LegReply)
    assert parse(asked.sdp).origin.version == parse(withdrawn.sdp).origin.version + 1
    await rig.client.call("PUT", f"/v1/legs/{two.leg}/answer", body=models.LegSdp(sdp=two.offer()))
    two.talk_to(asked.sdp)
    one.heard.clear()
    two.heard.clear()
    await until_hears(one, 1000)
    await until_hears(two, 440)
    await until(lambda: two.levels(1000)[0] < UNHEARD, "its own voice is gone")
