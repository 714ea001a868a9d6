"""Captures of real peers and their broken twins, and every bound of the parser."""

from __future__ import annotations

from pathlib import Path

import pytest

from confero.errors import RemoteError
from confero.protocols.sdp import Codec, Fingerprint, Limits, SdpError, parse
from confero.protocols.sdp.model import Attribute, Candidate, Connection, ExtMap, Group, Msid, Rtcp, SsrcAttribute

DATA = Path(__file__).parents[3] / "data" / "sdp"
HEAD = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
AUDIO = HEAD + "m=audio 5000 RTP/AVP 0\r\n"

BROKEN = {
    "aiortc": (21, "candidate"),
    "baresip": (8, "clock rate is not a number"),
    "chromium-all": (0, "BUNDLE group names a mid"),
    "chromium-audio": (18, "wrong length for sha-256"),
    "dtls-phone": (12, "setup is not"),
    "ffmpeg-g711": (4, "address"),
    "firefox-all": (0, "two m-lines have one mid"),
    "firefox-audio": (10, "port is not within 0..65535"),
    "sdes-phone": (12, "crypto tag is not a number"),
}
"""What is wrong with each broken twin, and in which line (0: only the whole can tell)."""


def captures() -> list[str]:
    return sorted(path.stem for path in DATA.glob("*.sdp") if ".broken" not in path.name)


@pytest.mark.parametrize("name", captures())
def test_capture_parses(name: str) -> None:
    session = parse((DATA / f"{name}.sdp").read_bytes())
    assert session.media[0].kind == "audio"
    assert session.media[0].codecs


@pytest.mark.parametrize("name", captures())
def test_broken_twin_names_its_line(name: str) -> None:
    line, reason = BROKEN[name]
    with pytest.raises(SdpError) as caught:
        parse((DATA / f"{name}.broken.sdp").read_bytes())
    assert caught.value.line == line
    assert reason in caught.value.detail
    assert (caught.value.status, caught.value.code) == (422, "sdp-invalid")


def test_error_is_the_peers_fault() -> None:
    with pytest.raises(RemoteError):
        parse("")


def test_chromium_in_detail() -> None:
    session = parse((DATA / "chromium-audio.sdp").read_bytes())
    media = session.media[0]
    assert session.groups == (Group("BUNDLE", ("0",)),)
    assert Attribute("extmap-allow-mixed") in session.attributes
    assert media.codecs[0] == Codec(111, "opus", 48000, 2, "minptime=10;useinbandfec=1")
    assert media.codecs[0].parameters() == {"minptime": "10", "useinbandfec": "1"}
    assert media.extmaps[0] == ExtMap(1, "urn:ietf:params:rtp-hdrext:ssrc-audio-level")
    assert media.candidates[0] == Candidate(
        foundation="4279353837",
        component=1,
        transport="udp",
        priority=2122194687,
        address="192.0.2.2",
        port=41029,
        type="host",
        extra=(("generation", "0"), ("network-id", "1")),
    )
    assert media.rtcp == Rtcp(9, Connection("0.0.0.0"))
    assert (media.rtcp_mux, media.rtcp_rsize, media.setup, media.mid) == (True, True, "actpass", "0")
    assert media.fingerprints[0].algorithm == "sha-256" and len(media.fingerprints[0].digest) == 32
    assert media.msids == (Msid("5cbb1acf-ff68-4625-bd7d-d76213eb1fff", "691062dd-0618-42dd-8c71-c2703a9a4a3a"),)
    assert media.ssrcs[0] == SsrcAttribute(2442076994, "cname", "+l3yDb10j55xiErX")


def test_firefox_takes_fingerprint_and_setup_from_where_they_stand() -> None:
    session = parse((DATA / "firefox-all.sdp").read_bytes())
    audio, video, data = session.media
    assert session.fingerprints and not audio.fingerprints
    assert session.transport_of(audio).fingerprints == session.fingerprints
    assert (video.port, video.bundle_only, video.offered) == (0, True, True)
    assert data.formats == ("webrtc-datachannel",) and data.codecs == ()


def test_bundled_section_without_transport_takes_the_tagged_ones() -> None:
    text = (DATA / "firefox-all.sdp").read_text()
    head, tail = text.split("m=video")
    bare = "".join(line + "\n" for line in tail.splitlines() if not line.startswith(("a=ice-", "a=setup")))
    session = parse(head + "m=video" + bare)
    assert session.transport_of(session.media[1]) == session.transport_of(session.media[0])


RFC_8866 = """v=0
o=jdoe 3724394400 3724394405 IN IP4 198.51.100.1
s=Call to John Smith
i=SDP Offer #1
u=http://www.jdoe.example.com/home.html
e=Jane Doe <jane@jdoe.example.com>
p=+1 617 555-6011
c=IN IP4 198.51.100.1
t=0 0
m=audio 49170 RTP/AVP 0
m=audio 49180 RTP/AVP 0
m=video 51372 RTP/AVP 99
c=IN IP6 2001:db8::2
a=rtpmap:99 h263-1998/90000
"""
"""The example of RFC 8866 section 5."""


