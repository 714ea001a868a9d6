"""A room's meeting (443, /api/v1/rooms/{room}): lobby, hands, who may speak, chat, invitations, moderators' tools."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from .base import Id, Reply, Request, Role, Token

Speak = Literal["all", "request"]
"""Who may speak: everybody, or whom a host has let."""
ChatText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
Emoji = Literal["👍", "👎", "👏", "❤️", "😂", "😮", "🎉", "🤔"]
RoomPin = Annotated[str, StringConstraints(pattern=r"^[0-9]{4,12}$")]
"""Digits, so that telephones can key it."""


class Waiting(Reply):
    """Somebody in the lobby."""

    participant: Id
    display_name: str
    kind: Literal["webrtc", "rtp"]
    since: float


class Hand(Reply):
    participant: Id
    since: float


class MeetingState(Reply):
    """What a room's meeting is like now, beside its roster. Sent whole with every change (``meeting``)."""

    version: int = 0
    """Grows; an older state than one that is known is stale."""
    locked: bool = False
    """Nobody new comes in, hosts and members excepted."""
    lobby: bool = False
    speak: Speak = "all"
    started_at: float | None = None
    """When the first one came; None: nobody is there."""
    spotlight: Id | None = None
    hands: list[Hand] = Field(default_factory=list)
    """In the order in which they were raised."""
    speakers: list[Id] = Field(default_factory=list)
    """With ``speak`` = ``request``: guests who may."""
    waiting: int = 0
    """In the lobby; who they are is for hosts."""


class MeetingPatch(Request):
    """PATCH /api/v1/rooms/{room}/meeting, by a host. Absent fields stay."""

    locked: bool | None = None
    lobby: bool | None = None
    speak: Speak | None = None
    spotlight: Id | Literal[""] | None = None
    """"": nobody."""


class MeetingEvent(Reply):
    type: Literal["meeting"] = "meeting"
    state: MeetingState


class LobbyEvent(Reply):
    """To hosts: everybody who waits, in their order."""

    type: Literal["lobby"] = "lobby"
    waiting: list[Waiting]


class AdmittedEvent(Reply):
    """To somebody in the lobby: join again with the token as ``previous_token``, there is a place now."""

    type: Literal["admitted"] = "admitted"


class RoleEvent(Reply):
    """To one participant: what they are from now on."""

    type: Literal["role"] = "role"
    role: Role


class MovedEvent(Reply):
    """To one participant: a host has moved them; join ``room`` with ``token`` as ``previous_token``."""

    type: Literal["moved"] = "moved"
    room: Id
    token: Token


class AskEvent(Reply):
    """To one participant: a host asks for something that only they can do."""

    type: Literal["ask"] = "ask"
    what: Literal["unmute"]
    by: str
    """Display name."""


class ReactionSend(Request):
    """POST /api/v1/rooms/{room}/reactions"""

    emoji: Emoji


class ReactionEvent(Reply):
    type: Literal["reaction"] = "reaction"
    participant: Id
    display_name: str
    emoji: str


class ChatSend(Request):
    """POST /api/v1/rooms/{room}/messages"""

    text: ChatText
    nonce: Id | None = None
    """Of the sender's choice; the same one again is the same message."""


class ChatMessage(Reply):
    id: int
    """Grows in a room."""
    at: float
    participant: Id
    display_name: str
    text: str
    nonce: str | None = None


class ChatQuery(Request):
    """GET /api/v1/rooms/{room}/messages: the latest, or those before ``page``."""

    limit: int = Field(default=50, ge=1, le=200)
    page: str | None = Field(default=None, max_length=128)


class ChatPage(Reply):
    """GET /api/v1/rooms/{room}/messages: oldest first; ``next`` leads to older ones."""

    items: list[ChatMessage]
    next: str | None = None


class ChatEvent(Reply):
    type: Literal["chat"] = "chat"
    message: ChatMessage


class ChatDeletedEvent(Reply):
    type: Literal["chat_deleted"] = "chat_deleted"
    id: int


class HandPut(Request):
    """PUT /api/v1/rooms/{room}/hand: one's own."""

    raised: bool


class ParticipantPatch(Request):
    """PATCH /api/v1/rooms/{room}/participants/{participant}, by a host. Absent fields stay.

    ``muted`` false unmutes a telephone; anybody else is asked (``ask``).
    """

    muted: bool | None = None
    role: Role | None = None
    may_speak: bool | None = None
    hand: Literal[False] | None = None
    """Taken down."""


class ParticipantMove(Request):
    """POST /api/v1/rooms/{room}/participants/{participant}/move"""

    room: Id
    """Whoever moves somebody must be a host there too, by account or as its maker."""


class MuteAll(Request):
    """POST /api/v1/rooms/{room}/mute-all"""

    hosts_too: bool = False


class Muted(Reply):
    muted: int
    """How many have a leg, and are muted now."""


class LobbyList(Reply):
    """GET /api/v1/rooms/{room}/lobby"""

    items: list[Waiting]


class Admitted(Reply):
    """POST /api/v1/rooms/{room}/lobby: whoever waits is let in, the first first, as far as there are places.

    One alone: POST (let in), DELETE (send away) /api/v1/rooms/{room}/lobby/{participant}.
    """

    admitted: int
    """How many were."""


class InvitationCreate(Request):
    """POST /api/v1/rooms/{room}/invitations"""

    role: Role = "guest"
    expires_at: float | None = None
    max_uses: int | None = Field(default=None, ge=1, le=10_000)
    note: Annotated[str, StringConstraints(strip_whitespace=True, max_length=64)] = ""


class InvitationInfo(Reply):
    id: Id
    role: Role
    note: str
    created_at: float
    created_by: str
    expires_at: float | None
    max_uses: int | None
    uses: int
    revoked: bool = False


class InvitationMade(InvitationInfo):
    url: str
    """The link, with the secret in its fragment; shown this once."""
    secret: str


class InvitationList(Reply):
    items: list[InvitationInfo]


class MemberPut(Request):
    """PUT /api/v1/rooms/{room}/members/{user}: by id or login; whoever is one needs no PIN and waits in no lobby."""

    role: Role = "guest"


class MemberInfo(Reply):
    user: Id
    login: str
    display_name: str
    role: Role


class MemberList(Reply):
    items: list[MemberInfo]


class DialIn(Reply):
    """GET /api/v1/rooms/{room}/dial-in: how a telephone comes in."""

    numbers: list[str]
    """To be called, as the operator has configured them; empty: none can be."""
    room_number: str | None
    """To be keyed after that."""
    pin_needed: bool
    pin: str | None = None
    """For whoever may know it: hosts and members."""
    sip_uri: str | None = None
    """Null where it would be refused: a room with a PIN needs a number for telephones to be asked for it."""
