"""Plain RTP legs over an engine that only remembers: offers both ways, hold, changes, time."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from confero import models
from confero.clock import FakeClock
from confero.errors import Refused
from confero.mcu.legs.base import GRACE_S
from confero.mcu.legs.rtp import RtpLeg
from confero.media import (
    Address,
    Codec,
    EngineBusy,
    EngineFull,
    EventType,
    JitterBuffer,
    NoPortFree,
    PayloadType,
    SrtpProfile,
)
from confero.protocols.sdp import LocalPorts, LocalSecurity, LocalStream, SdpError, answer_rtp, parse, write
from confero.protocols.sdp.model import REVERSED

from .fakes import FakeEngine, FakeOwner, context, event

HEAD = "v=0\no=- 1 1 IN IP4 198.51.100.1\ns=-\nc=IN IP4 198.51.100.1\nt=0 0\n"
PHONE = HEAD + "m=audio 9000 RTP/AVP 8 101\na=rtpmap:101 telephone-event/8000\n"


class Setup:
    def __init__(self, jitter: JitterBuffer | None = None, **wish: Any) -> None:
        self.engine, self.owner, self.clock = FakeEngine(), FakeOwner(), FakeClock()
        body = models.RtpLegCreate(**({"kind": "rtp", "participant": "p", "display_name": "P"} | wish))
        self.leg = RtpLeg(7, context(self.engine, self.owner, self.clock, jitter=jitter or JitterBuffer()), body)

    @property
    def config(self) -> Any:
        return self.engine.legs[self.leg.number]


def test_answers_a_phone() -> None:
    s = Setup(symmetric=True, signalling="198.51.100.77", media_timeout_s=30)
    answer = parse(s.leg.open(PHONE))
    assert (s.leg.number, s.leg.codec, s.leg.remote) == (7, "PCMA", "198.51.100.1:9000")
    c = s.config
    assert (c.tx.codec, c.tx_pt, c.rx[0].number) == (Codec.PCMA, 8, 8)
    assert (c.remote_rtp, c.remote_rtcp) == (Address("198.51.100.1", 9000), Address("198.51.100.1", 9001))
    assert (c.symmetric, c.signalling, c.media_timeout_ms) == (True, "198.51.100.77", 30_000)
    assert c.sockets.rtcp_port == c.sockets.rtp_port + 1 == answer.media[0].port + 1
    assert answer.media[0].connection and answer.media[0].connection.address == "192.0.2.10"
    assert answer.media[0].formats == ("8", "101")


def test_waits_for_packets_as_set() -> None:
    jitter = JitterBuffer(min_ms=30, max_ms=80)
    s = Setup(jitter)
    s.leg.open(PHONE)
    assert s.config.jitter == jitter


def test_rtcp_mux_needs_one_port() -> None:
    s = Setup()
    s.leg.open(PHONE + "a=rtcp-mux\n")
    assert s.config.sockets.rtp == s.config.sockets.rtcp
    assert s.config.remote_rtcp == s.config.remote_rtp


def test_ipv6() -> None:
    s = Setup()
    answer = parse(s.leg.open(PHONE.replace("IP4 198.51.100.1", "IP6 2001:db8::7")))
    assert answer.media[0].connection and answer.media[0].connection.address == "2001:db8::10"
    assert s.leg.remote == "[2001:db8::7]:9000"


@pytest.mark.parametrize(
    "sdp",
    [
        "nonsense",
        PHONE.replace("AVP 8", "AVP 18"),
        PHONE.replace("c=IN IP4 198.51.100.1", "c=IN IP4 224.0.0.1"),
        PHONE.replace("c=IN IP4 198.51.100.1", "c=IN IP4 pbx.example.org"),
        PHONE.replace("9000", "80"),
        PHONE + "a=rtcp:9001 IN IP4 239.1.1.1\n",
    ],
)
def test_a_refused_offer_binds_nothing(sdp: str) -> None:
    s = Setup()
    with pytest.raises(SdpError):
        s.leg.open(sdp)
    assert s.engine.log == []


def test_no_ports() -> None:
    s = Setup()
    s.engine.fail["open_rtp"] = NoPortFree("none")
    with pytest.raises(Refused) as caught:
        s.leg.open(PHONE)
    assert (caught.value.status, caught.value.code) == (503, "no-ports")


def test_ports_are_closed_when_the_engine_has_no_room() -> None:
    s = Setup()
    s.engine.fail["add_leg"] = EngineFull("full")
    with pytest.raises(EngineFull):
        s.leg.open(PHONE)
    assert s.engine.sockets == set()
    s.leg.close()


def test_hold_in_the_old_way_sends_nothing() -> None:
    s = Setup()
    s.leg.open(PHONE.replace("c=IN IP4 198.51.100.1", "c=IN IP4 0.0.0.0"))
    assert (s.config.remote_rtp, s.config.remote_rtcp) == (None, None)


def test_our_offer_and_its_answer() -> None:
    s = Setup(codecs=("PCMU", "opus"))
    offer = parse(s.leg.open(None))
    assert (s.leg.number, s.leg.codec, s.engine.legs) == (0, "", {})
    assert [c.name for c in offer.media[0].codecs][:2] == ["PCMU", "opus"]
    answer = answer_rtp(offer, LocalStream(9), LocalPorts("198.51.100.1", 9000, 9001))
    s.leg.answer(write(answer.description))
    assert (s.leg.number, s.leg.codec) == (7, "PCMU")
    assert s.config.sockets.rtp_port == offer.media[0].port
    with pytest.raises(Refused) as caught:
        s.leg.answer(write(answer.description))
    assert (caught.value.status, caught.value.code) == (409, "no-offer-pending")


def test_a_bad_answer_leaves_the_offer_open() -> None:
    s = Setup()
    s.leg.open(None)
    for bad in (HEAD, HEAD + "m=audio 9000 RTP/AVP 18\n", HEAD + "m=audio 9 RTP/AVP 0\n"):
        with pytest.raises(SdpError):
            s.leg.answer(bad)
    with pytest.raises(Refused, match="waits for its answer"):
        s.leg.offer(PHONE)
    s.leg.answer(PHONE)
    assert s.leg.number == 7


def test_an_offer_that_is_never_answered_ends_the_leg() -> None:
    s = Setup()
    s.leg.open(None)
    s.clock.advance(299)
    s.leg.tick(s.clock.monotonic())
    assert s.owner.heard == []
    s.clock.advance(2)
    s.leg.tick(s.clock.monotonic())
    assert s.owner.heard == [("failed", "media-timeout")]
    s.leg.close()
    assert s.engine.sockets == set()


def test_hold_and_resume_on_the_same_ports() -> None:
    s = Setup()
    port = parse(s.leg.open(PHONE)).media[0].port
    held = parse(s.leg.offer(PHONE + "a=inactive\n"))
    assert (held.media[0].port, held.media[0].direction) == (port, "inactive")
    assert held.origin.version == parse(s.leg.offer(PHONE)).origin.version - 1
    assert s.engine.said("set_remote") == [
        (7, None, None),
        (7, Address("198.51.100.1", 9000), Address("198.51.100.1", 9001)),
    ]
    assert s.leg.listens
    assert parse(s.leg.offer(PHONE + "a=sendonly\n")).media[0].direction == "recvonly"
    assert not s.leg.listens
    assert s.leg.number == 7


def test_another_address_is_a_command() -> None:
    s = Setup()
    s.leg.open(PHONE)
    s.leg.offer(PHONE.replace("9000", "9010"))
    assert s.engine.said("set_remote")[-1][1] == Address("198.51.100.1", 9010)
    assert s.leg.remote == "198.51.100.1:9010"


@pytest.mark.parametrize("change", [("AVP 8 101", "AVP 0 101"), ("\na=rtpmap", "\na=rtcp-mux\na=rtpmap")])
def test_another_codec_starts_the_stream_anew(change: tuple[str, str]) -> None:
    s = Setup()
    before = parse(s.leg.open(PHONE)).media[0].port
    after = parse(s.leg.offer(PHONE.replace(*change))).media[0].port
    assert after != before
    assert (s.leg.number, list(s.engine.legs), len(s.engine.sockets)) == (100, [100], 1)
    assert s.owner.heard == [("renumbered", "7")]


def test_packets_of_another_length_start_the_stream_anew() -> None:
    s = Setup()
    before = parse(s.leg.open(PHONE + "a=ptime:30\n")).media[0].port
    assert s.config.tx.ptime_ms == 30
    assert parse(s.leg.offer(PHONE + "a=ptime:30\na=inactive\n")).media[0].port == before
    assert parse(s.leg.offer(PHONE)).media[0].port == before  # says nothing: as before
    assert parse(s.leg.offer(PHONE + "a=ptime:60\na=maxptime:40\n")).media[0].port != before
    assert (s.leg.number, s.config.tx.ptime_ms) == (100, 40)


@pytest.mark.parametrize(
    ("media", "codec", "pt", "clock", "tx_rate"),
    [
        ("9 0", Codec.G722, 9, 8000, 0),
        ("100 0\na=rtpmap:100 L16/24000", Codec.L16, 100, 24000, 24000),
        ("100 0\na=rtpmap:100 L16/44100", Codec.PCMU, 0, 8000, 0),
        ("100 0\na=rtpmap:100 L16/16000/2", Codec.PCMU, 0, 8000, 0),
    ],
)
def test_wide_codecs(media: str, codec: Codec, pt: int, clock: int, tx_rate: int) -> None:
    s = Setup(codecs=("G722", "L16", "PCMU"))
    answer = parse(s.leg.open(HEAD + f"m=audio 9000 RTP/AVP {media}\n"))
    c = s.config
    assert (c.tx.codec, c.tx_pt, c.tx.rate) == (codec, pt, tx_rate)
    assert (c.rx[0].number, c.rx[0].codec, c.rx[0].clock_rate) == (pt, codec, clock)
    assert answer.media[0].formats == (str(pt),)


def test_comfort_noise_is_agreed_on() -> None:
    s = Setup()
    answer = parse(s.leg.open(PHONE.replace("AVP 8 101", "AVP 8 13 101")))
    assert answer.media[0].formats == ("8", "13", "101")
    assert s.config.cn_pt == 13
    assert PayloadType(13, Codec.CN, 8000) in s.config.rx
    s.leg.offer(PHONE)  # takes it no longer: the stream starts anew
    assert (s.leg.number, s.config.cn_pt) == (100, 0)


def test_comfort_noise_is_not_for_opus_nor_for_other_clocks() -> None:
    for media in ("96 13\na=rtpmap:96 opus/48000/2", "97 13\na=rtpmap:97 L16/16000"):
        s = Setup(codecs=("opus", "L16"))
        answer = parse(s.leg.open(HEAD + f"m=audio 9000 RTP/AVP {media}\n"))
        assert (s.config.cn_pt, len(answer.media[0].formats)) == (0, 1)


def test_comfort_noise_is_offered_and_answered() -> None:
    s = Setup(codecs=("PCMU", "opus"))
    offer = parse(s.leg.open(None))
    assert "13" in offer.media[0].formats
    s.leg.answer(PHONE.replace("AVP 8 101", "AVP 0 13"))
    assert (s.config.cn_pt, s.leg.codec) == (13, "PCMU")
    plain = Setup(codecs=("opus",))
    assert "13" not in parse(plain.leg.open(None)).media[0].formats


def test_l16_is_taken_only_where_it_is_named() -> None:
    s = Setup()
    s.leg.open(HEAD + "m=audio 9000 RTP/AVP 100 9\na=rtpmap:100 L16/16000\n")
    assert s.leg.codec == "G722"


def test_a_refused_reoffer_changes_nothing() -> None:
    s = Setup()
    s.leg.open(PHONE)
    s.engine.log.clear()
    for bad in ("nonsense", PHONE.replace("AVP 8", "AVP 18"), PHONE.replace("9000", "53")):
        with pytest.raises(SdpError):
            s.leg.offer(bad)
    assert s.engine.log == [] and s.leg.codec == "PCMA"


def test_what_the_engine_says() -> None:
    s = Setup()
    s.leg.open(PHONE)
    s.leg.start()
    assert s.owner.heard == []
    s.leg.handle(event(EventType.MEDIA, leg=7, text="198.51.100.1:9000"))
    s.clock.advance(60)
    s.leg.handle(event(EventType.TIMEOUT, leg=7))
    s.leg.handle(event(EventType.BYE, leg=7))
    assert s.owner.heard == [("connected",), ("failed", "media-timeout"), ("failed", "bye")]


def test_silence_on_hold_is_no_timeout() -> None:
    s = Setup(media_timeout_s=5)
    s.leg.open(PHONE + "a=inactive\n")
    s.clock.advance(100)
    s.leg.handle(event(EventType.TIMEOUT, leg=7))
    s.leg.tick(s.clock.monotonic())
    assert s.owner.heard == []


def test_a_limit_on_silence_is_the_default() -> None:
    s, endless = Setup(), Setup(media_timeout_s=0)
    for each in (s, endless):
        each.leg.open(PHONE)
        each.clock.advance(60 + GRACE_S)
        each.leg.tick(each.clock.monotonic())
    assert (s.config.media_timeout_ms, endless.config.media_timeout_ms) == (60_000, 0)
    assert s.owner.heard == [("failed", "media-timeout")] and endless.owner.heard == []


def test_a_lost_timeout_is_made_up_for() -> None:
    s = Setup(media_timeout_s=10)
    s.leg.open(PHONE)
    for packets in range(1, 20):
        s.engine.stats[7]["rx_packets"] = packets
        s.clock.advance(2)
        s.leg.tick(s.clock.monotonic())
    s.clock.advance(9 + GRACE_S)
    s.leg.tick(s.clock.monotonic())
    assert s.owner.heard == [("connected",)]
    s.clock.advance(1)
    s.leg.tick(s.clock.monotonic())
    assert s.owner.heard == [("connected",), ("failed", "media-timeout")]


def test_a_peer_back_from_hold_has_its_time_again() -> None:
    """The engine has counted the silence of the hold, and its word may come late."""
    s = Setup(media_timeout_s=10)
    s.leg.open(PHONE)
    s.leg.offer(PHONE + "a=inactive\n")
    s.clock.advance(600)
    s.leg.tick(s.clock.monotonic())
    s.leg.offer(PHONE)
    s.leg.handle(event(EventType.TIMEOUT, leg=7))
    s.clock.advance(9)
    s.leg.tick(s.clock.monotonic())
    assert s.owner.heard == []
    s.clock.advance(1)
    s.leg.handle(event(EventType.TIMEOUT, leg=7))
    assert s.owner.heard == [("failed", "media-timeout")]


def test_a_peer_that_never_sends_after_hold_is_found_without_the_engine() -> None:
    s = Setup(media_timeout_s=10)
    s.leg.open(PHONE + "a=recvonly\n")
    s.clock.advance(600)
    s.leg.offer(PHONE)
    s.clock.advance(10 + GRACE_S)
    s.leg.tick(s.clock.monotonic())
    assert s.owner.heard == [("failed", "media-timeout")]


def test_a_peer_that_only_listens_is_connected_at_once() -> None:
    s = Setup()
    s.leg.open(PHONE + "a=recvonly\n")
    s.leg.start()
    assert s.owner.heard == [("connected",)]


def test_a_lost_media_event_is_made_up_for() -> None:
    s = Setup()
    s.leg.open(PHONE)
    s.leg.tick(s.clock.monotonic())
    s.engine.stats[7]["rx_packets"] = 3
    s.leg.tick(s.clock.monotonic())
    s.leg.tick(s.clock.monotonic())
    assert s.owner.heard == [("connected",)]


def test_close_is_idempotent() -> None:
    s = Setup()
    s.leg.open(PHONE)
    s.leg.close()
    s.leg.close()
    assert s.engine.said("remove_leg") == [(7,)] and s.engine.sockets == set()


KEY = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"  # RFC 4568 section 6.1
SECURE = HEAD + f"m=audio 9000 RTP/SAVP 0\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^20\n"
OTHER_KEY = SECURE.replace("WVNf", "AAAA")


def keys_set(s: Setup) -> list[tuple[Any, ...]]:
    return s.engine.said("set_keys")


def test_keys_by_sdes_come_with_the_stream() -> None:
    s = Setup(media_security="required")
    answer = parse(s.leg.open(SECURE))
    assert s.config.secure and not s.config.dtls
    ((number, profile, theirs, ours),) = keys_set(s)
    assert (number, profile) == (7, SrtpProfile.AES128_CM_SHA1_80)
    assert theirs.key + theirs.salt == base64.b64decode(KEY)
    assert answer.media[0].cryptos[0].keys == "inline:" + base64.b64encode(ours.key + ours.salt).decode()
    assert s.leg.security == "sdes"


def test_only_another_key_is_set_again() -> None:
    s = Setup()
    port = parse(s.leg.open(SECURE)).media[0].port
    for again in (SECURE, SECURE + "a=sendonly\n", SECURE.replace("9000", "9004"), SECURE):
        assert parse(s.leg.offer(again)).media[0].port == port
    assert len(keys_set(s)) == 1
    assert parse(s.leg.offer(OTHER_KEY)).media[0].port == port
    assert len(keys_set(s)) == 2 and keys_set(s)[0][3] != keys_set(s)[1][3]  # ours is another one too
    assert s.leg.number == 7


@pytest.mark.parametrize("pair", [(PHONE, SECURE), (SECURE, PHONE)])
def test_protection_that_comes_or_goes_starts_the_stream_anew(pair: tuple[str, str]) -> None:
    s = Setup()
    s.leg.open(pair[0])
    s.leg.offer(pair[1])
    assert (s.leg.number, s.config.secure) == (100, pair[1] is SECURE)


def test_protection_does_not_go_where_it_is_required() -> None:
    s = Setup(media_security="required")
    s.leg.open(SECURE)
    with pytest.raises(SdpError):
        s.leg.offer(PHONE)
    assert (s.leg.number, s.leg.security) == (7, "sdes")


def test_keys_that_the_engine_does_not_take_leave_nothing_behind() -> None:
    s = Setup()
    s.engine.fail["set_keys"] = EngineBusy("busy")
    with pytest.raises(EngineBusy):
        s.leg.open(SECURE)
    assert s.engine.legs == {} and s.engine.sockets == set()
    s.leg.close()


def test_keys_of_our_offer_that_the_engine_does_not_take() -> None:
    s = Setup(media_security="required")
    offer = parse(s.leg.open(None))
    answer = answer_rtp(offer, LocalStream(9), LocalPorts("198.51.100.1", 9000, 9001), LocalSecurity("required"))
    s.engine.fail["set_keys"] = EngineBusy("busy")
    with pytest.raises(EngineBusy):
        s.leg.answer(write(answer.description))
    s.leg.close()
    assert s.engine.legs == {} and s.engine.sockets == set()


def test_who_is_not_confirmed_is_not_proved() -> None:
    s = Setup(confirmed=False)
    s.leg.prove()  # there is nothing yet
    s.leg.open(PHONE)
    assert s.config.unproven and s.engine.said("prove") == []
    s.leg.prove()
    assert s.engine.said("prove") == [(7,)]
    s.leg.offer(PHONE.replace("AVP 8", "AVP 0"))  # a stream anew, to the same host
    assert s.engine.said("prove") == [(7,), (100,)]
    s.leg.offer(PHONE.replace("198.51.100.1", "198.51.100.2"))  # and to another
    assert s.engine.said("prove") == [(7,), (100,)]


@pytest.mark.parametrize("hold", ["a=inactive\n", "a=sendonly\n", "a=recvonly\n", "c=IN IP4 0.0.0.0\n"])
@pytest.mark.parametrize("then", ["", "a=inactive\n", "a=sendonly\n", "c=IN IP4 0.0.0.0\na=sendonly\n"])
def test_hold_in_all_spellings_keeps_ports_and_stream(hold: str, then: str) -> None:
    s = Setup(media_timeout_s=10)
    port = parse(s.leg.open(PHONE)).media[0].port
    for lines in (hold, then, hold, ""):
        answer = parse(s.leg.offer(PHONE + lines)).media[0]
        direction = next((word for word in ("inactive", "sendonly", "recvonly") if word in lines), "sendrecv")
        assert (answer.port, answer.direction) == (port, REVERSED[direction])  # type: ignore[index]
        nowhere = "0.0.0.0" in lines or direction == "inactive"
        assert (s.engine.said("set_remote")[-1][1] is None) == nowhere
    assert (s.leg.number, s.leg.listens) == (7, True)


def test_who_holds_in_the_old_way_may_be_silent() -> None:
    s = Setup(media_timeout_s=10)
    s.leg.open(PHONE)
    s.leg.offer(PHONE + "c=IN IP4 0.0.0.0\n")
    s.clock.advance(600)
    s.leg.tick(s.clock.monotonic())
    s.leg.handle(event(EventType.TIMEOUT, leg=7))
    assert s.owner.heard == []


def test_video_is_declined_and_keeps_its_place() -> None:
    s = Setup()
    offer = HEAD + "m=video 9002 RTP/AVP 97\na=rtpmap:97 H264/90000\na=mid:v\nm=audio 9000 RTP/AVP 8\na=mid:a\n"
    video, audio = parse(s.leg.open(offer)).media
    assert (video.kind, video.port, video.formats, video.mid) == ("video", 0, ("97",), "v")
    assert (audio.kind, audio.port > 0, audio.mid) == ("audio", True, "a")


def test_our_offer_on_a_running_stream() -> None:
    s = Setup()
    port = parse(s.leg.open(PHONE)).media[0].port
    offer = parse(s.leg.ask())
    assert offer.media[0].port != port and len(s.engine.sockets) == 2
    for refused in (s.leg.ask, lambda: s.leg.offer(PHONE)):
        with pytest.raises(Refused) as caught:
            refused()
        assert caught.value.code == "offer-pending"
    s.leg.answer(PHONE.replace("AVP 8", "AVP 0"))
    assert (s.leg.number, s.leg.codec, len(s.engine.sockets)) == (100, "PCMU", 1)
    assert s.config.sockets.rtp_port == offer.media[0].port
    assert s.owner.heard == [("renumbered", "7")]


def test_our_offer_on_a_running_stream_comes_to_nothing() -> None:
    s = Setup()
    s.leg.open(PHONE)
    s.leg.ask()
    s.leg.withdraw()
    with pytest.raises(Refused):
        s.leg.withdraw()
    s.leg.ask()
    with pytest.raises(SdpError):
        s.leg.answer(PHONE.replace("AVP 8 101", "AVP 18"))
    s.clock.advance(301)
    s.leg.tick(s.clock.monotonic())  # nobody answers: the stream goes on
    assert (s.leg.number, len(s.engine.sockets), s.owner.heard) == (7, 1, [])
    s.leg.ask()
    s.leg.close()
    assert s.engine.sockets == set()
