"""The answer of an ICE-lite media server to a browser's offer: one audio stream, all else declined (RFC 8829, 8839, 8843, 5763)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from .model import (
    REVERSED,
    Candidate,
    Codec,
    ExtMap,
    Fingerprint,
    Group,
    Media,
    Msid,
    Origin,
    Session,
    Setup,
    SsrcAttribute,
)
from .offer_answer import (
    Agreement,
    LocalStream,
    answered_codecs,
    choose_ours,
    connection_to,
    decline,
    find_events,
    find_noise,
    find_red,
    formats,
    no_usable_media,
)
from .security import strong

PROTOCOLS = frozenset({"UDP/TLS/RTP/SAVPF", "TCP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "RTP/SAVPF", "RTP/SAVP"})
"""All mean the same where a fingerprint is given (RFC 8829 section 5.1.2)."""
AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
CSRC_AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:csrc-audio-level"
"""RFC 6465: who is heard in the mix, and how loud."""
SDES_MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
EXTENSIONS = (AUDIO_LEVEL, CSRC_AUDIO_LEVEL, SDES_MID)
ONE_BYTE_IDS = range(1, 15)
"""RFC 8285 section 4.2: what fits the one-byte header."""
HOST_PREFERENCE = 126
"""RFC 8445 section 5.1.2.2."""
TCP_PREFERENCE = 90
"""RFC 6544 section 4.2: lower than that of whatever may come over UDP from a host (126, and 110 for what it turns out to be)."""
PASSIVE_PREFERENCE = 4 << 13
"""RFC 6544 section 4.2: of a host candidate that waits to be connected to, less than one that connects (6)."""


@dataclass(frozen=True)
class LocalTransport:
    """Where the engine listens and how it proves itself."""

    addresses: tuple[tuple[str, int], ...]
    """Advertised IP literals and ports; the first stands in ``c=`` and ``m=``."""
    ice_ufrag: str
    ice_pwd: str
    fingerprint: Fingerprint
    tcp: bool = False
    """Whether the engine listens there for TCP too (RFC 6544)."""


@dataclass(frozen=True)
class WebRtcAgreement(Agreement):
    """The stream and the transport that carries it."""

    mid: str | None
    mid_ext: int
    """Header extension id; 0: not agreed."""
    audio_level_ext: int
    csrc_level_ext: int
    remote_ufrag: str
    remote_pwd: str
    fingerprints: tuple[Fingerprint, ...]
    """Only those with a strong hash, at least one."""
    dtls_role: Literal["server", "client"]
    """Ours."""


def answer_webrtc(offer: Session, stream: LocalStream, transport: LocalTransport) -> WebRtcAgreement:
    """Accepts the first audio section that can be used and declines the others.

    Raises SdpError ``sdp-no-usable-media``, which says of each m-line why not.
    """
    reasons = []
    for index, media in enumerate(offer.media):
        reason = _unusable(offer, media, stream)
        if reason is None:
            return _agree(offer, index, stream, transport)
        reasons.append(f"m-line {index + 1} ({media.kind}): {reason}")
    raise no_usable_media(reasons)


def offers_ice(offer: Session) -> bool:
    """Whether an audio section is for ICE with DTLS and one port: then :func:`answer_webrtc` answers it, whoever signals."""
    audio = [media for media in offer.media if media.kind == "audio" and media.offered and media.rtcp_mux]
    audio = [media for media in audio if media.protocol in PROTOCOLS]
    return any(offer.transport_of(m).ice_ufrag and strong(offer.transport_of(m)) for m in audio)


def _unusable(offer: Session, media: Media, stream: LocalStream) -> str | None:
    """Why this section cannot be accepted, or None."""
    remote = offer.transport_of(media)
    checks = (
        (media.kind == "audio", "not audio"),
        (media.offered, "withdrawn (port 0)"),
        (media.protocol in PROTOCOLS, f"protocol {media.protocol}"),
        (media.rtcp_mux, "no rtcp-mux"),
        (remote.ice_ufrag is not None, "no ICE user name and password"),
        (bool(strong(remote)), "no sha-256 or stronger fingerprint"),
        (remote.setup != "holdconn", "setup:holdconn"),
        (choose_ours(media, stream.codecs) is not None, f"no codec of {', '.join(stream.codecs)}"),
    )
    return next((reason for passed, reason in checks if not passed), None)


def _agree(offer: Session, index: int, stream: LocalStream, transport: LocalTransport) -> WebRtcAgreement:
    media = offer.media[index]
    remote = offer.transport_of(media)
    codec = choose_ours(media, stream.codecs)
    assert codec is not None and remote.ice_ufrag is not None and remote.ice_pwd is not None
    setup: Setup = "active" if remote.setup == "passive" else "passive"
    extensions = {e.uri: e for e in offer.extmaps_of(media) if e.uri in EXTENSIONS and e.id in ONE_BYTE_IDS}
    events, red = find_events(media, codec), find_red(media, codec, stream.redundancy)
    noise = find_noise(media, codec)
    codecs = answered_codecs(codec, events, red, noise, stream.redundancy)
    accepted = _accept(offer, media, stream, transport, setup, codecs, tuple(extensions.values()))
    return WebRtcAgreement(
        description=_answer(offer, index, accepted, stream),
        index=index,
        send=codec,
        receive=tuple(line for line in accepted.codecs if line.pt == codec.pt),
        events=events,
        receive_events=(events,) if events else (),
        red=red,
        noise=noise,
        receive_noise=(noise,) if noise else (),
        direction=REVERSED[offer.direction_of(media)],
        ptime=media.ptime,
        maxptime=media.maxptime,
        mid=media.mid,
        mid_ext=extensions[SDES_MID].id if SDES_MID in extensions and media.mid else 0,
        audio_level_ext=extensions[AUDIO_LEVEL].id if AUDIO_LEVEL in extensions else 0,
        csrc_level_ext=_wanted(extensions.get(CSRC_AUDIO_LEVEL)),
        remote_ufrag=remote.ice_ufrag,
        remote_pwd=remote.ice_pwd,
        fingerprints=strong(remote),
        dtls_role="client" if setup == "active" else "server",
    )


def _wanted(extension: ExtMap | None) -> int:
    """The id of an extension that the peer takes from us (RFC 8285 section 6: its direction is the offerer's)."""
    return 0 if extension is None or extension.direction in ("sendonly", "inactive") else extension.id


def _accept(
    offer: Session,
    media: Media,
    stream: LocalStream,
    transport: LocalTransport,
    setup: Setup,
    codecs: tuple[Codec, ...],
    extensions: tuple[ExtMap, ...],
) -> Media:
    direction = REVERSED[offer.direction_of(media)]
    address, port = transport.addresses[0]
    answer = Media(
        kind=media.kind,
        port=port,
        protocol=media.protocol,
        formats=formats(codecs),
        codecs=codecs,
        connection=connection_to(address),
        direction=direction,
        mid=media.mid,
        rtcp_mux=True,
        rtcp_rsize=media.rtcp_rsize,
        ice_ufrag=transport.ice_ufrag,
        ice_pwd=transport.ice_pwd,
        fingerprints=(transport.fingerprint,),
        setup=setup,
        extmaps=tuple(ExtMap(e.id, e.uri, REVERSED[e.direction] if e.direction else None) for e in extensions),
        candidates=candidates_of(transport),
        end_of_candidates=True,
    )
    if direction not in ("sendrecv", "sendonly"):
        return answer
    return replace(
        answer,
        msids=(Msid(stream.cname, f"{stream.cname}-audio"),),
        ssrcs=(SsrcAttribute(stream.ssrc, "cname", stream.cname),),
    )


def _answer(offer: Session, index: int, accepted: Media, stream: LocalStream) -> Session:
    """RFC 8843 section 7.3.3: a declined section leaves its BUNDLE group."""
    assert accepted.connection is not None
    bundled = offer.bundle_of(accepted.mid) is not None and accepted.mid is not None
    return Session(
        origin=Origin("-", stream.session_id, stream.version, accepted.connection.address, accepted.connection.family),
        ice_lite=True,
        groups=(Group("BUNDLE", (str(accepted.mid),)),) if bundled else (),
        media=tuple(accepted if i == index else decline(media) for i, media in enumerate(offer.media)),
    )


def candidates_of(transport: LocalTransport) -> tuple[Candidate, ...]:
    """Host candidates, the first address preferred, and whatever comes over UDP to anything over TCP."""
    return _over_udp(transport) + (_over_tcp(transport) if transport.tcp else ())


def _over_udp(transport: LocalTransport) -> tuple[Candidate, ...]:
    """RFC 8445 section 5.1.2.1."""
    return tuple(
        Candidate(
            foundation=str(i + 1),
            component=1,
            transport="udp",
            priority=(HOST_PREFERENCE << 24) | ((65535 - i) << 8) | 255,
            address=address,
            port=port,
            type="host",
        )
        for i, (address, port) in enumerate(transport.addresses)
    )


def _over_tcp(transport: LocalTransport) -> tuple[Candidate, ...]:
    """RFC 6544 sections 4.2 and 4.5; of the local preference 13 bits are the address's. Foundations differ by transport."""
    return tuple(
        Candidate(
            foundation=str(len(transport.addresses) + i + 1),
            component=1,
            transport="tcp",
            priority=(TCP_PREFERENCE << 24) | ((PASSIVE_PREFERENCE + 8191 - i) << 8) | 255,
            address=address,
            port=port,
            type="host",
            extra=(("tcptype", "passive"),),
        )
        for i, (address, port) in enumerate(transport.addresses)
    )
