"""Prompts to one caller, one after another; a new text takes the place of what is still heard."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from confero.errors import ConferoError
from confero.runtime.logging import get_logger
from confero.runtime.tasks import TaskBag

from .media import MediaLeg

log = get_logger(__name__)

TASKS = 16
"""Of one caller: who presses keys faster than prompts can be stopped hears them to their end."""


class Voice:
    """``close`` it with the call."""

    def __init__(self, media: MediaLeg) -> None:
        self._media = media
        self._tasks = TaskBag(limit=TASKS)
        self._turn = 0
        """Of the text that is said now; what belongs to an earlier one is nobody's."""
        self._playing: tuple[str, int] | None = None
        """Leg and number."""

    def say(self, prompts: Sequence[str], said: Callable[[], None] = lambda: None) -> None:
        """``said`` is told when the last one has ended, or when there is nobody to hear it; not if it is cut short."""
        self.hush()
        self._spawn(self._speak(self._turn, prompts, said))

    def hush(self) -> None:
        """Nothing more of what is being said."""
        self._turn += 1
        playing, self._playing = self._playing, None
        if playing is not None:
            self._spawn(self._media.stop(*playing))

    async def _speak(self, turn: int, prompts: Sequence[str], said: Callable[[], None]) -> None:
        try:
            for prompt in prompts:
                await self._play(turn, f"{prompt}.opus")
        except ConferoError as error:
            log.info("a prompt was not played", reason=str(error))
        if turn == self._turn:
            self._playing = None
            said()

    async def _play(self, turn: int, file: str) -> None:
        if turn != self._turn:
            return
        leg = self._media.leg
        playing = await self._media.play(file)
        if turn != self._turn:  # hushed before we knew its number
            await self._media.stop(leg, playing.id)
            return
        self._playing = leg, playing.id
        await asyncio.sleep(playing.seconds)

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        try:
            self._tasks.spawn(coroutine, name="voice of a call")
        except ConferoError as error:
            log.debug("a prompt was left out", reason=str(error))

    async def close(self) -> None:
        await self._tasks.close()
