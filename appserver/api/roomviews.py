"""What is shown of rooms: to everybody who has the link, and to whoever may see the settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from confero.models import Role, RoomInfo
from confero.models.joining import RoomDetail

from ..rights.actors import Actor
from ..rooms.entities import Room
from ..rooms.pins import RoomPins
from ..rooms.rules import Visitor


@dataclass(frozen=True)
class Shown:
    """A room, and what is known beside its row."""

    room: Room
    people: int
    number: str | None = None
    owner: str | None = None
    """Login."""
    membership: Role | None = None
    """Of the account that asks."""


def _common(room: Room, people: int, origin: str) -> dict[str, Any]:
    return {
        "id": room.id,
        "name": room.name,
        "max_participants": room.max_participants,
        "talkers": room.talkers,
        "noise_dbov": room.noise_dbov,
        "announce": room.announce,
        "participants": people,
        "join_url": f"{origin}/r/{room.id}",
        "permanent": room.permanent,
        "pin_needed": room.pin is not None,
        "lobby": room.lobby,
        "host_first": room.host_first,
        "speak": room.speak,
        "locked": room.locked,
    }


def room_info(room: Room, people: int, origin: str) -> RoomInfo:
    """The room as the public sees it."""
    return RoomInfo(**_common(room, people, origin))


def room_detail(shown: Shown, actor: Actor, pins: RoomPins, origin: str, invitation: str | None = None) -> RoomDetail:
    """With everything that its owner may know. Raises LocalError for PINs sealed under another secret."""
    room = shown.room
    return RoomDetail(
        **_common(room, shown.people, origin),
        created_at=room.created_at,
        used_at=room.used_at,
        owner=shown.owner,
        mine=_mine(room, actor, shown.membership),
        pin=pins.show(room.id, room.pin),
        host_pin=pins.show(room.id, room.host_pin),
        number=shown.number,
        invitation=invitation,
    )


def _mine(room: Room, actor: Actor, membership: Role | None) -> Literal["owner", "host", "guest"] | None:
    return "owner" if actor.user is not None and actor.user == room.owner else membership


def visitor_of(actor: Actor) -> Visitor:
    """Who comes to a room's door. A join token proves its participant, who shows it as ``previous_token``, and no account."""
    if actor.proof in ("session", "key"):
        return Visitor(actor.source, actor.user, actor.role)
    return Visitor(actor.source)
