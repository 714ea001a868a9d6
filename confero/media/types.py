"""What is asked of the engine and what it tells: plain frozen values, checked when they are made into C structs."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Literal, NamedTuple


class Codec(enum.IntEnum):
    """Audio codecs; the values are those of ``enum cf_codec``."""

    PCMU = 1
    PCMA = 2
    OPUS = 3
    G722 = 4
    L16 = 5
    RED = 6
    """Received: earlier payloads beside the newest (RFC 2198)."""
    EVENT = 7
    """Received: digits (RFC 4733)."""
    CN = 8
    """Received: comfort noise (RFC 3389), which is taken for silence."""


RED_AUTO = -1


class LegKind(enum.IntEnum):
    """How a leg's packets come: through the shared port with ICE and DTLS-SRTP, or through its own RTP port."""

    WEBRTC = 1
    RTP = 2


class SrtpProfile(enum.IntEnum):
    """SRTP protection profiles under their numbers for DTLS (RFC 5764, RFC 7714)."""

    AES128_CM_SHA1_80 = 0x0001
    AES128_CM_SHA1_32 = 0x0002
    """With a tag of 4 bytes; never agreed on by DTLS, only by SDES (RFC 4568)."""
    AEAD_AES_128_GCM = 0x0007
    AEAD_AES_256_GCM = 0x0008

    @property
    def key_length(self) -> int:
        """Bytes of the master key."""
        return 32 if self is SrtpProfile.AEAD_AES_256_GCM else 16

    @property
    def salt_length(self) -> int:
        """Bytes of the master salt."""
        return 12 if self in (SrtpProfile.AEAD_AES_128_GCM, SrtpProfile.AEAD_AES_256_GCM) else 14


class EventType(enum.IntEnum):
    """What an event says; the values are those of ``enum cf_event_type``."""

    ICE_CONNECTED = 1
    """First authenticated check of a leg; ``text``: the peer's address."""
    ICE_MOVED = 2
    """The selected path has changed; ``text``: the peer's address."""
    DTLS = 3
    """DTLS datagrams wait: take them until there are none."""
    MEDIA = 4
    """The first valid RTP packet."""
    TIMEOUT = 5
    """Consent (WebRTC) or media (RTP) has stopped coming. Sent once."""
    BYE = 6
    """The peer has said BYE in RTCP."""
    SPEAKERS = 7
    """A room's active speakers have changed."""
    OVERRUN = 8
    """``value`` events were lost because nobody read them in time."""
    RELEASED = 9
    """A leg (``leg`` not 0) or a room has left its media thread. ``value``: 0, or the errno why it never came in."""
    DIGIT = 10
    """A leg's digit has ended; ``text``: which, ``value``: ms, ``in_band``: found by its sound."""
    PLAYED = 11
    """What plays under the number ``value`` has ended, by itself, stopped, or with its leg or room."""


class TapPoint(enum.IntEnum):
    """Where a tap listens."""

    LEG_IN = 1
    """What a leg adds to the mix."""
    LEG_OUT = 2
    """What a leg hears, before its encoder."""
    ROOM = 3
    """The whole room."""


class Address(NamedTuple):
    """A transport address; ``host`` is a literal IPv4 or IPv6 address."""

    host: str
    port: int


class Speaker(NamedTuple):
    """An active speaker: its leg and its level in -dBov (0 is the loudest)."""

    leg: int
    level: int


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened on a media thread."""

    type: EventType
    room: int
    leg: int
    at_ns: int
    """On :meth:`Engine.now`'s clock."""
    value: int = 0
    speakers: tuple[Speaker, ...] = ()
    """Loudest first, at most eight."""
    text: str = ""
    in_band: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CodecParams:
    """How a leg is sent its stream. Legs with equal parameters that hear the same share one encoding."""

    codec: Codec
    ptime_ms: int = 20
    """10, 20, 30 (not Opus), 40 or 60, as far as the payload allows: see :func:`ptimes`."""
    bitrate: int = 0
    """Opus, bit/s; 0: 32000."""
    complexity: int = -1
    """Opus, 0-10; -1: 5."""
    fec: bool = False
    """Opus in-band FEC."""
    loss_percent: int = 0
    """Opus: the loss to prepare for, 0-100."""
    low_delay: bool = False
    """Opus: CELT only."""
    rate: int = 0
    """L16: 8000, 16000, 24000 or 48000; 0: 16000. Opus: what the peer plays, and 12000; 0: 48000."""
    channels: int = 0
    """Opus: 2 for stereo, of which both sides are the mix; 0: 1."""


PAYLOAD_MAX = 1280
"""Bytes of a payload that we send (``CF_PAYLOAD_MAX``)."""
OPUS_PTIMES = (10, 20, 40, 60)
PTIMES = (10, 20, 30, 40, 60)


def ptimes(codec: Codec, rate: int = 0) -> tuple[int, ...]:
    """The packet lengths in which a codec can be sent; ``rate``: of L16."""
    if codec is Codec.OPUS:
        return OPUS_PTIMES
    most = PAYLOAD_MAX // 2 * 1000 // (rate or 16000) if codec is Codec.L16 else PTIMES[-1]
    return tuple(ptime for ptime in PTIMES if ptime <= most)


class PayloadType(NamedTuple):
    """What an RTP payload type that we receive means."""

    number: int
    codec: Codec
    clock_rate: int


