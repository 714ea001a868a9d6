"""Between bus and hub: a topic is subscribed while a session wants it; control messages reach every notifier."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from confero.models import (
    ClosedEvent,
    Id,
    LeftEvent,
    McuStarted,
    ParticipantEvent,
    ParticipantOrder,
    Publish,
    Reply,
    RoomEvent,
    RosterEvent,
)
from confero.runtime.logging import get_logger

from .bus import Bus
from .hub import ROOM, Event, Hub, participant_topic, room_topic
from .rosters import Rosters

log = get_logger(__name__)

CONTROL_TOPIC = "notifiers"
REMEMBERED_BOOTS = 1024
"""MCUs whose last start is remembered, so that a notice sent twice counts once."""

_event = TypeAdapter[RoomEvent](RoomEvent)


class Placed(Reply):
    """A room lives on this MCU from now on."""

    kind: Literal["placed"] = "placed"
    room: Id
    mcu: Id
    url: str


class Started(Reply):
    """An MCU process is new; it has no legs."""

    kind: Literal["started"] = "started"
    mcu: Id
    boot: Id
    url: str


class Ordered(Reply):
    """What is wanted of participants from now on, also of those who are just coming."""

    kind: Literal["ordered"] = "ordered"
    room: Id
    orders: dict[Id, ParticipantOrder]


_control = TypeAdapter[Placed | Started | Ordered](Placed | Started | Ordered)


class Fanout:
    """Publishes on the bus and hands what comes from it to the rosters and the hub."""

    def __init__(self, bus: Bus, hub: Hub, rosters: Rosters) -> None:
        self._bus = bus
        self._hub = hub
        self._rosters = rosters
        self._wanted: dict[str, int] = {}
        self._changing = asyncio.Lock()
        self._boots: OrderedDict[str, str] = OrderedDict()

    async def start(self) -> None:
        await self._bus.subscribe(CONTROL_TOPIC, self._on_control)

    # --- out ------------------------------------------------------------------------------------------------------

    async def publish(self, message: Publish) -> None:
        """Send the events, in order, to one participant if one is named, else to the room."""
        topic = room_topic(message.room) if message.participant is None else participant_topic(message.participant)
        for event in message.events:
            await self._bus.publish(topic, event.model_dump_json())

    async def placed(self, room: str, mcu: str, url: str) -> None:
        """Tell every notifier where the room lives."""
        await self._bus.publish(CONTROL_TOPIC, Placed(room=room, mcu=mcu, url=url).model_dump_json())

    async def mcu_started(self, mcu: str, notice: McuStarted) -> None:
        """Tell every notifier that the MCU is new."""
        started = Started(mcu=mcu, boot=notice.boot, url=notice.url)
        await self._bus.publish(CONTROL_TOPIC, started.model_dump_json())

    async def ordered(self, room: str, orders: Mapping[str, ParticipantOrder]) -> None:
        """Tell every notifier what its sessions' next legs are to be like."""
        await self._bus.publish(CONTROL_TOPIC, Ordered(room=room, orders=dict(orders)).model_dump_json())

    # --- subscriptions --------------------------------------------------------------------------------------------

    async def want(self, topics: tuple[str, ...]) -> None:
        """Subscribe to what is not subscribed yet. Before the session is opened, so that it misses nothing."""
        async with self._changing:
            for topic in topics:
                self._wanted[topic] = self._wanted.get(topic, 0) + 1
                if self._wanted[topic] == 1:
                    await self._bus.subscribe(topic, self._on_event)

    async def drop(self, topics: tuple[str, ...]) -> None:
        """Undo ``want`` when the session is over."""
        async with self._changing:
            for topic in topics:
                self._wanted[topic] -= 1
                if self._wanted[topic] == 0:
                    del self._wanted[topic]
                    self._rosters.forget(topic.removeprefix(ROOM))
                    await self._bus.unsubscribe(topic)

    # --- in -------------------------------------------------------------------------------------------------------

    def _on_event(self, topic: str, message: str) -> None:
        try:
            event = _event.validate_json(message)
        except ValidationError:
            log.warning("event of unknown shape dropped", topic=topic)
            return
        if topic.startswith(ROOM) and isinstance(event, RosterEvent | ParticipantEvent | LeftEvent):
            self._rosters.apply(topic.removeprefix(ROOM), event)
        self._hub.deliver(topic, Event(event.model_dump_json(), final=isinstance(event, ClosedEvent)))

    def _on_control(self, topic: str, message: str) -> None:
        try:
            control = _control.validate_json(message)
        except ValidationError:
            log.warning("control message of unknown shape dropped", topic=topic)
            return
        if isinstance(control, Ordered):
            self._hub.ordered(control.room, control.orders)
        elif isinstance(control, Placed):
            if room_topic(control.room) in self._wanted:
                self._rosters.placed(control.room, control.url)
            moved = self._hub.place(control.room, control.mcu, control.url)
            if moved:
                log.info("room moved", room=control.room, mcu=control.mcu, sessions=moved)
        elif self._is_new(control):
            self._rosters.forget_all()
            told = self._hub.mcu_started(control.mcu, control.url)
            log.info("mcu started", mcu=control.mcu, boot=control.boot, sessions=told)

    def _is_new(self, started: Started) -> bool:
        if self._boots.get(started.mcu) == started.boot:
            return False
        self._boots[started.mcu] = started.boot
        self._boots.move_to_end(started.mcu)
        if len(self._boots) > REMEMBERED_BOOTS:
            self._boots.popitem(last=False)
        return True
