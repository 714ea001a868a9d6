"""A browser's leg over an engine that only remembers: offers, restarts, states and deadlines by a clock moved by hand."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from confero import models
from confero.clock import FakeClock
from confero.errors import Refused
from confero.mcu.legs.base import NewLegNeeded
from confero.mcu.legs.channel import Turnstile
from confero.mcu.legs.dtls import Certificate
from confero.mcu.legs.handshake import DtlsMeans
from confero.mcu.legs.webrtc import WebRtcLeg
from confero.media import Codec, EngineFull, EventType, JitterBuffer, LegKind
from confero.protocols.sdp import SdpError, parse

from .fakes import FakeEngine, FakeOwner, context, event

DATA = Path(__file__).parents[1] / "data" / "sdp"
CHROMIUM = (DATA / "chromium-all.sdp").read_text().replace("\r\n", "\n")
RESTARTED = CHROMIUM.replace("a=ice-ufrag:", "a=ice-ufrag:new").replace("a=ice-pwd:", "a=ice-pwd:new")


@pytest.fixture(scope="module")
def certificate() -> Certificate:
    return Certificate()


class Setup:
    def __init__(self, certificate: Certificate, **settings: Any) -> None:
        self.engine, self.owner, self.clock = FakeEngine(), FakeOwner(), FakeClock()
        where = context(self.engine, self.owner, self.clock, **settings)
        self.leg = WebRtcLeg(7, where, DtlsMeans(certificate, Turnstile()))

    def advance(self, seconds: float, *, checks: int = 0) -> None:
        self.clock.advance(seconds)
        self.engine.stats[7]["stun_checks"] += checks
        self.leg.tick(self.clock.monotonic())


@pytest.fixture
async def opened(certificate: Certificate) -> Setup:
    setup = Setup(certificate)
    setup.leg.open(CHROMIUM)
    return setup


async def test_waits_for_packets_as_set(certificate: Certificate) -> None:
    jitter = JitterBuffer(minimum=True, min_ms=3, max_ms=80)
    s = Setup(certificate, jitter=jitter)
    s.leg.open(CHROMIUM)
    assert s.engine.legs[7].jitter == jitter


async def test_answers_and_enters_the_engine(certificate: Certificate) -> None:
    s = Setup(certificate)
    answer = parse(s.leg.open(CHROMIUM))
    audio = answer.media[0]
    c = s.engine.legs[7]
    assert (c.kind, c.room, c.tx.codec, c.tx.fec, c.tx_pt) == (LegKind.WEBRTC, 1, Codec.OPUS, True, 111)
    assert (c.audio_level_ext, c.mid_ext, c.mid) == (1, 4, "0")
    assert c.jitter == JitterBuffer()
    assert (c.local_ufrag, c.local_pwd) == (audio.ice_ufrag, audio.ice_pwd)
    assert c.remote_ufrag == parse(CHROMIUM).media[0].ice_ufrag
    assert c.ssrc == audio.ssrcs[0].ssrc and c.cname == audio.ssrcs[0].value
    assert [(x.address, x.port) for x in audio.candidates] == [("192.0.2.10", 5000), ("2001:db8::10", 5000)]
    assert audio.fingerprints == (certificate.fingerprint,)
    assert [m.port for m in answer.media] == [5000, 0, 0]
    assert s.leg.codec == "opus"


async def test_credentials_are_long_and_never_alike(certificate: Certificate) -> None:
    answers = [parse(Setup(certificate).leg.open(CHROMIUM)).media[0] for _ in range(3)]
    assert len({a.ice_ufrag for a in answers}) == len({a.ice_pwd for a in answers}) == 3
    assert all(len(a.ice_ufrag or "") >= 8 and len(a.ice_pwd or "") >= 24 for a in answers)


@pytest.mark.parametrize(
    "sdp",
    ["nonsense", CHROMIUM.replace("m=audio", "m=text"), CHROMIUM.replace("a=ice-ufrag:", "a=ice-ufrag:" + "x" * 40)],
)
async def test_a_refused_offer_enters_nothing(certificate: Certificate, sdp: str) -> None:
    s = Setup(certificate)
    with pytest.raises(SdpError):
        s.leg.open(sdp)
    assert s.engine.log == []


async def test_a_full_engine(certificate: Certificate) -> None:
    s = Setup(certificate)
    s.engine.fail["add_leg"] = EngineFull("full")
    with pytest.raises(EngineFull):
        s.leg.open(CHROMIUM)


async def test_a_mid_that_does_not_fit_is_not_sent(certificate: Certificate) -> None:
    s = Setup(certificate)
    long = "m" * 16
    s.leg.open(CHROMIUM.replace("a=mid:0\n", f"a=mid:{long}\n").replace("BUNDLE 0", f"BUNDLE {long}"))
    assert (s.engine.legs[7].mid, s.engine.legs[7].mid_ext) == ("", 0)


async def test_ice_restart_keeps_the_rest(opened: Setup) -> None:
    before = opened.engine.legs[7]
    answer = parse(opened.leg.offer(RESTARTED))
    audio = answer.media[0]
    ufrag = parse(RESTARTED).media[0].ice_ufrag
    assert opened.engine.said("restart_ice") == [(7, audio.ice_ufrag, audio.ice_pwd, ufrag)]
    assert audio.ice_ufrag != before.local_ufrag
    assert audio.setup == "passive" and len(opened.engine.legs) == 1
    again = parse(opened.leg.offer(RESTARTED))
    assert len(opened.engine.said("restart_ice")) == 1
    assert again.media[0].ice_ufrag == audio.ice_ufrag
    assert again.origin.session_id == answer.origin.session_id and again.origin.version > answer.origin.version


async def test_a_reoffer_without_news_keeps_credentials(opened: Setup) -> None:
    first = opened.engine.legs[7].local_ufrag
    assert parse(opened.leg.offer(CHROMIUM)).media[0].ice_ufrag == first
    assert opened.engine.said("restart_ice") == []


async def test_another_certificate_or_role_needs_another_leg(opened: Setup) -> None:
    fingerprint = str(parse(CHROMIUM).media[0].fingerprints[0])
    other = CHROMIUM.replace(fingerprint, "sha-256 " + ":".join(["AA"] * 32))
    for sdp in (other, CHROMIUM.replace("setup:actpass", "setup:passive")):
        with pytest.raises(NewLegNeeded):
            opened.leg.offer(sdp)


async def test_payload_types_must_stay(opened: Setup) -> None:
    moved = CHROMIUM.replace("SAVPF 111", "SAVPF 112").replace(":111 ", ":112 ")
    with pytest.raises(SdpError, match="must stay"):
        opened.leg.offer(moved)
    with pytest.raises(SdpError):
        opened.leg.offer(CHROMIUM.replace("opus/48000", "opus/44100"))
    assert opened.leg.offer(CHROMIUM)


async def test_it_has_offered_nothing(opened: Setup) -> None:
    with pytest.raises(Refused) as caught:
        opened.leg.answer(CHROMIUM)
    assert (caught.value.status, caught.value.code) == (409, "no-offer-pending")


async def test_hold_of_the_peer(opened: Setup) -> None:
    assert opened.leg.listens
    opened.leg.offer(CHROMIUM.replace("a=sendrecv", "a=sendonly"))
    assert not opened.leg.listens


async def test_dtls_that_never_comes_ends_it_at_the_deadline(opened: Setup) -> None:
    opened.leg.handle(event(EventType.ICE_CONNECTED, leg=7, text="198.51.100.1:4000"))
    assert opened.leg.remote == "198.51.100.1:4000"
    opened.advance(7, checks=1)
    opened.advance(7.9, checks=1)
    assert opened.owner.heard == []
    opened.advance(0.2)
    assert opened.owner.heard == [("failed", "dtls-failed")]
    opened.leg.close()


async def test_without_any_check_it_ends_by_ice_timeout(opened: Setup) -> None:
    opened.leg.handle(event(EventType.TIMEOUT, leg=7))
    assert opened.owner.heard == [("failed", "ice-timeout")]


async def test_a_lost_timeout_event_is_made_up_for(opened: Setup) -> None:
    opened.advance(34)
    assert opened.owner.heard == []
    opened.advance(2)
    assert opened.owner.heard == [("failed", "ice-timeout")]


async def test_a_lost_connected_event_is_made_up_for(opened: Setup) -> None:
    opened.advance(1, checks=1)
    opened.advance(14, checks=1)
    opened.advance(1, checks=1)
    assert opened.owner.heard == [("failed", "dtls-failed")]
    opened.leg.close()


async def test_silence_shows_as_disconnected_and_checks_bring_it_back(opened: Setup) -> None:
    opened.leg.handle(event(EventType.ICE_CONNECTED, leg=7))
    opened.leg._has_keys = True
    opened.advance(1, checks=1)
    opened.advance(8)
    assert opened.owner.heard == []
    opened.advance(1)
    opened.advance(1)
    assert opened.owner.heard == [("disconnected",)]
    opened.advance(1, checks=1)
    assert opened.owner.heard == [("disconnected",), ("connected",)]
    opened.leg.close()


async def test_rtcp_bye_of_a_browser_means_little(opened: Setup) -> None:
    opened.leg.handle(event(EventType.BYE, leg=7))
    opened.leg.handle(event(EventType.MEDIA, leg=7))
    assert opened.owner.heard == []


async def test_moves_are_seen(opened: Setup) -> None:
    opened.leg.handle(event(EventType.ICE_MOVED, leg=7, text="198.51.100.2:4000"))
    assert opened.leg.remote == "198.51.100.2:4000"


async def test_close_is_idempotent_and_leaves_no_task(opened: Setup) -> None:
    opened.leg.handle(event(EventType.ICE_CONNECTED, leg=7))
    task = opened.leg._dtls.task
    assert task is not None
    opened.leg.close()
    opened.leg.close()
    await asyncio.wait([task], timeout=1)
    assert task.done() and opened.engine.said("remove_leg") == [(7,)]
    opened.leg.tick(opened.clock.monotonic() + 1000)
    assert opened.owner.heard == []


SIP = models.RtpLegCreate(kind="rtp", participant="p", display_name="P", codecs=("opus",), key_exchange="ice")


def sip_leg(certificate: Certificate) -> Setup:
    s = Setup(certificate)
    s.leg = WebRtcLeg(7, context(s.engine, s.owner, s.clock), DtlsMeans(certificate, Turnstile()), SIP)
    return s


async def test_an_offer_of_ours_waits_outside_the_engine(certificate: Certificate) -> None:
    s = sip_leg(certificate)
    offer = parse(s.leg.open(None))
    assert (s.leg.number, s.engine.legs, offer.media[0].setup) == (0, {}, "actpass")
    with pytest.raises(Refused):
        s.leg.offer(CHROMIUM)
    for bad in ("nonsense", CHROMIUM):  # that is no answer
        with pytest.raises(SdpError):
            s.leg.answer(bad)
    s.clock.advance(299)
    s.leg.tick(s.clock.monotonic())
    assert s.owner.heard == []
    s.clock.advance(1)
    s.leg.tick(s.clock.monotonic())
    assert s.owner.heard == [("failed", "media-timeout")]
    s.leg.close()


async def test_sip_may_change_what_a_browser_may_not(certificate: Certificate) -> None:
    s = sip_leg(certificate)
    s.leg.open(CHROMIUM)
    assert (s.leg.kind, s.leg.number, s.engine.legs[7].kind) == ("rtp", 7, LegKind.WEBRTC)
    s.leg.offer(RESTARTED)
    for other in (
        CHROMIUM.replace(" 111", " 112").replace(":111", ":112"),
        CHROMIUM.replace("a=ice-ufrag", "a=ice-ufrog"),
    ):
        with pytest.raises(NewLegNeeded):
            s.leg.offer(other)
    s.leg.close()


async def test_tcp_is_told_where_the_engine_has_it(certificate: Certificate) -> None:
    s = Setup(certificate)
    s.engine.tcp = True
    candidates = parse(s.leg.open(CHROMIUM)).media[0].candidates
    passive = [(c.address, c.port) for c in candidates if c.transport == "tcp" and c.extra == (("tcptype", "passive"),)]
    assert passive == [("192.0.2.10", 5000), ("2001:db8::10", 5000)]
