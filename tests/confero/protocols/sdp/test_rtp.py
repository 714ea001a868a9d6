"""Plain RTP: answers to phones, our own offers, and the answers to them."""

from __future__ import annotations

from pathlib import Path

import pytest

from confero.protocols.sdp import (
    Endpoint,
    LocalPorts,
    LocalStream,
    RtpAgreement,
    SdpError,
    answer_rtp,
    apply_answer,
    offer_rtp,
    parse,
    write,
)

DATA = Path(__file__).parents[3] / "data" / "sdp"
STREAM = LocalStream(session_id=5, ssrc=9)
PORTS = LocalPorts("192.0.2.10", 6000, 6001)
HEAD = "v=0\no=- 1 1 IN IP4 192.0.2.7\ns=-\nc=IN IP4 192.0.2.7\nt=0 0\n"
PHONE = HEAD + "m=audio 9000 RTP/AVP 8 0 101\na=rtpmap:101 telephone-event/8000\na=fmtp:101 0-15\n"


def agree(text: str, stream: LocalStream = STREAM) -> RtpAgreement:
    agreed = answer_rtp(parse(text), stream, PORTS)
    assert parse(write(agreed.description)) == agreed.description
    return agreed


def test_a_phone() -> None:
    agreed = agree(PHONE)
    media = agreed.description.media[0]
    assert (media.port, media.protocol, media.formats, media.direction) == (6000, "RTP/AVP", ("8", "101"), "sendrecv")
    assert (media.ptime, media.rtcp, media.rtcp_mux) == (20, None, False)
    assert agreed.send.name == "PCMA" and agreed.events and agreed.events.pt == 101
    assert agreed.remote_rtp == Endpoint("192.0.2.7", 9000)
    assert agreed.remote_rtcp == Endpoint("192.0.2.7", 9001)


def test_real_phones() -> None:
    baresip = agree((DATA / "baresip.sdp").read_text())
    assert (baresip.send.name, baresip.send.pt, baresip.ptime) == ("opus", 96, 20)
    ffmpeg = agree((DATA / "ffmpeg-g711.sdp").read_text())
    assert (ffmpeg.send.name, ffmpeg.events) == ("PCMU", None)
    assert ffmpeg.description.media[0].formats == ("0",)


def test_the_offerers_order_holds_within_what_we_may_use() -> None:
    assert agree(PHONE, LocalStream(1, codecs=("opus", "PCMU"))).send.name == "PCMU"


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("sendrecv", "sendrecv"), ("sendonly", "recvonly"), ("recvonly", "sendonly"), ("inactive", "inactive")],
)
def test_hold(theirs: str, ours: str) -> None:
    assert agree(PHONE + f"a={theirs}\n").direction == ours
    assert agree(PHONE.replace("t=0 0", f"t=0 0\na={theirs}")).description.media[0].direction == ours


def test_hold_in_the_old_way() -> None:
    agreed = agree(PHONE.replace("c=IN IP4 192.0.2.7", "c=IN IP4 0.0.0.0"))
    assert agreed.remote_rtp is None and agreed.remote_rtcp is None
    assert agree(PHONE.replace("c=IN IP4 192.0.2.7", "c=IN IP6 ::")).remote_rtp is None


def test_where_rtcp_goes() -> None:
    assert agree(PHONE + "a=rtcp:9100\n").remote_rtcp == Endpoint("192.0.2.7", 9100)
    assert agree(PHONE + "a=rtcp:9100 IN IP4 192.0.2.8\n").remote_rtcp == Endpoint("192.0.2.8", 9100)
    assert agree(PHONE + "a=rtcp:0\n").remote_rtcp is None
    muxed = agree(PHONE + "a=rtcp-mux\na=rtcp:9100\n")
    assert muxed.rtcp_mux and muxed.description.media[0].rtcp_mux
    assert muxed.remote_rtcp == muxed.remote_rtp
    assert agree(PHONE.replace("audio 9000", "audio 65535")).remote_rtcp is None


def test_our_rtcp_port_is_said_where_it_is_not_the_next() -> None:
    apart = answer_rtp(parse(PHONE), STREAM, LocalPorts("192.0.2.10", 6000, 6011))
    assert apart.description.media[0].rtcp is not None and apart.description.media[0].rtcp.port == 6011


def test_other_sections_are_declined() -> None:
    agreed = agree(HEAD + "m=video 9002 RTP/AVP 34\nm=audio 9000 RTP/AVP 0\nm=audio 9004 RTP/AVP 0\n")
    assert [m.port for m in agreed.description.media] == [0, 6000, 0]
    assert agreed.index == 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (PHONE.replace("RTP/AVP", "RTP/SAVP"), "RTP/SAVP, and nothing is to be protected"),
        (PHONE.replace("9000", "0"), "withdrawn"),
        (PHONE.replace("AVP 8 0 101", "AVP 18 101"), "no codec"),
        (PHONE.replace("c=IN IP4 192.0.2.7\n", ""), "no c= line"),
        (HEAD, "there is no m-line"),
    ],
)
def test_unusable(text: str, reason: str) -> None:
    with pytest.raises(SdpError, match=reason) as caught:
        agree(text)
    assert caught.value.code == "sdp-no-usable-media"


