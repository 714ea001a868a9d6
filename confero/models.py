"""The wire models: every JSON body between services and to browsers, in one place (docs/wire.md tells the story).

Requests forbid unknown fields, so that a misspelt name is an error; replies and events ignore them, so that versions can differ.
Ids are opaque strings made by ``confero.ids``. Times are Unix seconds. Levels are -dBov (0 loud, 127 silent).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
DisplayName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]
Sdp = Annotated[str, StringConstraints(min_length=1, max_length=65_536)]
Token = Annotated[str, StringConstraints(min_length=1, max_length=4096)]
Role = Literal["host", "guest"]
DEFAULT_TALKERS = 6
"""More at once nobody can follow."""
CodecName = Literal["opus", "G722", "PCMU", "PCMA", "L16"]


Noise = Annotated[int, Field(ge=20, le=126)]
"""Level of comfort noise, -dBov: 65-75 is a quiet room."""


class Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Reply(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


# --- browser <-> application server (443, /api/v1) ---


class RoomCreate(Request):
    """POST /api/v1/rooms"""

    name: DisplayName | None = None
    """What people see; a name is made up when absent."""
    max_participants: int = Field(default=100, ge=2, le=8000)
    talkers: int = Field(default=DEFAULT_TALKERS, ge=0, le=64)
    """How many are mixed at once, the loudest; 0: all."""
    noise_dbov: Noise | None = None
    """Comfort noise in the mix."""
    announce: bool = False
    """Two notes up when somebody has come, two down when somebody has gone."""


class RoomInfo(Reply):
    """GET /api/v1/rooms/{room}; the reply to RoomCreate adds 201."""

    id: Id
    name: str
    max_participants: int
    talkers: int = DEFAULT_TALKERS
    noise_dbov: int | None = None
    announce: bool = False
    participants: int
    join_url: str


class JoinRequest(Request):
    """POST /api/v1/rooms/{room}/join"""

    display_name: DisplayName
    previous_token: Token | None = None
    """A token of an earlier join: keeps the participant's identity after a break, even if it has run out less than 12 h ago."""


class IceServer(Reply):
    """As RTCIceServer takes it."""

    urls: list[str]
    username: str | None = None
    credential: str | None = None


class JoinReply(Reply):
    token: Token
    token_expires: float
    participant: Id
    room: RoomInfo
    events_path: str = "/events"
    """WebSocket path on the same origin."""
    ice_servers: list[IceServer] = Field(default_factory=list)


# --- who is in a room ---


class Participant(Reply):
    """One line of the roster."""

    id: Id
    display_name: str
    role: Role = "guest"
    kind: Literal["webrtc", "rtp"]
    leg: Id
    muted: bool = False
    """Others do not hear this participant: by its own wish or the moderator's."""
    deaf: bool = False
    state: Literal["connecting", "connected", "disconnected"] = "connecting"
    """Of the media: ``connected`` once ICE, DTLS and keys stand (WebRTC) or packets come (RTP)."""


class ActiveSpeaker(Reply):
    participant: Id
    level: int = Field(ge=0, le=127)


# --- events that reach browsers (WebSocket, notifier -> browser) ---
# Each is {"type": ..., "seq": n, ...}; seq counts per session without gaps, so that a resumed session can tell what it missed.


class RosterEvent(Reply):
    """The whole roster: sent in ``welcome`` and after every change of membership."""

    type: Literal["roster"] = "roster"
    participants: list[Participant]


class ParticipantEvent(Reply):
    """One participant is new or has changed."""

    type: Literal["participant"] = "participant"
    participant: Participant


class LeftEvent(Reply):
    type: Literal["left"] = "left"
    participant: Id
    reason: str


class SpeakersEvent(Reply):
    """Active speakers, loudest first; empty when nobody talks."""

    type: Literal["speakers"] = "speakers"
    speakers: list[ActiveSpeaker]


class DigitEvent(Reply):
    """To the participant alone: a key that it has pressed, as the media server has understood it."""

    type: Literal["digit"] = "digit"
    digit: str = Field(min_length=1, max_length=1)
    ms: int = Field(ge=0)


class PlayedEvent(Reply):
    """What played to the room, or to the participant alone, has ended."""

    type: Literal["played"] = "played"
    id: int


class RenegotiateEvent(Reply):
    """Send a new offer now (no ``leg``): the media server was restarted or the leg is gone."""

    type: Literal["renegotiate"] = "renegotiate"
    reason: str


