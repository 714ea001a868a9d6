"""Offer and answer for plain RTP, as telephones and the media worker speak it (RFC 3264, 3605, 5761), over TCP too (RFC 4145)."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from .errors import SdpError
from .model import REVERSED, Codec, Media, Origin, Rtcp, Session, TcpConnection
from .offer_answer import (
    EVENTS,
    NAMES,
    NOISE,
    Agreement,
    LocalStream,
    answered_codecs,
    choose_theirs,
    connection_to,
    decline,
    find_events,
    find_noise,
    find_red,
    formats,
    no_usable_media,
    offered_codecs,
)
from .security import (
    OVER_TCP,
    PROTOCOLS,
    UNPROTECTED,
    Lines,
    LocalSecurity,
    Protection,
    answer_lines,
    answered,
    offered,
    protect,
)

PTIME_MS = 20
DISCARD = 9
"""The port of one who connects and is not connected to (RFC 4145 section 4.1)."""

TcpRole = Literal["passive", "active"]
"""We wait for the peer's connection, or make it."""
LocalTcp = Literal["none", "possible", "running"]
"""Whether a stream may go over TCP here, or does so already."""


@dataclass(frozen=True)
class LocalPorts:
    """Where we take packets."""

    address: str
    rtp_port: int
    rtcp_port: int


@dataclass(frozen=True)
class Endpoint:
    """Where the peer takes packets. The address may be a host name; nothing here looks names up."""

    address: str
    port: int


@dataclass(frozen=True)
class RtpAgreement(Agreement):
    remote_rtp: Endpoint | None
    """None: on hold in the old way (0.0.0.0, RFC 3264 section 8.4): nothing is sent, RTCP included."""
    remote_rtcp: Endpoint | None
    rtcp_mux: bool
    protection: Protection = field(default=Protection(), kw_only=True)
    tcp: TcpRole | None = field(default=None, kw_only=True)
    """None: over UDP. ``passive``: the remote port says nothing, the peer connects from another."""

    @property
    def reconnects(self) -> bool:
        """Whether a stream over TCP leaves the connection that it had."""
        return self.tcp is not None and self.description.media[self.index].tcp_connection != "existing"


def answer_rtp(
    offer: Session,
    stream: LocalStream,
    ports: LocalPorts,
    security: LocalSecurity = UNPROTECTED,
    tcp: LocalTcp = "none",
) -> RtpAgreement:
    """Accepts the first usable audio section with one codec (the offerer's first that we know) and telephone-event.

    The other sections are declined. Raises SdpError ``sdp-no-usable-media``, which says of each m-line why not.
    """
    reasons = []
    for index, media in enumerate(offer.media):
        reason = _unusable(media, offer, stream, tcp)
        protection = reason or protect(offer, media, security)
        if not isinstance(protection, str):
            lines = answer_lines(protection, security)
            return _agree(offer, index, stream, ports, protection, lines, tcp)
        reasons.append(f"m-line {index + 1} ({media.kind}): {protection}")
    raise no_usable_media(reasons)


def offer_rtp(
    stream: LocalStream, ports: LocalPorts, *, mux: bool = False, security: LocalSecurity = UNPROTECTED
) -> Session:
    """An offer of one audio stream with all of the codecs, in order; ``mux``: RTCP may come on the RTP port (RFC 5761)."""
    protocol, lines = offered(security)
    media = _local_media(ports, offered_codecs(stream.codecs), lines, mux=mux, protocol=protocol)
    return _describe(stream, ports, (media,))


def apply_answer(offer: Session, answer: Session) -> RtpAgreement:
    """What an answer to ``offer_rtp`` agrees on. Raises SdpError where it does not fit the offer (RFC 3264 section 6)."""
    if len(answer.media) != len(offer.media):
        raise SdpError(f"the answer has {len(answer.media)} m-lines, the offer {len(offer.media)}")
    ours, theirs = offer.media[0], answer.media[0]
    if theirs.kind != ours.kind or theirs.protocol not in PROTOCOLS.keys() - OVER_TCP:
        raise SdpError("the answer's m-line is not the offer's")
    if theirs.port == 0:
        raise no_usable_media(["the peer declined it"])
    offered = {codec.key: codec for codec in ours.codecs}
    common = [codec for codec in theirs.codecs if codec.key in offered and codec.key in NAMES]
    if not common:
        raise no_usable_media(["the answer has no codec of the offer"])
    mux = theirs.rtcp_mux and ours.rtcp_mux
    protection = answered(ours, answer, theirs)
    rtp, rtcp = _remote(answer, theirs, mux)
    return RtpAgreement(
        description=offer,
        index=0,
        send=common[0],
        receive=tuple(offered[codec.key] for codec in common),
        events=find_events(theirs, common[0]),
        receive_events=tuple(codec for codec in ours.codecs if codec.name == EVENTS),
        red=None,  # not offered: telephones do not have it
        noise=find_noise(theirs, common[0]) if NOISE in ours.codecs else None,
        receive_noise=(NOISE,) if NOISE in ours.codecs else (),
        direction=REVERSED[answer.direction_of(theirs)],
        ptime=theirs.ptime,
        maxptime=theirs.maxptime,
        remote_rtp=rtp,
        remote_rtcp=rtcp,
        rtcp_mux=mux,
        protection=protection,
    )


