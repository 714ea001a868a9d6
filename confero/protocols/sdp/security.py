"""How the media of a plain RTP leg is protected, and whether it has to be: SDES, DTLS or nothing (RFC 4568, 5763, 8643)."""

from __future__ import annotations

from dataclasses import dataclass
from secrets import token_bytes
from typing import Literal

from . import sdes
from .errors import SdpError
from .model import Crypto, Fingerprint, Media, Session, Setup, Transport

Policy = Literal["none", "optional", "required"]
Keying = Literal["plain", "sdes", "dtls"]

STRONG_HASHES = ("sha-256", "sha-384", "sha-512")
"""Only these prove a certificate; RFC 8122 section 5 forbids md5 and md2, and sha-1 collides today."""

PROTOCOLS: dict[str, tuple[Keying, ...]] = {
    "RTP/AVP": ("dtls", "sdes", "plain"),
    "RTP/AVPF": ("dtls", "sdes", "plain"),
    "RTP/SAVP": ("sdes", "dtls"),
    "RTP/SAVPF": ("sdes", "dtls"),
    "UDP/TLS/RTP/SAVP": ("dtls",),
    "UDP/TLS/RTP/SAVPF": ("dtls",),
    "TCP/RTP/AVP": ("sdes", "plain"),
    "TCP/RTP/AVPF": ("sdes", "plain"),
    "TCP/RTP/SAVP": ("sdes",),
    "TCP/RTP/SAVPF": ("sdes",),
}
"""What an m-line may carry, what is looked for first at the left. Protection on RTP/AVP is RFC 8643's: for those who have it."""
OVER_TCP = frozenset(name for name in PROTOCOLS if name.startswith("TCP/"))
"""RFC 4571; ``a=setup`` is about the connection there (RFC 4145), so there is no DTLS."""


@dataclass(frozen=True)
class Dtls:
    """Who the peer is, and who we are in the handshake."""

    fingerprints: tuple[Fingerprint, ...]
    """Only those with a strong hash, at least one."""
    role: Literal["server", "client"]


@dataclass(frozen=True)
class Protection:
    """What an m-line agrees on: one of both, or neither."""

    sdes: sdes.Sdes | None = None
    dtls: Dtls | None = None

    @property
    def keying(self) -> Keying:
        return "sdes" if self.sdes else "dtls" if self.dtls else "plain"


@dataclass(frozen=True)
class LocalSecurity:
    """What we want and have. ``none``: nothing is protected; ``optional``: what the peer wishes; ``required``: nothing is sent or
    taken in the clear."""

    policy: Policy = "none"
    offers: Literal["sdes", "dtls"] = "sdes"
    """How our own offers are protected."""
    best_effort: bool = False
    """``optional``: our offers hold keys for those who take them, on RTP/AVP (RFC 8643)."""
    suites: tuple[str, ...] = sdes.ALL_SUITES
    fingerprint: Fingerprint | None = None
    """None: no DTLS."""
    before: Protection | None = None
    """What a re-offer goes on from."""
    random: sdes.RandomBytes = token_bytes


UNPROTECTED = LocalSecurity()


def protect(offer: Session, media: Media, local: LocalSecurity) -> Protection | str:
    """How an offered section can be protected in accordance with our policy, or why it cannot be."""
    possible = PROTOCOLS.get(media.protocol)
    if possible is None:
        return f"protocol {media.protocol}"
    if local.policy == "none":
        return Protection() if "plain" in possible else f"{media.protocol}, and nothing is to be protected"
    reasons = []
    for keying in possible:
        found = _FINDERS[keying](offer, media, local)
        if not isinstance(found, str):
            return found
        reasons.append(found)
    return ", ".join(reasons)


def _plain(offer: Session, media: Media, local: LocalSecurity) -> Protection | str:
    return Protection() if local.policy == "optional" else "not protected"


def _sdes(offer: Session, media: Media, local: LocalSecurity) -> Protection | str:
    found = sdes.choose(media.cryptos, local.suites, local.random, local.before.sdes if local.before else None)
    return Protection(sdes=found) if found else "no crypto line that can be used"