class ClosedEvent(Reply):
    """The participant was removed; the WebSocket closes after it."""

    type: Literal["closed"] = "closed"
    reason: str


RoomEvent = Annotated[
    RosterEvent
    | ParticipantEvent
    | LeftEvent
    | SpeakersEvent
    | DigitEvent
    | PlayedEvent
    | RenegotiateEvent
    | ClosedEvent,
    Field(discriminator="type"),
]


# --- browser -> notifier (WebSocket messages) ---
# A request carries "id"; its answer is {"type": "answer"|"ok", "id": same, ...} or {"type": "error", "id": same, "problem": {...}}.


class Hello(Request):
    """The first message, within 5 s."""

    type: Literal["hello"]
    token: Token
    resume: Id | None = None
    """Session id of a broken connection."""
    last_seq: int = Field(default=0, ge=0)


class Offer(Request):
    """SDP offer. With ``leg``: ICE restart or change on that leg; without: a fresh leg that replaces the participant's old one."""

    type: Literal["offer"]
    id: int
    sdp: Sdp
    leg: Id | None = None


class Mute(Request):
    type: Literal["mute"]
    id: int
    muted: bool


class Leave(Request):
    type: Literal["leave"]
    id: int


class Ping(Request):
    """Application-level keep-alive; answered by ``{"type": "ok"}``."""

    type: Literal["ping"]
    id: int


ClientMessage = Annotated[Hello | Offer | Mute | Leave | Ping, Field(discriminator="type")]


class Welcome(Reply):
    """Answer to Hello. When ``resumed`` the missed events follow; else ``roster`` is all there is to know."""

    type: Literal["welcome"] = "welcome"
    session: Id
    seq: int
    resumed: bool
    participant: Id
    room: Id
    room_name: str
    roster: list[Participant]
    """Whether the own leg still lives is seen here: if not, send a fresh offer."""


class Answer(Reply):
    type: Literal["answer"] = "answer"
    id: int
    leg: Id
    sdp: Sdp


class Problem(BaseModel):
    """RFC 9457 problem details, in every error of every service."""

    model_config = ConfigDict(frozen=True, extra="allow")

    type: str
    """``urn:confero:problem:<code>``"""
    title: str
    status: int
    detail: str = ""
    instance: str = ""
    """Request id."""
    errors: list[dict[str, Any]] = Field(default_factory=list)
    """Each fault of a body that did not validate: ``{"loc": "...", "msg": "..."}``."""


class Ok(Reply):
    """A request without more to say has been done."""

    type: Literal["ok"] = "ok"
    id: int


class ErrorReply(Reply):
    """A request has failed; the connection goes on."""

    type: Literal["error"] = "error"
    id: int
    problem: Problem


# --- notifier -> application server (80, /internal/v1) ---


class TokenCheck(Request):
    """POST /internal/v1/tokens/validate"""

    token: Token


class TokenGrant(Reply):
    """What a valid join token allows. 401 problem ``token-expired`` or ``token-invalid`` otherwise."""

    participant: Id
    display_name: str
    role: Role
    room: Id
    room_name: str
    max_participants: int
    talkers: int = DEFAULT_TALKERS
    noise_dbov: int | None = None
    announce: bool = False
    mcu: Id
    mcu_url: str
    expires: float


TOLD_AT_ONCE = 256
"""Notices or records in one call: what one transaction of the application server takes."""


class SessionNotice(Request):
    """A browser's session has come or gone."""

    kind: Literal["connected", "disconnected"]
    session: Id
    participant: Id
    room: Id
    at: float
    notifier: Id = "notifier"
    """Which notifier holds the session."""


class SessionNotices(Request):
    """POST /internal/v1/sessions: in the order in which it happened."""

    notices: list[SessionNotice] = Field(max_length=TOLD_AT_ONCE)


class SessionsSnapshot(Request):
    """PUT /internal/v1/sessions: at the notifier's start and every 30 s, so that a lost notice or process leaves nothing behind."""

    notifier: Id
    sessions: list[Id] = Field(max_length=20_000)
    """Sessions of this notifier that live; its others are over."""


# --- application server -> notifier (14040, /internal/v1) ---