def test_our_offer() -> None:
    offer = offer_rtp(LocalStream(5, codecs=("PCMU", "opus")), PORTS, mux=True)
    assert parse(write(offer)) == offer
    media = offer.media[0]
    assert media.formats == ("0", "111", "13", "101", "110")
    assert media.rtcp_mux and media.port == 6000
    assert [c.clock_rate for c in media.codecs if c.name == "telephone-event"] == [8000, 48000]


def test_our_offer_of_wide_codecs() -> None:
    media = offer_rtp(LocalStream(5, codecs=("L16", "G722", "PCMA")), PORTS).media[0]
    assert [(c.pt, c.name, c.clock_rate) for c in media.codecs if c.name != "telephone-event"] == [
        (97, "L16", 16000),
        (9, "G722", 8000),
        (8, "PCMA", 8000),
        (13, "CN", 8000),
    ]
    assert [(c.pt, c.clock_rate) for c in media.codecs if c.name == "telephone-event"] == [(102, 16000), (101, 8000)]


@pytest.mark.parametrize(("rate", "taken"), [(8000, True), (16000, True), (24000, True), (48000, True), (44100, False)])
def test_l16_of_the_engines_rates(rate: int, taken: bool) -> None:
    offer = HEAD + f"m=audio 9000 RTP/AVP 100 0\na=rtpmap:100 L16/{rate}\na=ptime:10\na=maxptime:20\n"
    agreed = agree(offer)
    assert (agreed.send.name, agreed.send.clock_rate) == (("L16", rate) if taken else ("PCMU", 8000))
    assert (agreed.ptime, agreed.maxptime) == (10, 20)


def answer_to(offer_codecs: tuple[str, ...], answer: str) -> RtpAgreement:
    return apply_answer(offer_rtp(LocalStream(5, codecs=offer_codecs), PORTS, mux=True), parse(answer))


def test_answer_with_their_own_payload_type() -> None:
    agreed = answer_to(("opus", "PCMU"), HEAD + "m=audio 9000 RTP/AVP 96 0\na=rtpmap:96 opus/48000/2\na=sendonly\n")
    assert (agreed.send.pt, [c.pt for c in agreed.receive]) == (96, [111, 0])
    assert (agreed.direction, agreed.rtcp_mux) == ("recvonly", False)
    assert agreed.remote_rtcp == Endpoint("192.0.2.7", 9001)


def test_answer_that_takes_rtcp_mux() -> None:
    agreed = answer_to(("PCMU",), HEAD + "m=audio 9000 RTP/AVP 0\na=rtcp-mux\n")
    assert agreed.rtcp_mux and agreed.remote_rtcp == Endpoint("192.0.2.7", 9000)


def test_rtcp_mux_that_we_did_not_offer_is_not_agreed() -> None:
    answer = parse(HEAD + "m=audio 9000 RTP/AVP 0\na=rtcp-mux\n")
    agreed = apply_answer(offer_rtp(STREAM, PORTS), answer)
    assert not agreed.rtcp_mux and agreed.remote_rtcp == Endpoint("192.0.2.7", 9001)


def test_the_example_of_rfc_3264() -> None:
    """Section 10.1: Alice offers audio and two videos, as much of Bob's side as we play."""
    offer = """v=0
o=alice 2890844526 2890844526 IN IP4 host.anywhere.com
s=
c=IN IP4 host.anywhere.com
t=0 0
m=audio 49170 RTP/AVP 0
a=rtpmap:0 PCMU/8000
m=video 51372 RTP/AVP 31
a=rtpmap:31 H261/90000
m=video 53000 RTP/AVP 32
a=rtpmap:32 MPV/90000
"""
    agreed = agree(offer)
    assert [m.port for m in agreed.description.media] == [6000, 0, 0]
    assert agreed.remote_rtp == Endpoint("host.anywhere.com", 49170)


def test_two_of_our_legs_agree() -> None:
    offer = offer_rtp(STREAM, PORTS, mux=True)
    answer = answer_rtp(parse(write(offer)), LocalStream(6), LocalPorts("192.0.2.20", 7000, 7001))
    agreed = apply_answer(offer, parse(write(answer.description)))
    assert agreed.send.key == answer.send.key and agreed.rtcp_mux and answer.rtcp_mux
    assert agreed.remote_rtp == Endpoint("192.0.2.20", 7000)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (HEAD, "sdp-invalid"),
        (HEAD + "m=audio 1 RTP/AVP 0\nm=video 0 RTP/AVP 34\n", "sdp-invalid"),
        (HEAD + "m=video 9000 RTP/AVP 34\n", "sdp-invalid"),
        (HEAD + "m=audio 9000 RTP/SAVP 0\n", "sdp-no-usable-media"),
        (HEAD + "m=audio 0 RTP/AVP 0\n", "sdp-no-usable-media"),
        (HEAD + "m=audio 9000 RTP/AVP 8\n", "sdp-no-usable-media"),
        ("v=0\no=- 1 1 IN IP4 192.0.2.7\nm=audio 9000 RTP/AVP 0\n", "sdp-invalid"),
    ],
)
def test_answers_that_do_not_fit(answer: str, code: str) -> None:
    with pytest.raises(SdpError) as caught:
        answer_to(("PCMU",), answer)
    assert caught.value.code == code
