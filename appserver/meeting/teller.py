"""Tells what has been written: the state to the room, orders to the MCU, goodbyes to those who are sent away; again when due."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

from confero.clock import Clock
from confero.errors import Refused, Unavailable
from confero.models import MOST_ORDERS, ClosedEvent, ParticipantOrder, Publish, RoomEvent, RoomOrdersAt
from confero.models.meetings import MeetingEvent
from confero.runtime.logging import get_logger

from .state import Scene, order_of, shown
from .store import MeetingStore

log = get_logger(__name__)

Reason = Literal["removed", "ended", "moved"]


class Homes(Protocol):
    """Where rooms live."""

    async def of(self, room: str) -> str | None:
        """URL of the MCU on which a room lives; None: it lives on none. Raises Refused 404 ``room-unknown``."""
        ...

    def url(self, mcu: str) -> str | None:
        """Of an MCU; None: it is not alive."""
        ...


class Notifier(Protocol):
    """What of the notifier is needed here. Each raises Refused or Unavailable."""

    async def publish(self, message: Publish) -> None: ...

    async def order(self, room: str, orders: RoomOrdersAt) -> Sequence[str]: ...

    async def send_away(self, room: str, participant: str, mcu_url: str, reason: Reason) -> None: ...

    async def end_room(self, room: str, mcu_url: str, reason: Reason) -> None: ...


class Teller:
    """What is told first may fail: it has been written, and is told again whole when it is due."""

    def __init__(self, store: MeetingStore, notifier: Notifier, homes: Homes, clock: Clock) -> None:
        self._store = store
        self._notifier = notifier
        self._homes = homes
        self._clock = clock

    async def event(self, room: str, event: RoomEvent, participant: str | None = None) -> None:
        """To the room, or to one participant alone. Raises Refused, Unavailable."""
        await self._notifier.publish(Publish(room=room, participant=participant, events=[event]))

    async def order(self, room: str, orders: Mapping[str, ParticipantOrder]) -> int:
        """How many are there, and are as ordered. Raises Refused, Unavailable."""
        url, wanted, done = await self._homes.of(room), list(orders.items()), 0
        for start in range(0, len(wanted) if url else 0, MOST_ORDERS):
            some = dict(wanted[start : start + MOST_ORDERS])
            done += len(await self._notifier.order(room, RoomOrdersAt(mcu_url=url or "", orders=some)))
        return done

    async def told(self, scene: Scene, orders: Mapping[str, ParticipantOrder], *events: tuple[str, RoomEvent]) -> int:
        """Orders, the state, and events for single participants; how many follow the orders. Never raises: it is due again."""
        room = scene.meeting.room
        try:
            done = await self.order(room, orders)
            await self.event(room, MeetingEvent(state=shown(scene)))
            for participant, event in events:
                await self.event(room, event, participant)
        except (Refused, Unavailable) as error:
            log.info("a meeting is told later", room=room, code=error.code)
            return 0
        return done

    async def away(self, room: str, participant: str, reason: Reason) -> None:
        """Their session is closed, their leg ended. Raises Refused, Unavailable."""
        await self._notifier.send_away(room, participant, await self._homes.of(room) or "", reason)

    async def end(self, room: str, waiting: Sequence[str]) -> None:
        """Everybody is sent away, those in the lobby too. Raises Refused, Unavailable."""
        for one in waiting:
            await self.event(room, ClosedEvent(reason="ended"), one)
        await self._notifier.end_room(room, await self._homes.of(room) or "", "ended")
        await self._store.end_told(room)

    async def gone(self, room: str, home: str | None = None) -> None:
        """The room was deleted: everybody is sent away, from every MCU that has legs of it. Raises Refused, Unavailable."""
        urls = {self._homes.url(mcu) for mcu in await self._store.homes(room)} | {home}
        for url in urls - {None} or {None}:
            await self._notifier.end_room(room, url or "", "ended")
        await self._store.forget(room)

    async def home(self, room: str) -> str | None:
        """URL of its MCU, if it has one that lives. Raises Refused 404 ``room-unknown``."""
        return await self._homes.of(room)

    async def again(self, room: str, version: int) -> None:
        """All that holds of the room now. Raises Refused, Unavailable; then it stays due."""
        now = self._clock.wall()
        scene = await self._store.scene(room, now, "everybody")
        if scene is None:
            await self.gone(room)
            return
        if scene.meeting.ending:
            await self.end(room, ())
        for participant in await self._store.outcasts(room, now):
            await self.away(room, participant, "removed")
        await self.order(room, {one.id: order_of(scene.meeting, one) for one in scene.present})
        await self.event(room, MeetingEvent(state=shown(scene)))
        await self._store.told(room, version)