def _unusable(media: Media, offer: Session, stream: LocalStream, tcp: LocalTcp) -> str | None:
    over_tcp = media.protocol in OVER_TCP
    checks = (
        (media.kind == "audio", "not audio"),
        (media.port != 0, "withdrawn (port 0)"),
        (offer.connection_of(media) is not None, "no c= line"),
        (not over_tcp or tcp != "none", f"protocol {media.protocol}, and there is no TCP here"),
        (not over_tcp or offer.transport_of(media).setup != "holdconn", "setup:holdconn"),
        (choose_theirs(media, stream.codecs) is not None, f"no codec of {', '.join(stream.codecs)}"),
    )
    return next((reason for passed, reason in checks if not passed), None)


def _agree(
    offer: Session,
    index: int,
    stream: LocalStream,
    ports: LocalPorts,
    protection: Protection,
    lines: Lines,
    tcp: LocalTcp,
) -> RtpAgreement:
    media = offer.media[index]
    codec = choose_theirs(media, stream.codecs)
    assert codec is not None
    events, red = find_events(media, codec), find_red(media, codec, stream.redundancy)
    noise = find_noise(media, codec)
    rtp, rtcp = _remote(offer, media, media.rtcp_mux)
    direction = REVERSED[offer.direction_of(media)]
    role = _tcp_role(offer, media)
    accepted = _local_media(
        ports,
        answered_codecs(codec, events, red, noise, stream.redundancy),
        replace(lines, setup=role) if role else lines,
        mux=media.rtcp_mux,
        protocol=media.protocol,
        mid=media.mid,
        direction=direction,
        tcp_connection=_tcp_connection(offer, media, tcp) if role else None,
    )
    answer = tuple(accepted if i == index else decline(other) for i, other in enumerate(offer.media))
    return RtpAgreement(
        description=_describe(stream, ports, answer),
        index=index,
        send=codec,
        receive=tuple(line for line in accepted.codecs if line.pt == codec.pt),
        events=events,
        receive_events=(events,) if events else (),
        red=red,
        noise=noise,
        receive_noise=(noise,) if noise else (),
        direction=direction,
        ptime=media.ptime,
        maxptime=media.maxptime,
        remote_rtp=rtp,
        remote_rtcp=rtcp,
        rtcp_mux=media.rtcp_mux,
        protection=protection,
        tcp=role,
    )


def _tcp_role(offer: Session, media: Media) -> TcpRole | None:
    """RFC 4145 section 4.1: who says nothing is active; to ``actpass`` we are what is easier to reach. None: it is for UDP."""
    if media.protocol not in OVER_TCP:
        return None
    return "active" if offer.transport_of(media).setup == "passive" else "passive"


def _tcp_connection(offer: Session, media: Media, tcp: LocalTcp) -> TcpConnection:
    """RFC 4145 section 5.1: a connection goes on if both say so; who says nothing wants another."""
    offered = media.tcp_connection or offer.tcp_connection
    return "existing" if offered == "existing" and tcp == "running" else "new"


def _local_media(
    ports: LocalPorts, codecs: tuple[Codec, ...], lines: Lines, *, mux: bool, protocol: str = "RTP/AVP", **more: Any
) -> Media:
    next_port = ports.rtcp_port == ports.rtp_port + 1
    return Media(
        kind="audio",
        port=ports.rtp_port,
        protocol=protocol,
        formats=formats(codecs),
        codecs=codecs,
        connection=connection_to(ports.address),
        ptime=PTIME_MS,
        rtcp_mux=mux,
        rtcp=None if next_port or mux or ports.rtp_port == DISCARD else Rtcp(ports.rtcp_port),
        cryptos=lines.cryptos,
        fingerprints=lines.fingerprints,
        setup=lines.setup,
        **more,
    )


def _describe(stream: LocalStream, ports: LocalPorts, media: tuple[Media, ...]) -> Session:
    connection = connection_to(ports.address)
    origin = Origin("-", stream.session_id, stream.version, connection.address, connection.family)
    return Session(origin=origin, connection=connection, media=media)


def _remote(session: Session, media: Media, mux: bool) -> tuple[Endpoint | None, Endpoint | None]:
    """Where the peer takes RTP and RTCP."""
    connection = session.connection_of(media)
    if connection is None:
        raise SdpError("there is no c= line")
    if is_unspecified(connection.address):
        return None, None
    rtp = Endpoint(connection.address, media.port)
    if mux:
        return rtp, rtp
    if media.rtcp is not None:
        at = media.rtcp.connection or connection
        return rtp, None if is_unspecified(at.address) or not media.rtcp.port else Endpoint(at.address, media.rtcp.port)
    return rtp, Endpoint(connection.address, media.port + 1) if media.port < 65535 else None


def is_unspecified(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_unspecified
    except ValueError:
        return False
