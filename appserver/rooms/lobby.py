"""The lobby: who waits at a room's door, who lets them in, and who is told of it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from typing import Protocol

from confero.clock import Clock
from confero.errors import Refused, Unavailable
from confero.models import ClosedEvent, Publish
from confero.models.meetings import AdmittedEvent, LobbyEvent, Waiting
from confero.runtime.logging import get_logger

from .entities import Person

log = get_logger(__name__)

OWED = 1000
"""Answers that could not be told yet, in all rooms; of more the oldest are given up."""
HOSTS = 100
"""In one room that are told who waits."""


class LobbyStore(Protocol):
    """Each call is one transaction. Who *waits* is not admitted, and there: connected, or expected."""

    async def waiting(self, room_id: str | None, now: float) -> list[Person]:
        """By room and time of coming; None: of all rooms."""
        ...

    async def let_in(self, room_id: str, participant: str | None, now: float, reserved_until: float) -> list[str]:
        """Admit this one, or all who wait, the first first, as far as there are places; who was."""
        ...

    async def turn_away(self, room_id: str, participant: str) -> bool:
        """Forget somebody who is not admitted."""
        ...

    async def connected_hosts(self, room_id: str, limit: int) -> list[str]: ...


class Events(Protocol):
    """What of the notifier is needed here. Raises Refused or Unavailable."""

    async def publish(self, message: Publish) -> None: ...


class Lobby:
    """Of all rooms. Rows say who waits, so that it survives a restart; what is kept here is only who has been told what."""

    def __init__(self, store: LobbyStore, events: Events, clock: Clock, join_grace_s: float) -> None:
        self._store = store
        self._events = events
        self._clock = clock
        self._join_grace_s = join_grace_s
        self._told: dict[str, tuple[str, ...]] = {}
        """By room, who waits as its hosts know it."""
        self._owed: OrderedDict[str, Publish] = OrderedDict()
        """By participant, what they have not been told because the notifier did not answer."""

    async def waiting(self, room_id: str) -> list[Waiting]:
        """In the order of their coming."""
        return [_shown(person) for person in await self._store.waiting(room_id, self._clock.wall())]

    # --- what hosts do --------------------------------------------------------------------------------------------

    async def admit(self, room_id: str, participant: str) -> None:
        """Let one in. Raises Refused: 404 ``not-waiting``, 409 ``room-full``."""
        waiting = await self._store.waiting(room_id, self._clock.wall())
        if participant not in {person.id for person in waiting}:
            raise _not_waiting()
        if not await self._let_in(room_id, participant):
            raise Refused("The room is full.", status=409, code="room-full")

    async def admit_all(self, room_id: str) -> int:
        """Let in whoever waits, as far as there are places; how many."""
        return await self._let_in(room_id, None)

    async def refuse(self, room_id: str, participant: str) -> None:
        """Send one away. Raises Refused 404 ``not-waiting``."""
        if not await self._store.turn_away(room_id, participant):
            raise _not_waiting()
        await self._answer(Publish(room=room_id, participant=participant, events=[ClosedEvent(reason="refused")]))
        await self.look(room_id)

    async def given_up(self, room_id: str, participant: str) -> None:
        """One who waited has gone, and says so: hosts need not wait for the place to run out. Nothing if they do not wait."""
        if await self._store.turn_away(room_id, participant):
            await self.look(room_id)

    async def send_away(self, room_id: str, waiting: Sequence[str]) -> None:
        """The room is no more: whoever is in it, and those who waited for it, are told."""
        ended = ClosedEvent(reason="ended")
        await self._publish(Publish(room=room_id, events=[ended]))
        for participant in waiting:
            await self._answer(Publish(room=room_id, participant=participant, events=[ended]))
        self._told.pop(room_id, None)

    async def _let_in(self, room_id: str, participant: str | None) -> int:
        now = self._clock.wall()
        admitted = await self._store.let_in(room_id, participant, now, now + self._join_grace_s)
        for one in admitted:
            await self._answer(Publish(room=room_id, participant=one, events=[AdmittedEvent()]))
        await self.look(room_id)
        return len(admitted)

    # --- telling --------------------------------------------------------------------------------------------------

    async def look(self, room_id: str | None = None) -> None:
        """Tell hosts who waits where that has changed, in one room or in all. Called whenever somebody has come, and now and then,
        since who goes is not told here.
        """
        for owed in list(self._owed.values()):
            await self._answer(owed)
        people = await self._store.waiting(room_id, self._clock.wall())
        waiting = {room: list(group) for room, group in groupby(people, key=attrgetter("room"))}
        known = self._told if room_id is None else {room_id}
        for room in sorted({*waiting, *known}):
            await self._tell(room, waiting.get(room, []))

    async def _tell(self, room_id: str, people: Sequence[Person]) -> None:
        shown = tuple(person.id for person in people)
        if self._told.get(room_id, ()) == shown:
            return
        event = LobbyEvent(waiting=[_shown(person) for person in people])
        hosts = await self._store.connected_hosts(room_id, HOSTS)
        if all([await self._publish(Publish(room=room_id, participant=host, events=[event])) for host in hosts]):
            self._note(room_id, shown)

    def _note(self, room_id: str, shown: tuple[str, ...]) -> None:
        if shown:
            self._told[room_id] = shown
        else:
            self._told.pop(room_id, None)

    async def _answer(self, message: Publish) -> None:
        """To one who waits; kept for later if the notifier does not take it."""
        assert message.participant is not None
        self._owed.pop(message.participant, None)
        if not await self._publish(message):
            self._owed[message.participant] = message
            if len(self._owed) > OWED:
                self._owed.popitem(last=False)

    async def _publish(self, message: Publish) -> bool:
        try:
            await self._events.publish(message)
        except (Refused, Unavailable) as error:
            log.info("lobby event not told yet", room=message.room, code=error.code)
            return False
        return True


def _shown(person: Person) -> Waiting:
    return Waiting(participant=person.id, display_name=person.display_name, kind=person.kind, since=person.created_at)


def _not_waiting() -> Refused:
    return Refused("Nobody of this name waits here.", status=404, code="not-waiting")
