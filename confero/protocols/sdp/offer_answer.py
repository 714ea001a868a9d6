"""What the WebRTC and the plain RTP negotiation share: which codec, which direction, how a section is declined (RFC 3264)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from .errors import SdpError
from .model import Codec, Connection, Direction, Media, Session

CODECS: dict[str, Codec] = {
    "opus": Codec(111, "opus", 48000, 2, "minptime=10;useinbandfec=1"),
    "G722": Codec(9, "G722", 8000),
    "PCMU": Codec(0, "PCMU", 8000),
    "PCMA": Codec(8, "PCMA", 8000),
    "L16": Codec(97, "L16", 16000),
}
"""What the media engine codes, as we would offer it (RFC 7587, RFC 3551; the clock of G.722 is 8000 by section 4.5.2)."""
L16_RATES = (8000, 16000, 24000, 48000)
"""An offer of L16 is taken in any of these, in mono."""
NAMES = {codec.key: name for name, codec in CODECS.items()} | {Codec(0, "L16", rate).key: "L16" for rate in L16_RATES}
ALL_CODECS = tuple(CODECS)

EVENTS = "telephone-event"
EVENTS_FMTP = "0-16"
"""RFC 4733: the sixteen keys of DTMF and flash."""
EVENT_PTS = {8000: 101, 16000: 102, 48000: 110}
"""Payload types under which we would offer them, by clock rate."""


NOISE = Codec(13, "CN", 8000)
"""RFC 3389, offered beside codecs of this clock."""

RED = "red"
Redundancy = Literal["off", "auto", "always"]
"""RFC 2198 for Opus: not agreed to; agreed to and used as loss asks for it; used always, by the peer too."""


@dataclass(frozen=True)
class LocalStream:
    """Our side of the stream, whatever carries it."""

    session_id: int
    """``o=`` session id, the same for all descriptions of one leg."""
    version: int = 1
    """One more with each description of the leg."""
    codecs: tuple[str, ...] = ALL_CODECS
    """Names from ``CODECS``; the first is liked best."""
    ssrc: int = 0
    cname: str = "confero"
    redundancy: Redundancy = "off"


@dataclass(frozen=True)
class Agreement:
    """The audio stream that both sides now hold to, from our point of view."""

    description: Session
    """Our answer, or our offer that was answered."""
    index: int
    """Which m-line carries it."""
    send: Codec
    """How the peer takes it: its payload type and parameters."""
    receive: tuple[Codec, ...]
    """What the peer may send, under our payload types."""
    events: Codec | None
    """``telephone-event`` under the peer's payload type."""
    receive_events: tuple[Codec, ...] = field(default=(), kw_only=True)
    """The same under ours."""
    red: Codec | None = field(default=None, kw_only=True)
    """RFC 2198 with ``send`` inside, both ways under one payload type."""
    noise: Codec | None = field(default=None, kw_only=True)
    """Comfort noise (RFC 3389) under the peer's payload type."""
    receive_noise: tuple[Codec, ...] = field(default=(), kw_only=True)
    """The same under ours."""
    direction: Direction
    ptime: int | None
    """Milliseconds the peer would like in a packet."""
    maxptime: int | None
    """... and will not have more of."""

    @property
    def sends(self) -> bool:
        return self.direction in ("sendrecv", "sendonly")

    @property
    def receives(self) -> bool:
        return self.direction in ("sendrecv", "recvonly")


def choose_ours(media: Media, names: Sequence[str]) -> Codec | None:
    """The offered codec that we like best."""
    offered = {NAMES.get(codec.key): codec for codec in reversed(media.codecs)}
    return next((offered[name] for name in names if name in offered), None)


def choose_theirs(media: Media, names: Sequence[str]) -> Codec | None:
    """The offerer's first codec that we know: the order that RFC 3264 section 6.1 asks an answerer to keep."""
    return next((codec for codec in media.codecs if NAMES.get(codec.key) in names), None)


def find_events(media: Media, codec: Codec) -> Codec | None:
    """``telephone-event`` at the codec's clock rate (RFC 4733 section 2.5.1.1), else at any: Firefox has 8000 beside Opus."""
    found = [candidate for candidate in media.codecs if candidate.name.lower() == EVENTS]
    return min(found, key=lambda candidate: candidate.clock_rate != codec.clock_rate, default=None)


def find_red(media: Media, codec: Codec, wish: Redundancy) -> Codec | None:
    """RFC 2198 with this codec in all its blocks, as browsers offer it for Opus: ``fmtp:63 111/111``."""
    if wish == "off" or codec.name.lower() != "opus":
        return None
    same = [c for c in media.codecs if c.name.lower() == RED and c.key[1:] == codec.key[1:]]
    return next((c for c in same if set((c.fmtp or "").split("/")) == {str(codec.pt)}), None)


def find_noise(media: Media, codec: Codec) -> Codec | None:
    """Comfort noise on the codec's clock (RFC 3389 section 4), for those that have no discontinuous transmission of their own."""
    if codec.name.lower() == "opus":
        return None
    return next((c for c in media.codecs if c.key == ("cn", codec.clock_rate, 1)), None)


def offered_codecs(names: Iterable[str]) -> tuple[Codec, ...]:
    """The codec lines of an offer: these codecs in order, comfort noise where it fits, and events on each of their clocks."""
    codecs = [CODECS[name] for name in names]
    rates = {codec.clock_rate: None for codec in codecs}
    codecs += [NOISE] if NOISE.clock_rate in rates else []
    return (*codecs, *(Codec(EVENT_PTS[rate], EVENTS, rate, 1, EVENTS_FMTP) for rate in rates))


def answered_codecs(
    codec: Codec, events: Codec | None, red: Codec | None, noise: Codec | None, wish: Redundancy
) -> tuple[Codec, ...]:
    """The codec lines of an answer: the offer's payload types with our own parameters. What stands first is what the peer
    sends (RFC 3264 section 7): the redundant form only where it is wished for always."""
    ours = CODECS[NAMES[codec.key]]
    lines = [Codec(codec.pt, codec.name, codec.clock_rate, codec.channels, ours.fmtp)]
    if red is not None:
        lines.insert(0 if wish == "always" else 1, replace(red, fmtp=f"{codec.pt}/{codec.pt}"))
    if noise is not None:
        lines.append(noise)
    if events is not None:
        lines.append(Codec(events.pt, events.name, events.clock_rate, events.channels, EVENTS_FMTP))
    return tuple(lines)


def connection_to(address: str) -> Connection:
    """The ``c=`` line of an IP literal."""
    return Connection(address, 6 if ":" in address else 4)


def formats(codecs: Iterable[Codec]) -> tuple[str, ...]:
    return tuple(str(codec.pt) for codec in codecs)


def decline(media: Media) -> Media:
    """The answer to a section that we take no part in: port 0, its mid kept, no transport of its own (RFC 8829 section 5.3.1)."""
    return Media(
        kind=media.kind,
        port=0,
        protocol=media.protocol,
        formats=media.formats[:1],
        codecs=tuple(codec for codec in media.codecs[:1] if str(codec.pt) == media.formats[0]),
        connection=Connection("0.0.0.0"),
        direction="inactive",
        mid=media.mid,
    )


def no_usable_media(reasons: Iterable[str]) -> SdpError:
    detail = "; ".join(reasons) or "there is no m-line"
    return SdpError(f"nothing here that we can take part in: {detail}", code="sdp-no-usable-media")
