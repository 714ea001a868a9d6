"""The rules at a room's door: what somebody is who comes, whether they may come in, and whether they have to wait. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from confero.errors import Refused
from confero.models import Role
from confero.models.accounts import AccountRole

from .entities import Room

HOST_EVERYWHERE: frozenset[AccountRole | None] = frozenset({"moderator", "admin"})


@dataclass(frozen=True)
class Visitor:
    """Who comes, as far as the request has proved it."""

    source: str = ""
    """Address, or what else stands for one source of tries."""
    user: str | None = None
    """Account."""
    role: AccountRole | None = None
    """Of the account."""


@dataclass(frozen=True)
class Standing:
    """What somebody is to a room, by what they have shown."""

    role: Role | None = None
    """None: nothing has been shown that lets in."""
    member: bool = False
    """By account: needs no PIN, waits in no lobby, is not locked out."""
    invitation: str | None = None
    """Id of the one that was shown and counts."""

    @property
    def trusted(self) -> bool:
        """Whether locks and lobbies are not for them."""
        return self.member or self.role == "host"


def by_account(room: Room, visitor: Visitor, membership: Role | None) -> Standing:
    """Owner, moderators and administrators are hosts; members are what they were made."""
    if visitor.user is not None and (visitor.user == room.owner or visitor.role in HOST_EVERYWHERE):
        return Standing("host", member=True)
    return Standing(membership, member=membership is not None)


def check(room: Room, standing: Standing) -> None:
    """Whether a newcomer may come in at all. Raises Refused 403: ``pin-needed``, ``room-locked``."""
    if standing.role is None and room.pin is not None:
        raise Refused("This room has a PIN.", status=403, code="pin-needed")
    if room.locked and not standing.trusted:
        raise Refused("The room is locked: nobody else comes in now.", status=403, code="room-locked")


def waits(room: Room, standing: Standing, *, host_there: bool) -> bool:
    """Whether they wait in the lobby. ``host_there``: of interest where ``host_first`` holds."""
    return not standing.trusted and (room.lobby or (room.host_first and not host_there))


def may_speak(room: Room, role: Role, let: bool) -> bool:
    """``let``: a host has."""
    return room.speak == "all" or role == "host" or let
