"""Telephones at a room's door: places for those that are vouched for, and for those that have to keep the room's rules."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from confero.clock import Clock
from confero.errors import Refused
from confero.ids import new_id
from confero.models import Role

from . import rules
from .entities import Person, Room
from .farm import Mcu
from .joining import Door, Entry
from .placement import Placement
from .policy import Policy
from .rules import Standing


class People(Protocol):
    """Who is written down."""

    async def person(self, participant: str) -> Person | None: ...


class PhoneDoor:
    """Who comes by telephone has no token: the SIP gateway holds its place by its participant's id."""

    def __init__(self, people: People, door: Door, placement: Placement, clock: Clock, policy: Policy) -> None:
        self._people = people
        self._door = door
        self._placement = placement
        self._clock = clock
        self._policy = policy

    async def vouched(self, room: Room, display_name: str) -> tuple[Person, Mcu]:
        """A place for somebody whom a participant has called, or whom a service brings. Raises Refused: 409 ``room-full``,
        503 ``no-media-server``.
        """
        return await self._write(Entry(self._caller(room, display_name)), room)

    async def knock(self, room: Room, display_name: str, role: Role | None) -> tuple[Person, Mcu]:
        """A place by the room's rules; the person may have to wait. ``role``: what the PIN that was keyed makes of them.

        Raises Refused as ``vouched``, and 403 ``pin-needed``, ``room-locked``, 409 ``lobby-full``.
        """
        standing = Standing(role)
        rules.check(room, standing)
        waits = await self._door.waits(room, standing)
        caller = replace(self._caller(room, display_name), role=role or "guest", admitted=not waits)
        return await self._write(Entry(caller), room)

    async def again(self, room: Room, participant: str) -> tuple[Person, Mcu]:
        """The place of a telephone that is there, or waits, kept for a while longer.

        Raises Refused 404 ``participant-unknown``, also for whoever has been refused; and as ``vouched``.
        """
        known = await self._people.person(participant)
        if known is None or known.kind != "rtp":
            raise Refused("There is no such telephone.", status=404, code="participant-unknown")
        await self._door.check_removed(room, known.id, None, None)
        return await self._write(Entry(replace(known, room=room.id), kept=True), room)

    def _caller(self, room: Room, display_name: str) -> Person:
        return Person(new_id("p"), room.id, display_name, created_at=self._clock.wall(), kind="rtp")

    async def _write(self, entry: Entry, room: Room) -> tuple[Person, Mcu]:
        now = self._clock.wall()
        person = replace(entry.person, reserved_until=now + self._policy.join_grace_s)
        mcu = await self._placement.home(room)
        await self._door.write(replace(entry, person=person), room, now)
        return person, mcu
