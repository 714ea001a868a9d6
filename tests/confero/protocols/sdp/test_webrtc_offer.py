"""Our offer to a browser that is called, and the answers to it."""

from __future__ import annotations

import pytest

from confero.protocols.sdp import (
    Fingerprint,
    LocalStream,
    LocalTransport,
    SdpError,
    answer_webrtc,
    apply_webrtc_answer,
    offer_webrtc,
    offers_ice,
    parse,
    write,
)

STREAM = LocalStream(session_id=5, ssrc=9, codecs=("opus", "PCMU"))
OURS = LocalTransport(
    (("192.0.2.10", 5000), ("2001:db8::10", 5000)), "oursours", "o" * 24, Fingerprint("sha-256", bytes(32))
)
THEIRS = LocalTransport((("192.0.2.7", 9000),), "theirs", "t" * 24, Fingerprint("sha-256", b"\1" * 32))
OFFER = offer_webrtc(STREAM, OURS)
ANSWER = write(answer_webrtc(OFFER, LocalStream(session_id=6, codecs=("PCMU", "opus")), THEIRS).description)


def test_what_is_offered() -> None:
    assert parse(write(OFFER)) == OFFER and offers_ice(OFFER)
    (media,) = OFFER.media
    assert (media.protocol, media.setup, media.rtcp_mux, media.direction) == (
        "UDP/TLS/RTP/SAVPF",
        "actpass",
        True,
        "sendrecv",
    )
    assert media.formats == ("111", "0", "13", "110", "101")
    assert [c.address for c in media.candidates] == ["192.0.2.10", "2001:db8::10"]
    assert OFFER.ice_lite and OFFER.bundle_of(media.mid)


def test_what_is_agreed_on() -> None:
    agreed = apply_webrtc_answer(OFFER, parse(ANSWER))
    assert (agreed.send.name, [c.pt for c in agreed.receive], agreed.events and agreed.events.pt) == ("PCMU", [0], 101)
    assert (agreed.remote_ufrag, agreed.remote_pwd, agreed.dtls_role) == ("theirs", "t" * 24, "client")
    assert (agreed.mid, agreed.mid_ext, agreed.audio_level_ext, agreed.csrc_level_ext) == ("0", 3, 1, 2)
    assert agreed.fingerprints == (THEIRS.fingerprint,)
    active = apply_webrtc_answer(
        OFFER, parse(ANSWER.replace("setup:passive", "setup:active").replace("a=extmap:1", "a=x:1"))
    )
    assert (active.dtls_role, active.audio_level_ext) == ("server", 0)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("m=audio 9000", "m=audio 0"), "declined"),
        (("m=audio 9000 UDP/TLS/RTP/SAVPF", "m=audio 9000 RTP/AVP"), "another m-line"),
        (("a=rtcp-mux\r\n", ""), "rtcp-mux"),
        (("a=ice-pwd", "a=ice-pwt"), "ICE user name"),
        (("sha-256", "sha-1"), "wrong length"),
        (("a=fingerprint:", "a=footprint:"), "fingerprint"),
        (("setup:passive", "setup:actpass"), "setup"),
        (("m=audio 9000 UDP/TLS/RTP/SAVPF 0", "m=audio 9000 UDP/TLS/RTP/SAVPF 18"), "no codec"),
        (("m=audio", "m=audio 9 RTP/AVP 0\r\nm=audio"), "2 m-lines"),
    ],
)
def test_answers_that_do_not_fit(change: tuple[str, str], reason: str) -> None:
    assert change[0] in ANSWER
    with pytest.raises(SdpError, match=reason):
        apply_webrtc_answer(OFFER, parse(ANSWER.replace(*change)))
