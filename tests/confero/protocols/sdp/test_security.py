"""Protected RTP: which offers our policy takes and how, and which answers to ours."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from confero.protocols.sdp import (
    Fingerprint,
    LocalPorts,
    LocalSecurity,
    LocalStream,
    Policy,
    RtpAgreement,
    SdpError,
    answer_rtp,
    apply_answer,
    offer_rtp,
    parse,
    write,
)
from confero.protocols.sdp.model import Session

DATA = Path(__file__).parents[3] / "data" / "sdp"
STREAM = LocalStream(session_id=5, ssrc=9)
PORTS = LocalPorts("192.0.2.10", 6000, 6001)
MUXED = LocalPorts("192.0.2.10", 6000, 6000)
OURS = Fingerprint("sha-256", bytes(32))
SDES = (DATA / "sdes-phone.sdp").read_text()
DTLS = (DATA / "dtls-phone.sdp").read_text()
PLAIN = "v=0\no=- 1 1 IN IP4 192.0.2.7\ns=-\nc=IN IP4 192.0.2.7\nt=0 0\nm=audio 9000 RTP/AVP 0\n"
POLICIES: tuple[Policy, ...] = ("none", "optional", "required")


def local(policy: Policy = "optional", **more: object) -> LocalSecurity:
    count = itertools.count(1)
    values: dict[str, object] = {"fingerprint": OURS, "random": lambda size: bytes([next(count)]) * size}
    return LocalSecurity(policy, **(values | more))  # type: ignore[arg-type]


def agree(text: str, security: LocalSecurity) -> RtpAgreement:
    agreed = answer_rtp(parse(text), STREAM, PORTS, security)
    assert parse(write(agreed.description)) == agreed.description
    return agreed


@pytest.mark.parametrize(
    ("text", "keyings"),
    [
        (PLAIN, ("plain", "plain", None)),
        (SDES, (None, "sdes", "sdes")),
        (SDES.replace("RTP/SAVP", "RTP/AVP"), ("plain", "sdes", "sdes")),  # RFC 8643
        (SDES.replace("inline", "ekt"), (None, None, None)),
        (SDES.replace("inline", "ekt").replace("RTP/SAVP", "RTP/AVP"), ("plain", "plain", None)),
        (DTLS, (None, "dtls", "dtls")),
        (DTLS.replace("UDP/TLS/", ""), (None, "dtls", "dtls")),
        (DTLS.replace("UDP/TLS/RTP/SAVPF", "RTP/AVP"), ("plain", "dtls", "dtls")),
        (DTLS.replace("sha-256", "sha-1"), (None, None, None)),
        (DTLS.replace("a=rtcp-mux\n", ""), (None, "dtls", "dtls")),
        (DTLS.replace("actpass", "holdconn"), (None, None, None)),
        (PLAIN.replace("RTP/AVP", "TCP/RTP/AVP"), (None, None, None)),
    ],
)
def test_the_policy_decides(text: str, keyings: tuple[str | None, ...]) -> None:
    for policy, keying in zip(POLICIES, keyings, strict=True):
        if keying is None:
            with pytest.raises(SdpError) as caught:
                agree(text, local(policy))
            assert caught.value.code in ("sdp-no-usable-media", "sdp-invalid")
        else:
            assert agree(text, local(policy)).protection.keying == keying


def test_sdes_is_answered_by_one_line_with_a_key_of_ours() -> None:
    agreed = agree(SDES, local("required"))
    media, video = agreed.description.media
    assert (media.protocol, media.direction, len(media.cryptos)) == ("RTP/SAVP", "sendrecv", 1)
    assert (media.cryptos[0].tag, media.cryptos[0].suite) == (1, "AEAD_AES_256_GCM")
    assert agreed.protection.sdes is not None
    assert (agreed.protection.sdes.theirs.key, agreed.protection.sdes.ours.key) == (bytes(range(32)), b"\1" * 32)
    assert (video.port, video.protocol, video.cryptos) == (0, "RTP/SAVP", ())


def test_only_suites_of_ours() -> None:
    agreed = agree(SDES, local(suites=("AES_CM_128_HMAC_SHA1_80",)))
    assert agreed.description.media[0].cryptos[0].tag == 2


@pytest.mark.parametrize(
    ("setup", "role", "ours"),
    [("actpass", "server", "passive"), ("active", "server", "passive"), ("passive", "client", "active")],
)
def test_dtls_roles(setup: str, role: str, ours: str) -> None:
    agreed = agree(DTLS.replace("actpass", setup), local())
    media = agreed.description.media[0]
    assert agreed.protection.dtls is not None and agreed.protection.dtls.role == role
    assert (media.setup, media.fingerprints, media.rtcp_mux, media.mid) == (ours, (OURS,), True, "1")
    assert agreed.protection.dtls.fingerprints[0].digest == bytes(range(32))


def offer(security: LocalSecurity, *, mux: bool = False) -> Session:
    made = offer_rtp(STREAM, MUXED if mux else PORTS, mux=mux, security=security)
    assert parse(write(made)) == made
    return made


def test_what_we_offer() -> None:
    for security, protocol, cryptos, fingerprints in (
        (local("none"), "RTP/AVP", 0, 0),
        (local("optional"), "RTP/AVP", 0, 0),
        (local("optional", best_effort=True), "RTP/AVP", 4, 0),
        (local("optional", best_effort=True, offers="dtls"), "RTP/AVP", 0, 1),
        (local("required"), "RTP/SAVP", 4, 0),
        (local("required", offers="dtls"), "UDP/TLS/RTP/SAVP", 0, 1),
        (local("required", offers="dtls", fingerprint=None), "RTP/SAVP", 4, 0),
    ):
        media = offer(security).media[0]
        assert (media.protocol, len(media.cryptos), len(media.fingerprints)) == (protocol, cryptos, fingerprints)
        assert (media.setup == "actpass") == bool(fingerprints)


def answer_of_another(ours: Session, policy: Policy) -> Session:
    """The same code at the other end, with other keys."""
    return answer_rtp(ours, LocalStream(7), LocalPorts("192.0.2.7", 9000, 9001), local(policy)).description


@pytest.mark.parametrize("policy", ["optional", "required"])
def test_both_ends_have_the_same_keys(policy: Policy) -> None:
    ours = offer(local(policy, best_effort=True))
    theirs = answer_rtp(ours, LocalStream(7), LocalPorts("192.0.2.7", 9000, 9001), local())
    agreed = apply_answer(ours, theirs.description).protection.sdes
    other = theirs.protection.sdes
    assert agreed and other and (agreed.ours, agreed.theirs) == (other.theirs, other.ours)


def test_dtls_is_agreed_on() -> None:
    ours = offer(local("required", offers="dtls"), mux=True)
    agreed = apply_answer(ours, answer_of_another(ours, "required")).protection
    assert agreed.dtls and agreed.dtls.role == "client" and agreed.dtls.fingerprints == (OURS,)


def test_best_effort_ends_in_the_clear_where_the_peer_has_nothing() -> None:
    ours = offer(local(best_effort=True))
    assert apply_answer(ours, answer_of_another(ours, "none")).protection.keying == "plain"


@pytest.mark.parametrize(
    ("change", "mux"),
    [
        (("RTP/SAVP", "RTP/AVP"), False),
        (("a=crypto", "a=cryptic"), False),
        (("a=crypto:1 ", "a=crypto:9 "), False),
        (("a=setup:passive", "a=setup:actpass"), True),
        (("a=rtcp-mux", "a=sendrecv"), True),
        (("sha-256", "sha-1"), True),
    ],
)
def test_an_answer_that_protects_nothing_is_refused(change: tuple[str, str], mux: bool) -> None:
    ours = offer(local("required", offers="dtls" if mux else "sdes"), mux=mux)
    text = write(answer_of_another(ours, "required"))
    assert change[0] in text
    if change[0] == "RTP/SAVP":
        text = "".join(line + "\r\n" for line in text.splitlines() if "crypto" not in line)
    with pytest.raises(SdpError):
        apply_answer(ours, parse(text.replace(*change)))
