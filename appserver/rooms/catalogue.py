"""The catalogue: rooms are made, found, listed, changed and deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

from confero.clock import Clock
from confero.errors import Refused, Unavailable
from confero.models import Role, RoomCreate
from confero.models.joining import RoomPatch

from .entities import Room
from .pins import RoomPins
from .policy import Policy
from .slugs import call_id, display_name, named_id, unnamed_id

ID_TRIES = 3
CALL_PEOPLE = 16
"""In a room made for a call: two, and whom they add."""
PLAIN = {"name", "max_participants", "talkers", "announce", "permanent", "lobby", "host_first", "speak"}
"""Settings that are kept as they are given; None in a patch leaves them."""
Added = Literal["added", "exists", "full", "too-many"]


@dataclass(frozen=True)
class Listed:
    """A room in a list."""

    room: Room
    people: int
    number: str | None
    membership: Role | None
    """What the asking account is a member as."""


@dataclass(frozen=True)
class Search:
    """Which rooms are wanted; the latest used first."""

    user: str | None
    """Whose own: as owner or member. None: everybody's."""
    asking: str | None
    """The account that asks, for what it is in each."""
    text: str = ""
    """Part of name or id, in any case."""
    before: tuple[float, str] | None = None
    """Time of use and id of the last one that was shown."""
    limit: int = 50


class RoomStore(Protocol):
    """Each call is one transaction. Raises Unavailable if the database is not there."""

    async def add_room(self, room: Room, limit: int, own_limit: int | None = None) -> Added:
        """``full``: there are ``limit`` rooms; ``too-many``: its owner has ``own_limit``; ``exists``: the id is taken, and the
        room as it was."""
        ...

    async def room(self, room_id: str) -> Room | None: ...

    async def live_count(self, room_id: str, now: float) -> int: ...

    async def change_room(self, room_id: str, values: Mapping[str, Any]) -> bool:
        """False if there is none."""
        ...

    async def delete_room(self, room_id: str) -> bool:
        """With its members and invitations, and whoever waits."""
        ...

    async def search_rooms(self, search: Search, now: float) -> Sequence[Listed]: ...


class Catalogue:
    """All rooms."""

    def __init__(self, store: RoomStore, pins: RoomPins, clock: Clock, policy: Policy) -> None:
        self._store = store
        self._pins = pins
        self._clock = clock
        self._policy = policy

    # --- made -----------------------------------------------------------------------------------------------------

    async def create(self, wish: RoomCreate, owner: str | None = None) -> Room:
        """A new room with an id that nobody can guess. ``owner``: an account; only such a room can be permanent.

        Raises Refused 503 ``too-many-rooms``, 409 ``too-many-own-rooms``.
        """
        for _ in range(ID_TRIES):
            room_id = named_id(wish.name) if wish.name else unnamed_id()
            room = self._new(room_id, wish.name or display_name(room_id), wish, owner)
            if await self._add(room):
                return room
        raise Unavailable("no free room id was found")

    async def ensure_default(self, room_id: str) -> None:
        """Make the room that is always there, if it is not."""
        await self._add(replace(self._new(room_id, room_id.capitalize(), RoomCreate()), permanent=True))

    async def create_for_call(self) -> Room:
        """A room for one call that nobody's link leads to; forgotten a day after. Raises Refused 503."""
        room = self._new(call_id(), "Call", RoomCreate(max_participants=CALL_PEOPLE))
        if not await self._add(room):
            raise Unavailable("no free room id was found")
        return room

    def _new(self, room_id: str, name: str, wish: RoomCreate, owner: str | None = None) -> Room:
        now = self._clock.wall()
        values = wish.model_dump(include=PLAIN) | {"name": name, "permanent": wish.permanent and owner is not None}
        return Room(
            room_id,
            **values,
            created_at=now,
            used_at=now,
            noise_dbov=wish.noise_dbov,
            owner=owner,
            pin=self._pins.seal(room_id, wish.pin),
            host_pin=self._pins.seal(room_id, wish.host_pin),
        )

    async def _add(self, room: Room) -> bool:
        """False if the id is taken."""
        outcome = await self._store.add_room(room, self._policy.max_rooms, self._policy.rooms_per_user)
        if outcome == "full":
            raise Refused("There are too many rooms; try again later.", status=503, code="too-many-rooms")
        if outcome == "too-many":
            raise Refused("You have too many rooms; delete some.", status=409, code="too-many-own-rooms")
        return outcome == "added"

    # --- found ----------------------------------------------------------------------------------------------------

    async def known(self, room_id: str) -> Room:
        """Raises Refused 404 ``room-unknown``."""
        room = await self._store.room(room_id)
        if room is None:
            raise _unknown()
        return room

    async def look(self, room_id: str) -> tuple[Room, int]:
        """The room, and how many are in it. Raises Refused 404."""
        room = await self.known(room_id)
        return room, await self._store.live_count(room.id, self._clock.wall())

    async def exists(self, room_id: str) -> bool:
        """Whether there is such a room."""
        return await self._store.room(room_id) is not None

    async def search(self, search: Search) -> Sequence[Listed]:
        return await self._store.search_rooms(search, self._clock.wall())

    # --- changed --------------------------------------------------------------------------------------------------

    async def change(self, room_id: str, patch: RoomPatch) -> Room:
        """The room as it is then. Raises Refused 404 ``room-unknown``, 422 ``pins-equal``."""
        before = await self.known(room_id)
        given = patch.model_dump(exclude_unset=True)
        values = {name: value for name, value in given.items() if name in PLAIN and value is not None}
        if "noise_dbov" in given:
            values["noise_dbov"] = patch.noise_dbov
        for name in ("pin", "host_pin"):
            if name in given:
                values[name] = self._pins.seal(room_id, given[name])
        if values and not await self._store.change_room(room_id, values):
            raise _unknown()
        return replace(before, **values)

    async def delete(self, room_id: str) -> None:
        """Raises Refused 404 ``room-unknown``."""
        if not await self._store.delete_room(room_id):
            raise _unknown()


def _unknown() -> Refused:
    return Refused("There is no such room.", status=404, code="room-unknown")