def _dtls(offer: Session, media: Media, local: LocalSecurity) -> Protection | str:
    """RFC 5763 section 5: the answerer to ``actpass`` chooses. We wait: what comes then proves that the peer is where it says, and
    passes its NAT."""
    remote = offer.transport_of(media)
    checks = (
        (local.fingerprint is not None, "no DTLS here"),
        (bool(strong(remote)), "no sha-256 or stronger fingerprint"),
        (remote.setup != "holdconn", "setup:holdconn"),
    )
    reason = next((reason for passed, reason in checks if not passed), None)
    return reason or Protection(dtls=Dtls(strong(remote), _role(remote, local.before.dtls if local.before else None)))


def _role(remote: Transport, before: Dtls | None) -> Literal["server", "client"]:
    """RFC 8842 section 5.3: an association that goes on keeps its roles."""
    if remote.setup == "passive":
        return "client"
    goes_on = before is not None and remote.setup != "active" and set(before.fingerprints) == set(strong(remote))
    return before.role if before is not None and goes_on else "server"


_FINDERS = {"plain": _plain, "sdes": _sdes, "dtls": _dtls}


def strong(transport: Transport) -> tuple[Fingerprint, ...]:
    """The fingerprints that prove something."""
    return tuple(f for f in transport.fingerprints if f.algorithm in STRONG_HASHES)


@dataclass(frozen=True)
class Lines:
    """What protection adds to an m-line."""

    cryptos: tuple[Crypto, ...] = ()
    fingerprints: tuple[Fingerprint, ...] = ()
    setup: Setup | None = None


def answer_lines(protection: Protection, local: LocalSecurity) -> Lines:
    if protection.sdes is not None:
        return Lines(cryptos=(protection.sdes.ours.line(protection.sdes.tag),))
    if protection.dtls is not None and local.fingerprint is not None:
        setup: Setup = "active" if protection.dtls.role == "client" else "passive"
        return Lines(fingerprints=(local.fingerprint,), setup=setup)
    return Lines()


def offered(local: LocalSecurity) -> tuple[str, Lines]:
    """Protocol and lines of an offer of ours."""
    if local.policy == "none" or (local.policy == "optional" and not local.best_effort):
        return "RTP/AVP", Lines()
    plain = local.policy == "optional"
    if local.offers == "dtls" and local.fingerprint is not None:
        protocol = "RTP/AVP" if plain else "UDP/TLS/RTP/SAVP"
        return protocol, Lines(fingerprints=(local.fingerprint,), setup="actpass")
    return "RTP/AVP" if plain else "RTP/SAVP", Lines(cryptos=sdes.offer_lines(local.suites, local.random))


def answered(ours: Media, answer: Session, theirs: Media) -> Protection:
    """What the answer to our section agrees on. Raises SdpError where it leaves out what we require, or invents something."""
    required = "plain" not in PROTOCOLS[ours.protocol]
    remote = answer.transport_of(theirs)
    if theirs.cryptos and ours.cryptos:
        return Protection(sdes=sdes.answered(ours.cryptos, theirs.cryptos))
    if ours.fingerprints and strong(remote):
        return Protection(dtls=_answered_dtls(theirs, remote))
    if required or "plain" not in PROTOCOLS[theirs.protocol]:
        raise SdpError("the answer does not protect the media as it was offered", code="sdp-no-usable-media")
    return Protection()


def _answered_dtls(theirs: Media, remote: Transport) -> Dtls:
    """RFC 5763 section 5: ``actpass`` is answered by ``active`` or ``passive``; who says nothing is active (RFC 4145, 4)."""
    if remote.setup not in ("active", "passive", None):
        raise SdpError(f"setup:{remote.setup} is no answer to setup:actpass")
    if not theirs.rtcp_mux:
        raise SdpError("the answer leaves out rtcp-mux, which DTLS was offered with", code="sdp-no-usable-media")
    return Dtls(strong(remote), "client" if remote.setup == "passive" else "server")
