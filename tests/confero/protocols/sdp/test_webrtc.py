"""The answer to browsers: what is accepted, what is declined and why, and what both sides then hold to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from confero.protocols.sdp import (
    Fingerprint,
    LocalStream,
    LocalTransport,
    Redundancy,
    SdpError,
    WebRtcAgreement,
    answer_webrtc,
    parse,
    write,
)

DATA = Path(__file__).parents[3] / "data" / "sdp"
STREAM = LocalStream(session_id=77, version=2, ssrc=1234, cname="confero")
TRANSPORT = LocalTransport(
    addresses=(("192.0.2.10", 5000), ("2001:db8::1", 5000)),
    ice_ufrag="uuuuuuuu",
    ice_pwd="p" * 24,
    fingerprint=Fingerprint("sha-256", bytes(32)),
)
BROWSERS = ["chromium-all", "chromium-audio", "firefox-all", "firefox-audio", "aiortc"]


def text_of(name: str) -> str:
    return (DATA / f"{name}.sdp").read_text().replace("\r\n", "\n")


def agree(text: str, stream: LocalStream = STREAM) -> WebRtcAgreement:
    return answer_webrtc(parse(text), stream, TRANSPORT)


def refusal(text: str, stream: LocalStream = STREAM) -> str:
    with pytest.raises(SdpError) as caught:
        agree(text, stream)
    assert (caught.value.status, caught.value.code) == (422, "sdp-no-usable-media")
    return caught.value.detail


@pytest.mark.parametrize("name", BROWSERS)
def test_browser_offers(name: str) -> None:
    offer = parse(text_of(name))
    agreed = answer_webrtc(offer, STREAM, TRANSPORT)
    answer = parse(write(agreed.description))
    assert answer == agreed.description
    assert answer.ice_lite and answer.origin.session_id == 77 and answer.origin.version == 2
    assert [m.mid for m in answer.media] == [m.mid for m in offer.media]
    assert [m.kind for m in answer.media] == [m.kind for m in offer.media]
    audio = answer.media[0]
    assert (audio.port, audio.setup, audio.rtcp_mux, audio.direction) == (5000, "passive", True, "sendrecv")
    assert audio.protocol == offer.media[0].protocol
    assert [(c.address, c.port) for c in audio.candidates] == list(TRANSPORT.addresses)
    assert audio.candidates[0].priority > audio.candidates[1].priority
    assert audio.end_of_candidates
    assert agreed.send.name == "opus" and agreed.receive[0].pt == agreed.send.pt
    assert agreed.send.parameters().get("useinbandfec", "1") == "1"
    assert agreed.dtls_role == "server"
    assert all(f.algorithm.startswith("sha-") for f in agreed.fingerprints)
    assert agreed.mid == "0" and agreed.mid_ext > 0 and agreed.audio_level_ext > 0
    wanted = {agreed.mid_ext, agreed.audio_level_ext, agreed.csrc_level_ext}
    assert {e.id for e in audio.extmaps} == wanted - {0}
    if "firefox" in name:  # offers to receive the levels of contributing sources
        assert [e.direction for e in audio.extmaps if e.id == agreed.csrc_level_ext] == ["sendonly"]


@pytest.mark.parametrize("name", ["chromium-all", "firefox-all"])
def test_declined_sections_leave_the_bundle(name: str) -> None:
    answer = agree(text_of(name)).description
    assert [g.mids for g in answer.groups] == [("0",)]
    for media in answer.media[1:]:
        assert media.port == 0 and media.formats
        assert not media.candidates and media.ice_ufrag is None and not media.fingerprints


def test_without_a_bundle_none_is_answered() -> None:
    assert agree(text_of("chromium-audio").replace("a=group:BUNDLE 0\n", "")).description.groups == ()


def test_audio_after_a_declined_tagged_section() -> None:
    """The offerer-tagged section is a video that we decline: the audio becomes the answerer-tagged one."""
    head, audio, video = text_of("chromium-all").replace("BUNDLE 0 1 2", "BUNDLE 1 0").split("m=")[:3]
    agreed = agree(f"{head}m={video}m={audio}")
    assert agreed.index == 1
    assert [m.port for m in agreed.description.media] == [0, 5000]
    assert agreed.description.groups[0].mids == ("0",)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("sendrecv", "sendrecv"), ("sendonly", "recvonly"), ("recvonly", "sendonly"), ("inactive", "inactive")],
)
def test_direction_is_mirrored(theirs: str, ours: str) -> None:
    agreed = agree(text_of("chromium-audio").replace("a=sendrecv", f"a={theirs}"))
    media = agreed.description.media[0]
    assert agreed.direction == media.direction == ours
    assert (agreed.sends, agreed.receives) == (ours in ("sendrecv", "sendonly"), ours in ("sendrecv", "recvonly"))
    assert bool(media.ssrcs) == bool(media.msids) == agreed.sends


@pytest.mark.parametrize(
    ("theirs", "ours", "role"),
    [("actpass", "passive", "server"), ("active", "passive", "server"), ("passive", "active", "client")],
)
def test_setup(theirs: str, ours: str, role: str) -> None:
    agreed = agree(text_of("chromium-audio").replace("a=setup:actpass", f"a=setup:{theirs}"))
    assert agreed.description.media[0].setup == ours
    assert agreed.dtls_role == role


def test_setup_absent_means_active() -> None:
    assert agree(text_of("chromium-audio").replace("a=setup:actpass\n", "")).dtls_role == "server"


def test_opus_is_preferred_whatever_the_order() -> None:
    text = text_of("chromium-audio").replace("SAVPF 111 63 9 0 8 13 110 126", "SAVPF 0 8 126 110 111")
    agreed = agree(text)
    assert (agreed.send.pt, agreed.events.pt if agreed.events else None) == (111, 110)
    assert agreed.description.media[0].formats == ("111", "110")


def test_g711_when_opus_is_missing() -> None:
    agreed = agree(text_of("chromium-audio").replace("SAVPF 111 63 9 0 8 13 110 126", "SAVPF 8 0 126"))
    assert (agreed.send.name, agreed.events.pt if agreed.events else None) == ("PCMU", 126)
    assert agree(text_of("chromium-audio"), LocalStream(1, codecs=("PCMA",))).send.name == "PCMA"


def test_first_opus_wins_when_there_are_two() -> None:
    text = text_of("chromium-audio").replace("SAVPF 111 63", "SAVPF 112 111 63")
    assert agree(text.replace("a=rtpmap:111", "a=rtpmap:112 opus/48000/2\na=rtpmap:111")).send.pt == 112


def test_firefox_telephone_event_at_another_rate() -> None:
    agreed = agree(text_of("firefox-audio"))
    assert agreed.events is not None and agreed.events.clock_rate == 8000
    assert agree(text_of("aiortc")).events is None


def test_extension_ids_beyond_one_byte_are_left_out() -> None:
    agreed = agree(text_of("chromium-audio").replace("extmap:1 ", "extmap:15 ").replace("extmap:4 ", "extmap:4096 "))
    assert (agreed.audio_level_ext, agreed.mid_ext) == (0, 0)
    assert agreed.description.media[0].extmaps == ()


def test_several_fingerprints_only_strong_ones_count() -> None:
    text = text_of("aiortc")
    assert [f.algorithm for f in agree(text).fingerprints] == ["sha-256", "sha-384", "sha-512"]
    sha1 = "a=fingerprint:sha-1 " + ":".join(["AA"] * 20)
    mixed = text.replace("a=fingerprint:sha-384", sha1 + "\na=fingerprint:sha-384")
    assert agree(mixed).fingerprints == agree(text).fingerprints


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("a=rtcp-mux\n", "", "no rtcp-mux"),
        ("a=ice-ufrag:3YWs\n", "", "no ICE user name"),
        ("a=ice-pwd:9ktIxpAdF1YC+7HSrGjwUmaA\n", "", "no ICE user name"),
        ("a=setup:actpass", "a=setup:holdconn", "holdconn"),
        ("UDP/TLS/RTP/SAVPF", "RTP/AVP", "protocol RTP/AVP"),
        ("SAVPF 111 63 9 0 8 13 110 126", "SAVPF 63 13 110", "no codec of opus, G722, PCMU, PCMA"),
        ("opus/48000/2", "opus/44100/2", None),
        ("m=audio 41029", "m=audio 0", "withdrawn"),
        ("m=audio", "m=video", "not audio"),
    ],
)
def test_why_a_section_is_unusable(old: str, new: str, reason: str | None) -> None:
    text = text_of("chromium-audio")
    assert old in text
    if reason is None:
        assert agree(text.replace(old, new)).send.name == "G722"
    else:
        assert reason in refusal(text.replace(old, new))


def test_weak_or_missing_fingerprints_are_refused() -> None:
    lines = text_of("chromium-audio").splitlines()
    bare = [line for line in lines if not line.startswith("a=fingerprint")]
    assert "fingerprint" in refusal("\n".join(bare))
    for weak in ("sha-1 " + ":".join(["AA"] * 20), "md5 " + ":".join(["AA"] * 16), "md2 AA"):
        assert "fingerprint" in refusal("\n".join([*bare, f"a=fingerprint:{weak}"]))


def test_each_m_line_is_named_in_a_refusal() -> None:
    detail = refusal(text_of("chromium-all").replace("m=audio", "m=text"))
    assert "m-line 1 (text)" in detail and "m-line 2 (video)" in detail and "m-line 3 (application)" in detail
    assert "there is no m-line" in refusal("v=0\no=- 1 1 IN IP4 0.0.0.0\n")


def test_second_audio_is_declined() -> None:
    head, audio = text_of("chromium-audio").split("m=")
    agreed = agree(f"{head.replace('BUNDLE 0', 'BUNDLE 0 9')}m={audio}m={audio.replace('a=mid:0', 'a=mid:9')}")
    assert [m.port for m in agreed.description.media] == [5000, 0]
    assert agreed.description.groups[0].mids == ("0",)


@pytest.mark.parametrize(
    ("wish", "formats"), [("off", ("111", "110")), ("auto", ("111", "63", "110")), ("always", ("63", "111", "110"))]
)
def test_redundancy_as_it_is_wished_for(wish: Redundancy, formats: tuple[str, ...]) -> None:
    """What stands first is what the browser sends."""
    agreed = agree(text_of("chromium-audio"), replace(STREAM, redundancy=wish))
    accepted = agreed.description.media[agreed.index]
    assert accepted.formats == formats
    assert [codec.pt for codec in agreed.receive] == [111] and agreed.send.pt == 111
    assert (agreed.red is None) == (wish == "off")
    assert wish == "off" or "a=fmtp:63 111/111" in write(agreed.description)


@pytest.mark.parametrize("fmtp", ["111/111/0", "111/9", "", "0/0", "x"])
def test_redundancy_of_something_else_is_not_taken(fmtp: str) -> None:
    text = text_of("chromium-audio").replace("a=fmtp:63 111/111", f"a=fmtp:63 {fmtp}" if fmtp else "a=x")
    assert agree(text, replace(STREAM, redundancy="auto")).red is None
    assert agree(text_of("firefox-audio"), replace(STREAM, redundancy="always")).red is None


def test_tcp_comes_after_all_of_udp() -> None:
    agreed = answer_webrtc(parse(text_of("chromium-all")), STREAM, replace(TRANSPORT, tcp=True))
    text = write(agreed.description)
    assert "a=candidate:3 1 tcp 1520435199 192.0.2.10 5000 typ host tcptype passive\r\n" in text
    candidates = parse(text).media[0].candidates
    assert [(c.transport, c.address) for c in candidates] == [
        (transport, address) for transport in ("udp", "tcp") for address, _ in TRANSPORT.addresses
    ]
    priorities = [c.priority for c in candidates]
    assert priorities == sorted(priorities, reverse=True) and len(set(priorities)) == 4
    assert len({c.foundation for c in candidates}) == 4
    assert parse(text).media[0].port == 5000
