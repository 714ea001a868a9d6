"""What plays in rooms and to legs: started and stopped by the control API, ended by the engine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from confero import models
from confero.errors import ConferoError, Refused
from confero.media import Clip, EngineError, ToneStep, UnknownId, named_tone, tone
from confero.runtime.logging import get_logger

from .gains import factor
from .pipeline.engine import MediaEngine
from .prompts import Prompts
from .rooms.participant import Participant
from .rooms.room import Room

log = get_logger(__name__)

KEYS = "123A456B789C*0#D"
ROWS, COLUMNS = (697, 770, 852, 941), (1209, 1336, 1477, 1633)
PAUSE_MS = 60
DIAL_MS = 60_000

Place = tuple[str, str]
"""Ids of a room and of the leg in it that alone hears it; "" for everybody."""


class Plays:
    """Knows each playing by the engine's number until its end is told."""

    def __init__(self, engine: MediaEngine, prompts: Prompts) -> None:
        self._engine = engine
        self._prompts = prompts
        self._playing: dict[int, Place] = {}
        self._notes: dict[str, Clip] = {}

    async def clip(self, wish: models.PlayRequest) -> Clip:
        """What is to be played. Raises Refused ``prompt-unknown``, ``prompt-unreadable``, ``tone-invalid``."""
        if wish.file is not None:
            return await self._prompts.load(wish.file)
        return await asyncio.to_thread(_made, wish)

    def start(
        self, room: Room, participant: Participant | None, clip: Clip, *, gain_db: float = 0.0, loops: int = 1
    ) -> models.Playing:
        """Raises Refused ``no-media``, what the engine raises."""
        gain = factor(gain_db)
        if participant is None:
            number = self._engine.play_to_room(room.number, clip, gain=gain, loops=loops)
        elif participant.leg.number:
            number = self._engine.play_to_leg(participant.leg.number, clip, gain=gain, loops=loops)
        else:
            raise Refused("This leg has no media yet.", status=409, code="no-media")
        self._playing[number] = room.id, participant.leg.id if participant else ""
        return models.Playing(id=number, seconds=clip.seconds)

    def announce(self, room: Room, name: Literal["entry", "exit"]) -> None:
        """If the room is to hear it, and somebody is there. Never raises: it is only a sound."""
        if not room.announce or not room.participants:
            return
        if name not in self._notes:
            self._notes[name] = Clip(named_tone(name))
        try:
            self.start(room, None, self._notes[name])
        except ConferoError as error:
            log.warning("not announced", room=room.id, reason=str(error))

    async def dialled(self, digits: str, milliseconds: int) -> Clip:
        """Digits as tones, for a peer that takes no events. Raises Refused ``tone-invalid``."""
        if len(digits) * (milliseconds + PAUSE_MS) > DIAL_MS:
            raise Refused(f"As tones they would take more than {DIAL_MS // 1000} s.", status=422, code="tone-invalid")
        return await asyncio.to_thread(lambda: Clip(np.concatenate([_key(digit, milliseconds) for digit in digits])))

    def stop(self, room: Room | None, participant: Participant | None, number: int) -> None:
        """One of the two tells where. Raises Refused ``play-unknown``: it never was there, or has ended."""
        place = self._playing.get(number)
        leg = participant.leg.id if participant else ""
        here = place is not None and place[1] == leg and (room is None or place[0] == room.id)
        try:
            if here:
                self._engine.stop_playing(number)
                return
        except UnknownId:
            pass
        raise Refused("Nothing plays there under this number.", status=404, code="play-unknown")

    def ended(self, number: int) -> Place | None:
        """Where it was; None: nobody's."""
        return self._playing.pop(number, None)

    def sweep(self, here: Callable[[Place], bool]) -> None:
        """Forgets what was at places that are gone: its end may have been lost in a flood."""
        for number in [number for number, place in self._playing.items() if not here(place)]:
            del self._playing[number]


def _made(wish: models.PlayRequest) -> Clip:
    """Takes up to a tenth of a second: not for the event loop."""
    try:
        if wish.tone is not None:
            return Clip(named_tone(wish.tone))
        return Clip(tone([ToneStep(step.ms, tuple(step.hz), tuple(step.dbov)) for step in wish.steps or ()]))
    except EngineError as error:
        raise Refused(f"That tone cannot be made: {error}.", status=422, code="tone-invalid") from None


def _key(digit: str, milliseconds: int) -> NDArray[np.int16]:
    """The tones of a key, and the pause behind them (ITU-T Q.23)."""
    row, column = divmod(KEYS.index(digit), 4)
    return tone([ToneStep(milliseconds, (ROWS[row], COLUMNS[column]), (15, 13)), ToneStep(PAUSE_MS)])