class RoomSpec(Request):
    """PUT /v1/rooms/{room} at the MCU: makes the room if it is new; changes nothing if it is there."""

    name: str = Field(default="", max_length=64)
    max_participants: int = Field(default=100, ge=2, le=8000)
    talkers: int = Field(default=DEFAULT_TALKERS, ge=0, le=64)
    """How many are mixed at once, the loudest; 0: all."""
    noise_dbov: Noise | None = None
    """Comfort noise in the mix."""
    announce: bool = False
    """Two notes up when somebody has come, two down when somebody has gone."""


class RoomPlacement(Request):
    """PUT /internal/v1/rooms/{room} at the notifier: passed on to the MCU named here."""

    mcu: Id
    mcu_url: str = Field(max_length=256)
    spec: RoomSpec


class Publish(Request):
    """POST /internal/v1/publish: events for a room or a single participant, from MCU or application server."""

    room: Id
    participant: Id | None = None
    events: list[RoomEvent] = Field(max_length=256)


class McuStarted(Request):
    """POST /internal/v1/mcus/{mcu}/started: sessions on that MCU get ``renegotiate``."""

    boot: Id
    url: str = Field(max_length=256)


# --- notifier and others -> MCU (2131, /v1) ---


class WebRtcLegCreate(Request):
    """POST /v1/rooms/{room}/legs with an SDP offer of a browser. Replaces the participant's earlier leg."""

    kind: Literal["webrtc"]
    participant: Id
    display_name: DisplayName
    role: Role = "guest"
    sdp: Sdp


class RtpLegCreate(Request):
    """POST /v1/rooms/{room}/legs: plain RTP. With ``sdp`` (an offer) the reply carries the answer; without, it carries our
    offer, and the far end's answer goes to PUT /v1/legs/{leg}/answer."""

    kind: Literal["rtp"]
    participant: Id
    display_name: DisplayName
    role: Role = "guest"
    sdp: Sdp | None = None
    codecs: tuple[CodecName, ...] = Field(default=("opus", "G722", "PCMU", "PCMA"), min_length=1, max_length=5)
    """What may be used; preference, when we are the offerer. L16 (a quarter of a megabit a second) only where it is named."""
    symmetric: bool = False
    media_timeout_s: float = Field(default=60, ge=0, le=3600)
    """The leg ends after this much silence on the wire, but not on hold; 0: never, then its owner must end it."""


LegCreate = Annotated[WebRtcLegCreate | RtpLegCreate, Field(discriminator="kind")]


class LegReply(Reply):
    leg: Id
    participant: Id
    room: Id
    sdp: Sdp
    """Answer, or our offer."""


class LegSdp(Request):
    """PUT /v1/legs/{leg}/offer (-> LegReply: ICE restart, re-offer) and PUT /v1/legs/{leg}/answer (-> 204)."""

    sdp: Sdp


class LegPatch(Request):
    """PATCH /v1/legs/{leg} -> Participant. Absent fields stay."""

    muted: bool | None = None
    deaf: bool | None = None
    gain_db: float | None = Field(default=None, ge=-60, le=18)
    suspended: bool | None = None
    """Neither heard nor sent media, at no cost; the leg stays."""
    aside: bool | None = None
    """Only those hear it who have a gain for it (``PUT /v1/legs/{leg}/hears/{talker}``): coach, whisper."""
    agc: bool | None = None
    """Its speech is brought to the level of everybody else's, -23 dBov, by -12 to +18 dB, beside ``gain_db``; +18 dB in all."""
    gate_dbov: int | None = Field(default=None, ge=0, le=127)
    """A gate of its own, -dBov, in place of the room's (65): what is softer for half a second is not heard; 0: the room's."""
    room: Id | None = None
    """Moves the leg to this room of the same MCU. Plain RTP legs only."""


class PairGain(Request):
    """PUT /v1/legs/{leg}/hears/{talker} -> 204: how loud this leg hears that one; DELETE: as everybody does."""

    gain_db: float | None = Field(ge=-60, le=18)
    """None: not at all."""


class ToneStep(Request):
    """Up to two sines for a while, or a pause."""

    ms: int = Field(ge=1, le=60_000)
    hz: list[Annotated[int, Field(ge=20, le=20_000)]] = Field(default_factory=list, max_length=2)
    dbov: list[Annotated[int, Field(ge=3, le=127)]] = Field(default_factory=list, max_length=2)
    """A level for each frequency, -dBov: 3 is a sine of full scale."""