TcpRole = Literal["passive", "active"]
"""Of an RTP leg over TCP: it waits for its peer's connection, or makes it."""


class RtpSockets(NamedTuple):
    """The RTP and RTCP sockets of one leg, bound on one media thread; one socket for both with rtcp-mux."""

    thread: int
    rtp: int
    rtcp: int
    address: str
    rtp_port: int
    rtcp_port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JitterBuffer:
    """How long a leg's packets may wait for the ones before them."""

    minimum: bool = False
    """A packet is used at the next tick after the usual jitter, of which no more than 10 ms is waited for."""
    min_ms: int = 0
    """Never less; 0: 10, with ``minimum`` nothing."""
    max_ms: int = 0
    """Never more; 0: 400."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegConfig:
    """A leg as it is put into a room. Fields marked WebRTC or RTP are for legs of that kind only."""

    id: int
    """Chosen by the caller, 1 to 2**64-1, free again after its RELEASED event."""
    room: int
    kind: LegKind
    tx: CodecParams
    tx_pt: int
    rx: tuple[PayloadType, ...]
    jitter: JitterBuffer = JitterBuffer()
    audio_level_ext: int = 0
    """Header extension id of RFC 6464 levels, 0: not negotiated."""
    csrc_level_ext: int = 0
    """Header extension id of RFC 6465 levels of the contributing sources, 0: not negotiated."""
    event_pt: int = 0
    """Payload type of telephone-event that the peer takes, on the clock of ``tx``; 0: none."""
    red_pt: int = 0
    """Payload type of RFC 2198 that the peer takes, on the clock of ``tx``; 0: none."""
    red: int = 0
    """Earlier payloads sent along, 0-2; ``RED_AUTO``: as many as the loss that the peer reports asks for."""
    dtx: bool = False
    """While the room is silent the leg is sent one empty packet each 400 ms only (Opus)."""
    gate_dbov: int = 0
    """A gate of its own, -dBov, in place of the room's; 0: the room's."""
    agc: bool = False
    """Its speech is brought to the level of everybody else's, by -12 to +18 dB."""
    cn_pt: int = 0
    """Payload type of comfort noise (RFC 3389) that the peer takes, on the clock of ``tx``: sent in place of silence, but not
    to Opus; 0: none."""
    mid_ext: int = 0
    mid: str = ""
    ssrc: int = 0
    """Ours; 0: chosen by the engine."""
    cname: str = ""
    local_ufrag: str = ""
    """WebRTC: our ICE credentials and the peer's ufrag ("": any, until it is known)."""
    local_pwd: str = field(default="", repr=False)
    remote_ufrag: str = ""
    consent_timeout_ms: int = 0
    """WebRTC: 0: 30000."""
    sockets: RtpSockets | None = None
    """RTP: from :meth:`Engine.open_rtp`; they go over to the leg and are closed with it."""
    remote_rtp: Address | None = None
    """RTP: None: not known yet, nothing is sent."""
    remote_rtcp: Address | None = None
    """RTP: None: the port after RTP's, or the same with rtcp-mux."""
    secure: bool = False
    """RTP: nothing leaves or is taken before :meth:`Engine.set_keys`."""
    dtls: bool = False
    """RTP: secure, and the keys come by DTLS over the RTP socket."""
    unproven: bool = False
    """RTP: nothing is sent to ``remote_rtp`` before a valid packet has come from there or :meth:`Engine.prove` was called; the
    same again after each change of the host."""
    symmetric: bool = False
    """RTP: learn the peer's address from its packets and keep to it: from the first of the host in ``remote_rtp`` or
    ``signalling``, whatever its port, or from the first of anywhere that SRTP has authenticated."""
    signalling: str = ""
    """RTP, symmetric: the host that the peer's signalling comes from, where that is known."""
    any_port: bool = False
    """RTP: likewise, but from the host in ``remote_rtp`` alone. What legs over TCP need, whose peers do not tell their ports."""
    media_timeout_ms: int = 0
    """RTP: TIMEOUT after this long without a packet; 0: never."""


@dataclass(frozen=True, slots=True)
class SrtpKeys:
    """Master key and salt of one direction."""

    key: bytes = field(repr=False)
    salt: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class LegStats:
    """Counters of a leg (fields of ``cf_leg_stats``) and of its jitter buffer (``cf_playout_stats``)."""

    leg: dict[str, int]
    playout: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineConfig:
    """How an engine is set up."""

    threads: int = 0
    """Media threads, 1-64; 0: one for each core that we may use."""
    nice: int = 0
    """Nice value of the media threads, -20 to 19. Below 0 they are served before other work of a busy machine, where that is
    permitted (CAP_SYS_NICE); where not, nothing changes. 0: as the process."""
    seed: int | None = None
    """For SSRCs, sequence numbers and the choice of ports; None: from the system's random source."""
    bind: tuple[str, ...] = ()
    """Addresses of the shared ports, wildcards allowed; empty: every IPv4 and, where there is IPv6, every IPv6 address."""
    port_low: int | None = None
    """Lowest and highest port; None: as in the port map."""
    port_high: int | None = None
    tcp: bool = False
    """Whether WebRTC legs may also come over TCP, to the ports that are shared over UDP."""
    advertised: tuple[str, ...] = ()
    """``addr`` or ``external=internal``; empty: see :func:`confero.media.addresses.advertised`."""