def test_the_example_of_the_rfc() -> None:
    session = parse(RFC_8866)
    assert (session.name, session.origin.username, session.origin.version) == ("Call to John Smith", "jdoe", 3724394405)
    assert [m.port for m in session.media] == [49170, 49180, 51372]
    assert session.connection_of(session.media[0]) == Connection("198.51.100.1")
    assert session.connection_of(session.media[2]) == Connection("2001:db8::2", 6)
    assert session.media[2].codecs == (Codec(99, "h263-1998", 90000),)


def test_candidates_with_names_and_odd_transports_are_kept_and_never_looked_up() -> None:
    lines = (
        "a=candidate:1 1 UDP 2122252543 5ab92e4e-1b5c-4a3a-8a2c-0c8f0c6e8f11.local 50000 typ host",
        "a=candidate:2 1 tcp 1518214911 0.0.0.0 9 typ host tcptype active",
        "a=candidate:3 1 udp 1686052607 203.0.113.9 50001 typ srflx raddr 10.0.0.1 rport 50001 generation 0",
        "a=candidate:4 1 sctp 1 203.0.113.9 1 typ other",
    )
    first, _, third, _ = parse(AUDIO + "\r\n".join(lines)).media[0].candidates
    assert first.address.endswith(".local") and first.transport == "udp"
    assert (third.related_address, third.related_port, third.extra) == ("10.0.0.1", 50001, (("generation", "0"),))


def test_line_ends() -> None:
    text = (DATA / "baresip.sdp").read_text()
    expected = parse(text)
    for variant in (text.replace("\r\n", "\n"), text.replace("\n", "\r\n"), text.rstrip(), text + "\r\n\n"):
        assert parse(variant) == expected
    with pytest.raises(SdpError, match="control character"):
        parse(text.replace("\r\n", "\n").replace("\n", "\r"))


def test_static_payload_types_need_no_rtpmap() -> None:
    media = parse(HEAD + "m=audio 4000 RTP/AVP 0 8 9 77\r\nc=IN IP4 192.0.2.1\r\n").media[0]
    assert [codec.name for codec in media.codecs] == ["PCMU", "PCMA", "G722"]
    assert media.formats == ("0", "8", "9", "77")


def test_unused_lines_are_dropped() -> None:
    text = HEAD.replace("t=0 0\r\n", "i=x\r\nu=x\r\ne=x\r\np=x\r\nt=0 0\r\nr=7d 1h 0\r\nz=0 0\r\nk=prompt\r\n")
    assert parse(text + "m=audio 0 RTP/AVP 0\r\ni=camera\r\n") == parse(HEAD + "m=audio 0 RTP/AVP 0\r\n")


def test_said_twice_alike_is_said_once() -> None:
    assert parse(AUDIO + "a=sendrecv\r\na=sendrecv\r\n").media[0].direction == "sendrecv"
    with pytest.raises(SdpError, match="direction is given twice"):
        parse(AUDIO + "a=sendrecv\r\na=inactive\r\n")


def test_fingerprint_case_and_names() -> None:
    lower = parse(AUDIO + "a=fingerprint:SHA-256 " + ":".join(["ab"] * 32)).media[0].fingerprints[0]
    assert lower == Fingerprint("sha-256", b"\xab" * 32)
    assert str(lower) == "sha-256 " + ":".join(["AB"] * 32)


