"""Joining: a place in a room and a token for it, by the room's own rules; or the old place again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, Protocol

from confero.clock import Clock
from confero.errors import Refused
from confero.ids import new_id
from confero.models import JoinRequest
from confero.tokens import TokenInvalid

from . import rules
from .entities import Member, Person, Room
from .invitations import Invitations, used_up
from .lobby import Lobby
from .pins import RoomPins
from .placement import Placement
from .policy import Policy
from .rules import Standing, Visitor
from .tickets import Tickets


@dataclass(frozen=True)
class Entry:
    """Somebody who is about to come in."""

    person: Person
    kept: bool = False
    """They have come before: role and admission stay as they are written."""
    invitation: str | None = None
    """Id of the invitation that is used by it."""


@dataclass(frozen=True)
class Admission:
    """What somebody gets who may come in, or wait."""

    person: Person
    room: Room
    people: int
    """In the room now."""
    token: str
    expires: float
    """Unix time."""


class DoorStore(Protocol):
    """Each call is one transaction."""

    async def room(self, room_id: str) -> Room | None: ...

    async def person(self, participant: str) -> Person | None: ...

    async def member(self, room_id: str, user: str) -> Member | None: ...

    async def admit(
        self, person: Person, room: Room, now: float, *, kept: bool, invitation: str | None, waiting: int
    ) -> int | Literal["full", "spent"]:
        """Write who comes, new or back, unless the others in the room fill it; at once, so that two cannot take one place.
        Who waits takes none, but of them there are ``waiting`` at most. ``kept``, ``invitation``: as in ``Entry``.

        How many are in the room now; ``spent``: the invitation cannot be used any more.
        """
        ...

    async def host_there(self, room_id: str, now: float) -> bool:
        """Whether an admitted host takes a place."""
        ...

    async def barred(self, room_id: str, participant: str | None, user: str | None, invitation: str | None) -> bool:
        """Whether somebody was removed from the present meeting who is this one, by any of the three."""
        ...


class Door:
    """Lets people in by the rules of ``rules``."""

    def __init__(
        self,
        store: DoorStore,
        invitations: Invitations,
        pins: RoomPins,
        lobby: Lobby,
        placement: Placement,
        tickets: Tickets,
        clock: Clock,
        policy: Policy,
    ) -> None:
        self._store = store
        self._invitations = invitations
        self._pins = pins
        self._lobby = lobby
        self._placement = placement
        self._tickets = tickets
        self._clock = clock
        self._policy = policy

    async def join(self, room: Room, wish: JoinRequest, visitor: Visitor) -> Admission:
        """Raises Refused: 403 ``pin-needed``, ``pin-wrong``, ``invitation-...``, ``room-locked``; 409 ``room-full``,
        ``lobby-full``; 429 ``too-many-tries``; 503 ``no-media-server``; for the earlier token TokenInvalid or TokenExpired.
        """
        entry = await self._entry(room, wish, visitor)
        now = self._clock.wall()
        person = replace(entry.person, display_name=wish.display_name, reserved_until=now + self._policy.join_grace_s)
        people = await self.write(replace(entry, person=person), room, now)
        token, expires = self._tickets.give(person.id, room.id)
        return Admission(person, room, people, token, expires)

    async def write(self, entry: Entry, room: Room, now: float) -> int:
        """Give the place; how many are in the room now. Raises Refused: 409 ``room-full``, ``lobby-full``,
        403 ``invitation-used``, 503 ``no-media-server``.
        """
        person = entry.person
        await self._placement.home(room)
        limit = self._policy.waiting_per_room
        used = replace(room, used_at=now)
        people = await self._store.admit(person, used, now, kept=entry.kept, invitation=entry.invitation, waiting=limit)
        if people == "spent":
            raise used_up()
        if people == "full":
            raise _full() if person.admitted else _lobby_full()
        if not person.admitted:
            await self._lobby.look(room.id)
        elif person.role == "host" and room.host_first and not room.lobby:
            await self._lobby.admit_all(room.id)
        return people

    async def _entry(self, room: Room, wish: JoinRequest, visitor: Visitor) -> Entry:
        known, participant = await self._returning(room, wish)
        await self.check_removed(room, known.id if known is not None else None, visitor.user, None)
        if known is not None and known.admitted:
            return Entry(known, kept=True)
        standing = await self._standing(room, wish, visitor, known)
        await self.check_removed(room, None, None, standing.invitation)
        if known is None:
            rules.check(room, standing)
        now = self._clock.wall()
        made = known or Person(participant, room.id, wish.display_name, created_at=now, user=visitor.user)
        person = replace(
            made,
            role=standing.role or made.role,
            admitted=not await self.waits(room, standing),
            invitation=standing.invitation or made.invitation,
        )
        return Entry(person, invitation=standing.invitation if made.invitation != standing.invitation else None)

    async def check_removed(
        self, room: Room, participant: str | None, user: str | None, invitation: str | None
    ) -> None:
        """Raises Refused 403 ``removed`` for whoever was sent away from the present meeting, by any of the three."""
        if await self._store.barred(room.id, participant, user, invitation):
            raise removed()

    async def waits(self, room: Room, standing: Standing) -> bool:
        """Whether somebody of this standing has to wait now."""
        asked = room.host_first and not room.lobby and not standing.trusted
        host_there = asked and await self._store.host_there(room.id, self._clock.wall())
        return rules.waits(room, standing, host_there=host_there)

    async def _returning(self, room: Room, wish: JoinRequest) -> tuple[Person | None, str]:
        """Whom the earlier token names, if they are in this room as far as is written; and their id, the same also if they have
        been forgotten, or a fresh one. Raises TokenInvalid, TokenExpired.
        """
        if wish.previous_token is None:
            return None, new_id("p")
        ticket = self._tickets.read(wish.previous_token, leeway=self._policy.rejoin_window_s)
        if ticket.room != room.id:
            raise TokenInvalid("the token is for another room")
        known = await self._store.person(ticket.participant)
        return (known if known is not None and known.room == room.id else None), ticket.participant

    async def _standing(self, room: Room, wish: JoinRequest, visitor: Visitor, known: Person | None) -> Standing:
        """By account, else by what is shown; the most that any of it gives."""
        member = await self._store.member(room.id, visitor.user) if visitor.user is not None else None
        standing = rules.by_account(room, visitor, member.role if member is not None else None)
        if standing.role == "host":
            return standing
        if wish.invitation is not None:
            found = await self._invited(room, wish.invitation.get_secret_value(), known)
            if found is not None and (standing.role is None or found.role == "host"):
                standing = replace(standing, role=found.role, invitation=found.invitation)
        if standing.role != "host" and wish.pin:
            role = await self._pins.role_of(room, wish.pin, visitor)
            standing = replace(standing, role=role or standing.role)
        return standing

    async def _invited(self, room: Room, secret: str, known: Person | None) -> Standing | None:
        """None for somebody who waits, and shows what they came by once more."""
        if known is not None and known.invitation is not None:
            return None
        invitation = await self._invitations.shown(room.id, secret)
        return Standing(invitation.role, invitation=invitation.id)


def removed() -> Refused:
    return Refused("A host has removed you from this meeting.", status=403, code="removed")


def _full() -> Refused:
    return Refused("The room is full.", status=409, code="room-full")


def _lobby_full() -> Refused:
    return Refused("Too many are waiting at this room's door.", status=409, code="lobby-full")
