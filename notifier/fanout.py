"""Between bus and hub: a topic is subscribed while a session wants it; control messages reach every notifier."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence

from confero.models import McuStarted, ParticipantOrder
from confero.runtime.logging import get_logger

from . import wire
from .bus import Bus
from .hub import Hub
from .messages import Event
from .rosters import Rosters
from .topics import ROOM, room_topic
from .wire import Malformed, Ordered, Ordering, Placed, Started

log = get_logger(__name__)

CONTROL_TOPIC = "notifiers"
REMEMBERED_BOOTS = 1024
"""MCUs whose last start is remembered, so that a notice sent twice counts once."""
MEMBERSHIP = frozenset({"roster", "participant", "left"})
"""Events that say who is in a room."""
FINAL = "closed"
"""The event after which a session is over."""


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

    async def publish(self, topic: str, events: Sequence[bytes]) -> None:
        """Send the events, each a JSON object in one line, in order, to the topic."""
        for event in events:
            await self._bus.publish(topic, event)

    async def placed(self, room: str, mcu: str, url: str) -> None:
        """Tell every notifier where the room lives."""
        await self._bus.publish(CONTROL_TOPIC, wire.encode(Placed(room=room, mcu=mcu, url=url)))

    async def mcu_started(self, mcu: str, notice: McuStarted) -> None:
        """Tell every notifier that the MCU is new."""
        await self._bus.publish(CONTROL_TOPIC, wire.encode(Started(mcu=mcu, boot=notice.boot, url=notice.url)))

    async def ordered(self, room: str, orders: Mapping[str, ParticipantOrder]) -> None:
        """Tell every notifier what its sessions' next legs are to be like."""
        told = {who: Ordering(muted=order.muted, held=order.held, role=order.role) for who, order in orders.items()}
        await self._bus.publish(CONTROL_TOPIC, wire.encode(Ordered(room=room, orders=told)))

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

    def _on_event(self, topic: str, message: bytes) -> None:
        try:
            kind = wire.type_of(message)
            change = wire.read_change(message) if kind in MEMBERSHIP and topic.startswith(ROOM) else None
            if change is not None:
                self._rosters.apply(topic.removeprefix(ROOM), change)
        except Malformed as error:
            log.warning("event of unknown shape dropped", topic=topic, reason=str(error))
            return
        self._hub.deliver(topic, Event(message, final=kind == FINAL))

    def _on_control(self, topic: str, message: bytes) -> None:
        try:
            control = wire.read_control(message)
        except Malformed as error:
            log.warning("control message of unknown shape dropped", reason=str(error))
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
