"""The MCU's legs (2131, /v1/rooms/{room}/legs and /v1/legs)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .base import CodecName, DisplayName, Host, Id, MediaSecurity, Reply, Request, Role, Sdp


class WebRtcLegCreate(Request):
    """POST /v1/rooms/{room}/legs with an SDP offer of a browser. Replaces the participant's earlier leg."""

    kind: Literal["webrtc"]
    participant: Id
    display_name: DisplayName
    role: Role = "guest"
    sdp: Sdp
    muted: bool = False
    held: bool = False
    """Both as in LegPatch, from the start. An earlier leg of the participant hands on what was decided about it instead."""


class RtpLegCreate(Request):
    """POST /v1/rooms/{room}/legs: RTP, in the clear or protected. With ``sdp`` (an offer) the reply carries the answer;
    without, it carries our offer, and the far end's answer goes to PUT /v1/legs/{leg}/answer."""

    kind: Literal["rtp"]
    participant: Id
    display_name: DisplayName
    role: Role = "guest"
    sdp: Sdp | None = None
    codecs: tuple[CodecName, ...] = Field(default=("opus", "G722", "PCMU", "PCMA"), min_length=1, max_length=5)
    """What may be used; preference, when we are the offerer. L16 (a quarter of a megabit a second) only where it is named."""
    symmetric: bool = False
    """The peer's address is learnt from its packets and kept from then on: from the first of the host that was signalled, of
    ``signalling``, or of whoever has the keys."""
    signalling: Host | None = None
    """With ``symmetric``: the host that the peer's signalling comes from. Behind NAT its media mostly comes from there too."""
    media_security: MediaSecurity = "optional"
    """``none``: in the clear. ``optional``: as the peer offers it, and in our offers as ``best_effort`` says. ``required``:
    nothing in the clear."""
    best_effort: bool = False
    """With ``optional``: our offers hold keys for those who take them (RFC 8643)."""
    key_exchange: Literal["sdes", "dtls", "ice"] = "sdes"
    """How our offers are protected. SDES keys are as secret as the signalling that carries them; ``ice``: DTLS, for a browser."""
    confirmed: bool = True
    """False: nothing is sent to an address that was only signalled, until a packet comes from there or PATCH says so."""
    has_listened: bool = False
    """Its peer took media at an earlier leg: if it takes none here it is on hold, and not heard. Else it only plays, and is."""
    owner: Id | None = None
    """Who must be heard of (``PUT /v1/owners/{owner}``), or the leg ends with ``owner-gone``."""
    collect: bool = False
    """Its digits are told to the owner (``GET /v1/owners/{owner}/digits``) from the first: events, and from a peer that sends none
    tones, which are cut from what others hear."""
    media_timeout_s: float = Field(default=60, ge=0, le=3600)
    """The leg ends after this much silence on the wire, but not on hold; 0: never, then its owner must end it."""
    muted: bool = False
    held: bool = False
    """As in WebRtcLegCreate."""


LegCreate = Annotated[WebRtcLegCreate | RtpLegCreate, Field(discriminator="kind")]


class LegReply(Reply):
    leg: Id
    participant: Id
    room: Id
    sdp: Sdp
    """Answer, or our offer."""
    people: int = 0
    """Participants of the room, this one included, where the leg is new."""
    boot: str = ""
    """Of the MCU's process, where the leg is new: with another one it has gone (``OwnerLegs``)."""


class LegSdp(Request):
    """PUT /v1/legs/{leg}/offer (-> LegReply: ICE restart, re-offer) and PUT /v1/legs/{leg}/answer (-> 204)."""

    sdp: Sdp


class OwnerLegs(Reply):
    """PUT /v1/owners/{owner}: it is there; every leg that was made in its name goes on for another lease."""

    legs: list[Id]
    lease_s: float
    boot: str = ""
    """Of the MCU's process: another one has lost all legs of the one before."""


class Seat(Request):
    """Who somebody is in a room."""

    participant: Id
    display_name: DisplayName
    role: Role = "guest"


class LegPatch(Request):
    """PATCH /v1/legs/{leg} -> Participant. Absent fields stay."""

    muted: bool | None = None
    """False is refused with ``held`` while the leg is held, unless the same patch ends that."""
    held: bool | None = None
    """Not heard by rule: ``muted`` stays as it was, and counts again afterwards."""
    role: Role | None = None
    deaf: bool | None = None
    gain_db: float | None = Field(default=None, ge=-60, le=18)
    """How loud the others hear it."""
    hear_db: float | None = Field(default=None, ge=-60, le=18)
    """How loud it hears the others; what is played to it alone is not changed. Other than 0 it costs an encoding of its own."""
    suspended: bool | None = None
    """Neither heard nor sent media, at no cost; the leg stays."""
    aside: bool | None = None
    """Only those hear it who have a gain for it (``PUT /v1/legs/{leg}/hears/{talker}``): coach, whisper."""
    agc: bool | None = None
    """Its speech is brought to the level of everybody else's, -23 dBov, by -12 to +18 dB, beside ``gain_db``; +18 dB in all."""
    gate_dbov: int | None = Field(default=None, ge=0, le=127)
    """A gate of its own, -dBov, in place of the room's (65): what is softer for half a second is not heard; 0: the room's."""
    confirmed: Literal[True] | None = None
    """The peer has shown that it is there and wants media, by an ACK for instance."""
    signalling: Host | None = None
    """As in RtpLegCreate; holds from the next description of the peer's on."""
    room: Id | None = None
    """Moves the leg to this room of the same MCU. RTP legs only."""
    seat: Seat | None = None
    """With ``room``: who the leg is there. Absent: who it was."""


class PairGain(Request):
    """PUT /v1/legs/{leg}/hears/{talker} -> 204: how loud this leg hears that one; DELETE: as everybody does."""

    gain_db: float | None = Field(ge=-60, le=18)
    """None: not at all."""


class Quality(Reply):
    """One way of a leg's sound since its stream began."""

    loss: float = Field(ge=0, le=1)
    """Of its packets, those that were never heard."""
    jitter_ms: float
    delay_ms: float
    """From mouth to ear as far as it is known; the peer's own part of it is not."""
    mos: float = Field(ge=1, le=4.5)
    """Estimated by the E-model (ITU-T G.107) on its narrow-band scale, where 4.4 is the best."""


class LegStats(Reply):
    """GET /v1/legs/{leg}/stats; the engine's counters by their names in core.h, and the negotiated media."""

    leg: Id
    participant: Id
    room: Id
    kind: Literal["webrtc", "rtp"]
    codec: str
    security: str = ""
    """How the media is protected: plain, sdes, dtls; "" before that is agreed."""
    remote: str = ""
    counters: dict[str, int]
    playout: dict[str, int]
    incoming: Quality | None = None
    """From the peer to the room; None as long as nothing has come."""
    outgoing: Quality | None = None
    """From the room to the peer, by its reports; None as long as nothing was sent."""
