"""Removals that must happen: tried again while the engine is too busy or the room still has a leg on its way out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from confero.media import EngineBusy, EngineClosed, StillInUse, UnknownId

from .pipeline.engine import MediaEngine


class Closable(Protocol):
    """Something of the engine's that says itself how it goes."""

    def close(self) -> None: ...


class Removals:
    """None of its methods raises. ``retry`` it now and then."""

    def __init__(self, engine: MediaEngine) -> None:
        self._engine = engine
        self._unfinished: list[Callable[[], None]] = []

    def leg(self, number: int) -> None:
        self._surely(lambda: self._engine.remove_leg(number))

    def room(self, number: int) -> None:
        self._surely(lambda: self._engine.remove_room(number))

    def tap(self, tap: Closable) -> None:
        self._surely(tap.close)

    def retry(self) -> None:
        unfinished, self._unfinished = self._unfinished, []
        for command in unfinished:
            self._surely(command)

    def _surely(self, command: Callable[[], None]) -> None:
        try:
            command()
        except (UnknownId, EngineClosed):
            pass  # gone already
        except (EngineBusy, StillInUse):
            self._unfinished.append(command)
