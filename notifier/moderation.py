"""What hosts and rooms' rules want of participants: told to their sessions here, and passed on to the MCU that has their media."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from confero.errors import Refused
from confero.models import ClosedEvent, ParticipantOrder, RoomEndReason, RoomOrders, RoomOrdersDone
from confero.runtime.logging import get_logger

from .topics import participant_topic, room_topic

log = get_logger(__name__)

NOT_THERE = ("room-unknown", "participant-unknown")


class MediaServer(Protocol):
    """What of an MCU is needed here; ``url`` says which. Each raises Refused or Unavailable."""

    async def order(self, url: str, room: str, orders: RoomOrders) -> RoomOrdersDone: ...

    async def remove(self, url: str, room: str, participant: str, reason: str) -> None: ...

    async def end_room(self, url: str, room: str, reason: str) -> None: ...


class Told(Protocol):
    """How sessions hear of it, at whichever notifier they are."""

    async def ordered(self, room: str, orders: Mapping[str, ParticipantOrder]) -> None: ...

    async def publish(self, topic: str, events: Sequence[bytes]) -> None: ...


class Moderation:
    """Sessions first: whoever comes again has no leg by then that the MCU would miss. All raise Unavailable; said again, all is
    done again."""

    def __init__(self, told: Told, media: MediaServer) -> None:
        self._told = told
        self._media = media

    async def order(self, url: str, room: str, orders: RoomOrders) -> RoomOrdersDone:
        """Who has a leg and is as ordered; nobody where the MCU does not know the room."""
        await self._told.ordered(room, orders.orders)
        try:
            return await self._media.order(url, room, orders)
        except Refused as error:
            _not_there(error)
            return RoomOrdersDone(done=[])

    async def remove(self, url: str, room: str, participant: str, reason: RoomEndReason) -> None:
        """The participant's session is closed with the reason, and its leg ended; whoever is moved keeps the session."""
        if reason != "moved":
            await self._told.publish(participant_topic(participant), [closed(reason)])
        if not url:
            return
        try:
            await self._media.remove(url, room, participant, reason)
        except Refused as error:
            _not_there(error)

    async def end(self, url: str, room: str, reason: RoomEndReason) -> None:
        """Everybody's session is closed with the reason, and the room ended at its MCU."""
        await self._told.publish(room_topic(room), [closed(reason)])
        if not url:
            return
        try:
            await self._media.end_room(url, room, reason)
        except Refused as error:
            _not_there(error)


def closed(reason: RoomEndReason) -> bytes:
    """The event after which a session is over."""
    return ClosedEvent(reason=reason).model_dump_json().encode()


def _not_there(error: Refused) -> None:
    """What is gone already needs no end. Raises any other refusal."""
    if error.code not in NOT_THERE:
        raise error
    log.debug("nothing there to be moderated", code=error.code)
