"""Sounds that somebody asks for, and digits: who is to hear them may go while they are made."""

from __future__ import annotations

from confero import models
from confero.errors import Refused

from .pipeline.engine import MediaEngine
from .plays import Place, Plays
from .rooms.registry import Registry


class Sounds:
    def __init__(self, engine: MediaEngine, registry: Registry, plays: Plays) -> None:
        self._engine = engine
        self._registry = registry
        self._plays = plays

    async def to_room(self, room_id: str, wish: models.PlayRequest) -> models.Playing:
        """Raises Refused ``room-unknown``, ``prompt-unknown``, ``prompt-unreadable``, ``tone-invalid``, what the engine raises."""
        self._registry.room(room_id)
        clip = await self._plays.clip(wish)
        room = self._registry.room(room_id)  # it may have gone meanwhile
        return self._plays.start(room, None, clip, gain_db=wish.gain_db, loops=wish.loops)

    async def to_leg(self, leg_id: str, wish: models.PlayRequest) -> models.Playing:
        """Raises as ``to_room``, ``leg-unknown``, ``no-media``."""
        self._registry.leg(leg_id)
        clip = await self._plays.clip(wish)
        participant, room = self._registry.leg(leg_id)  # it may have gone meanwhile
        return self._plays.start(room, participant, clip, gain_db=wish.gain_db, loops=wish.loops)

    async def dial(self, leg_id: str, wish: models.DigitsSend) -> None:
        """As events, or where the peer takes none as tones. Raises Refused ``leg-unknown``, ``no-media``, ``no-events``."""
        participant, _ = self._registry.leg(leg_id)
        if not participant.leg.number:
            raise Refused("This leg has no media yet.", status=409, code="no-media")
        if participant.leg.takes_events:
            self._engine.send_digits(participant.leg.number, wish.digits, milliseconds=wish.ms)
        elif "!" in wish.digits:
            raise Refused("A flash has no sound, and the peer takes no events.", status=409, code="no-events")
        else:
            clip = await self._plays.dialled(wish.digits, wish.ms)
            participant, room = self._registry.leg(leg_id)  # it may have gone meanwhile
            self._plays.start(room, participant, clip)

    def sweep(self) -> None:
        """Forgets what played at places that are gone."""
        self._plays.sweep(self._still_here)

    def _still_here(self, place: Place) -> bool:
        room, leg = place
        return self._registry.has_leg(leg) if leg else self._registry.find_room(room) is not None