def test_multicast_connection() -> None:
    assert parse(HEAD + "c=IN IP4 224.2.1.1/127/3\r\n").connection == Connection("224.2.1.1", 4, 127, 3)
    assert parse(HEAD + "c=IN IP6 ff15::101/3\r\n").connection == Connection("ff15::101", 6, None, 3)
    assert parse(HEAD + "c=IN IP4 example.org\r\n").connection == Connection("example.org")


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ("m=audio 65536 RTP/AVP 0", "port"),
        ("m=audio -1 RTP/AVP 0", "port is not a number"),
        ("m=audio ٥٠ RTP/AVP 0", "port is not a number"),
        ("m=audio 1_0 RTP/AVP 0", "port is not a number"),
        ("m=audio 5000 RTP/AVP", "m-line has 3 parts"),
        ("m=audio 5000 RTP/AVP 128", "payload type"),
        ("m=audio 5000 RTP/AVP 0 0", "listed twice"),
        ("m=audio 5000 RTP/AVP opus", "payload type is not a number"),
        ("m=audio 5000 RTP/AVP 0\r\na=rtpmap:200 opus/48000", "payload type"),
        ("m=audio 5000 RTP/AVP 0\r\na=rtpmap:96 opus", "rtpmap is not name/rate"),
        ("m=audio 5000 RTP/AVP 0\r\na=rtpmap:96 opus/0", "clock rate"),
        ("m=audio 5000 RTP/AVP 0\r\na=rtpmap:96 a/8000\r\na=rtpmap:96 b/8000", "mapped twice"),
        ("m=audio 5000 RTP/AVP 0\r\na=fmtp:96 x=1\r\na=fmtp:96 x=2", "fmtp is given twice"),
        ("m=audio 5000 RTP/AVP 0\r\na=mid", "mid needs a value"),
        ("m=audio 5000 RTP/AVP 0\r\na=rtcp-mux:yes", "rtcp-mux takes no value"),
        ("m=audio 5000 RTP/AVP 0\r\na=setup:sideways", "setup"),
        ("m=audio 5000 RTP/AVP 0\r\na=ice-ufrag:abc", "ice-ufrag"),
        ("m=audio 5000 RTP/AVP 0\r\na=ice-pwd:" + "a" * 257, "ice-pwd"),
        ("m=audio 5000 RTP/AVP 0\r\na=fingerprint:sha-256 zz", "hexadecimal"),
        ("m=audio 5000 RTP/AVP 0\r\na=fingerprint:sha-256 AAA", "pairs of hex digits"),
        ("m=audio 5000 RTP/AVP 0\r\na=extmap:0 urn:x", "extmap id"),
        ("m=audio 5000 RTP/AVP 0\r\na=extmap:1/both urn:x", "direction"),
        ("m=audio 5000 RTP/AVP 0\r\na=extmap:1 urn:x\r\na=extmap:1 urn:y", "means two things"),
        ("m=audio 5000 RTP/AVP 0\r\na=candidate:1 1 udp 1 256.0.0.1 5 typ host", "address"),
        ("m=audio 5000 RTP/AVP 0\r\na=candidate:1 1 udp 1 fe80::1%eth0 5 typ host", "address"),
        ("m=audio 5000 RTP/AVP 0\r\na=candidate:1 1 udp 1 10.0.0.1 5 typ host tcptype", "RFC 8839"),
        ("m=audio 5000 RTP/AVP 0\r\na=ptime:0", "ptime"),
        ("m=audio 5000 RTP/AVP 0\r\na=rtcp:99999", "port"),
        ("m=audio 5000 RTP/AVP 0\r\na=ssrc:4294967296 cname:x", "ssrc"),
        ("m=audio 5000 RTP/AVP 0\r\na=" + "x" * 200, "attribute name"),
        ("m=audio 5000 RTP/AVP 0\r\nb=AS:-1", "bandwidth"),
        ("c=IN IP4 ::1", "family"),
        ("c=IN ATM x", "IN IP4 or IN IP6"),
        ("c=IN IP6 ::1/1/2", "too many parts"),
        ("c=IN IP4 " + "a" * 64 + ".org", "neither"),
        ("c=IN IP4 a..org", "neither"),
        ("t=0", "timing"),
        ("x=1", "unexpected x= line"),
        ("nonsense", "<letter>=<value>"),
        ("v=0", "v= is the first line"),
        ("a=group:BUNDLE a a", "bundled twice"),
        ("s=bell\x07", "control character"),
    ],
)
def test_malformed(lines: str, reason: str) -> None:
    with pytest.raises(SdpError, match=reason.replace("(", r"\(")):
        parse(HEAD + lines + "\r\n")


@pytest.mark.parametrize(
    "text", ["", "\r\n\r\n", "o=- 1 1 IN IP4 0.0.0.0\r\n", "v=1\r\n", "v=0\r\n", b"v=0\r\ns=\xff\r\n", "\ud800"]
)
def test_no_description_at_all(text: str | bytes) -> None:
    with pytest.raises(SdpError):
        parse(text)


def test_bounds() -> None:
    limits = Limits(size=300, lines=20, line=100, media=2)
    parse(AUDIO, limits)
    for text, reason in (
        (AUDIO + "a=x\r\n" * 100, "longer than 300 bytes"),
        (AUDIO + "a=x\r\n" * 16, "more than 20 lines"),
        (AUDIO + "a=" + "x:" + "y" * 100, "longer than 100 characters"),
        (AUDIO + "m=audio 0 RTP/AVP 0\r\n" * 2, "more than 2 m-lines"),
    ):
        with pytest.raises(SdpError, match=reason):
            parse(text, limits)


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("a=x:{}", "attributes"),
        ("a=candidate:1 1 udp {} 127.0.0.1 9 typ host", "candidates"),
        ("a=ssrc:{} cname:x", "ssrcs"),
        ("a=extmap:{} urn:x", "extmaps"),
        ("b=AS:{}", "bandwidths"),
        ("a=msid:{} x", "msids"),
        ("a=rtcp-fb:* x{}", "feedback"),
    ],
)
def test_lists_are_bounded(line: str, name: str) -> None:
    with pytest.raises(SdpError, match=f"more than [0-9]+ {name}"):
        parse(AUDIO + "".join(line.format(i) + "\r\n" for i in range(1, 600)))


def test_ten_thousand_m_lines() -> None:
    with pytest.raises(SdpError):
        parse(HEAD + "m=a 0 x y\n" * 10_000, Limits(size=1_000_000, lines=100_000))


def test_megabyte_attribute() -> None:
    with pytest.raises(SdpError, match="longer than"):
        parse(AUDIO + "a=x:" + "y" * 1_048_576)