class PlayRequest(Request):
    """POST /v1/rooms/{room}/play and /v1/legs/{leg}/play -> 201 Playing. One of ``file``, ``tone`` and ``steps``."""

    file: str | None = Field(default=None, min_length=1, max_length=128)
    """Name of a sound file in the MCU's ``prompts_dir``: .wav, .opus, .ogg, .flac, .mp3."""
    tone: str | None = Field(default=None, min_length=1, max_length=16)
    """dial, ringing, busy, congestion, entry, exit, beep, or a key of the telephone."""
    steps: list[ToneStep] | None = Field(default=None, min_length=1, max_length=16)
    gain_db: float = Field(default=0.0, ge=-60, le=18)
    loops: int = Field(default=1, ge=0, le=1_000_000)
    """How often it is played; 0: until it is stopped."""

    @model_validator(mode="after")
    def _one(self) -> PlayRequest:
        if sum(source is not None for source in (self.file, self.tone, self.steps)) != 1:
            raise ValueError("one of file, tone and steps is needed")
        return self


class Playing(Reply):
    id: int
    """For DELETE /v1/rooms/{room}/play/{id} and /v1/legs/{leg}/play/{id}; in the event ``played``."""
    seconds: float
    """Of one turn."""


class DigitsSend(Request):
    """POST /v1/legs/{leg}/digits -> 204: as events (RFC 4733), or as tones where the peer takes none."""

    digits: str = Field(pattern=r"^[0-9*#A-D!]{1,64}$")
    ms: int = Field(default=100, ge=40, le=10_000)
    """Of each."""


class CollectRequest(Request):
    """POST /v1/legs/{leg}/collect -> 204: digits are kept from now on. GET reads them, DELETE ends it."""

    in_band: bool = True
    """Also those that come as tones; these are cut from what others hear."""


class Digit(Reply):
    number: int
    """From 1 on; a gap says that older ones were dropped."""
    digit: str
    ms: int
    in_band: bool
    at: float


class Digits(Reply):
    """GET /v1/legs/{leg}/collect?after=&wait_s="""

    digits: list[Digit]
    """At most the last 64."""


class LegStats(Reply):
    """GET /v1/legs/{leg}/stats; the engine's counters by their names in core.h, and the negotiated media."""

    leg: Id
    participant: Id
    room: Id
    kind: Literal["webrtc", "rtp"]
    codec: str
    remote: str = ""
    counters: dict[str, int]
    playout: dict[str, int]


class RoomState(Reply):
    """GET /v1/rooms/{room}"""

    id: Id
    name: str
    max_participants: int
    participants: list[Participant]


class RoomStats(Reply):
    """GET /v1/rooms/{room}/stats: sums over the legs that are there now."""

    room: Id
    legs: int
    connected: int
    counters: dict[str, int]
    """The engine's counters that can be added up, by their names in core.h."""


# --- MCU -> application server (80, /internal/v1) ---


class McuRegister(Request):
    """POST /internal/v1/mcus: at start, whenever a heartbeat was answered 404, and every 60 s."""

    id: Id
    boot: Id
    """New at each start of the process: tells a restart from a reconnect."""
    url: str = Field(max_length=256)
    """Where its control API is reached."""
    capacity: int = Field(ge=1)
    """Capacity units: an Opus leg costs 1."""
    participants: list[Id] = Field(default_factory=list, max_length=10_000)
    """Who is there: rows of others are closed."""


class McuHeartbeat(Request):
    """PUT /internal/v1/mcus/{id}/heartbeat every 2 s; 404: register again. Silent for 6 s: the MCU counts as lost."""

    boot: Id
    load: int = Field(ge=0)
    rooms: int = Field(ge=0)
    legs: int = Field(ge=0)
    draining: bool = False


class LegRecord(Request):
    """One thing that happened to a leg."""

    at: float
    mcu: Id
    boot: Id
    room: Id
    participant: Id
    display_name: str = Field(max_length=64)
    kind: Literal["webrtc", "rtp"]
    event: Literal["joined", "connected", "left"]
    reason: str = Field(default="", max_length=64)
    stats: dict[str, int] = Field(default_factory=dict, max_length=64)


class LegRecords(Request):
    """POST /internal/v1/records: in the order in which it happened."""

    records: list[LegRecord] = Field(max_length=TOLD_AT_ONCE)
