"""JSON that comes often, as msgspec structures: browsers' messages, publications, what notifiers tell each other. No I/O.

Browsers' messages are those of ``confero.models``; a test holds both to the same.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from confero.models import MOST_TOPICS, MOST_USERS, MOST_WAIT_S

Id = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{1,64}\Z")]
Whole = Annotated[int, Meta(ge=0, le=2**53 - 1)]
MOST_EVENTS = 256
"""In one publication."""
OWN_NAMES = frozenset({"topic", "seq"})
"""Fields of an event that the notifier gives it."""


class Malformed(ValueError):
    """Not what should come here; the text says what is wrong, and where."""


class NotJson(Malformed):
    """Not even JSON, or nested without sense."""


# --- from browsers ------------------------------------------------------------------------------------------------


class Place(Struct, frozen=True, forbid_unknown_fields=True):
    """``confero.models.Position``"""

    topic: Annotated[str, Meta(min_length=1, max_length=96)]
    epoch: Id
    seq: Whole


class FromBrowser(Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag=str.lower):
    """A message of a browser."""


class Hello(FromBrowser, frozen=True):
    token: Annotated[str, Meta(min_length=1, max_length=4096)]
    resume: Id | None = None
    seen: Annotated[list[Place], Meta(max_length=MOST_TOPICS)] = []


class Offer(FromBrowser, frozen=True):
    id: Whole
    sdp: Annotated[str, Meta(min_length=1, max_length=65_536)]
    leg: Id | None = None


class Mute(FromBrowser, frozen=True):
    id: Whole
    muted: bool


class Leave(FromBrowser, frozen=True):
    id: Whole


class Ping(FromBrowser, frozen=True):
    id: Whole


ClientRequest = Offer | Mute | Leave | Ping


class Opening(Struct, frozen=True, forbid_unknown_fields=True):
    """``confero.models.Opening``: how a stream or poll begins."""

    resume: Id | None = None
    seen: Annotated[list[Place], Meta(max_length=MOST_TOPICS)] = []
    wait_s: Annotated[float, Meta(ge=0, le=MOST_WAIT_S)] = MOST_WAIT_S
    greet: bool = False


# --- publications ---------------------------------------------------------------------------------------------------


class Publication(Struct, frozen=True, forbid_unknown_fields=True):
    """``confero.models.Publish``. What is in an event is between its publisher and the browsers, so that those may know events that
    this notifier does not."""

    events: Annotated[list[dict[str, Any]], Meta(max_length=MOST_EVENTS)]
    room: Id | None = None
    participant: Id | None = None
    users: Annotated[list[Id], Meta(max_length=MOST_USERS)] = []


class Seen(Struct, frozen=True):
    """As much of an event as is looked at for every one."""

    type: Annotated[str, Meta(min_length=1, max_length=64)]


class Person(Struct, frozen=True):
    """As much of a participant as a roster is kept by."""

    id: Id
    leg: Id


class RosterSeen(Struct, frozen=True, tag_field="type", tag="roster"):
    participants: list[msgspec.Raw]


class ParticipantSeen(Struct, frozen=True, tag_field="type", tag="participant"):
    participant: msgspec.Raw


class LeftSeen(Struct, frozen=True, tag_field="type", tag="left"):
    participant: Id


Change = RosterSeen | ParticipantSeen | LeftSeen
"""Of who is in a room."""

# --- between notifiers ------------------------------------------------------------------------------------------------


class Placed(Struct, frozen=True, tag="placed"):
    """A room lives on this MCU from now on."""

    room: Id
    mcu: Id
    url: str


class Started(Struct, frozen=True, tag="started"):
    """An MCU process is new; it has no legs."""

    mcu: Id
    boot: Id
    url: str


class Ordering(Struct, frozen=True):
    """``confero.models.ParticipantOrder``"""

    muted: bool | None = None
    held: bool | None = None
    role: Literal["host", "guest"] | None = None


class Ordered(Struct, frozen=True, tag="ordered"):
    """What is wanted of participants from now on, also of those who are just coming."""

    room: Id
    orders: dict[Id, Ordering]


Control = Placed | Started | Ordered

Value = TypeVar("Value")

_browser = msgspec.json.Decoder(Hello | ClientRequest)
_opening = msgspec.json.Decoder(Opening)
_publication = msgspec.json.Decoder(Publication)
_seen = msgspec.json.Decoder(Seen)
_change = msgspec.json.Decoder(Change)
_person = msgspec.json.Decoder(Person)
_control = msgspec.json.Decoder(Control)
encode = msgspec.json.Encoder().encode
"""Compact JSON: one line."""


def _read(decoder: msgspec.json.Decoder[Value], data: bytes | msgspec.Raw) -> Value:
    try:
        return decoder.decode(data)
    except msgspec.ValidationError as error:
        raise Malformed(str(error)) from None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise NotJson(str(error)) from None


def read_browser(data: bytes) -> Hello | ClientRequest:
    """A browser's message. Raises Malformed."""
    return _read(_browser, data)


def read_opening(data: bytes) -> Opening:
    """How a stream or poll begins. Raises Malformed."""
    return _read(_opening, data)


def read_publication(data: bytes) -> tuple[Publication, list[bytes]]:
    """A publication, and each of its events as JSON in one line. Raises Malformed."""
    publication = _read(_publication, data)
    if (publication.room is None) != bool(publication.users) or (publication.users and publication.participant):
        raise Malformed("Expected a `room`, or one of its participants, or `users`")
    for index, event in enumerate(publication.events):
        if not isinstance(event.get("type"), str) or not OWN_NAMES.isdisjoint(event):
            raise Malformed(f"Expected an event with `type`, without `topic` and `seq` - at `$.events[{index}]`")
    try:
        return publication, [encode(event) for event in publication.events]
    except RecursionError as error:
        raise NotJson(str(error)) from None


def type_of(event: bytes) -> str:
    """The ``type`` of an event. Raises Malformed for what is none."""
    return _read(_seen, event).type


def read_change(event: bytes) -> Change:
    """An event of type ``roster``, ``participant`` or ``left``. Raises Malformed."""
    return _read(_change, event)


def read_person(data: bytes | msgspec.Raw) -> Person:
    """A line of a roster. Raises Malformed."""
    return _read(_person, data)


def read_control(data: bytes) -> Control:
    """What a notifier tells all. Raises Malformed."""
    return _read(_control, data)
