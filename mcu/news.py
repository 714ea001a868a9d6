"""What happens in the conference, as the conference tells it."""

from __future__ import annotations

from typing import Protocol

from confero import models

from .rooms.participant import Participant
from .rooms.room import Room


class News(Protocol):
    """Hears what others are to know."""

    def joined(self, room: Room, participant: Participant) -> None: ...

    def changed(self, room: Room, participant: Participant) -> None: ...

    def connected(self, room: Room, participant: Participant) -> None:
        """For the first time."""
        ...

    def left(self, room: Room, participant: Participant, reason: str, last: models.LegStats) -> None:
        """``last``: what its leg was like, as far as the engine still knew."""
        ...

    def replaced(self, room: Room, earlier: Participant, last: models.LegStats) -> None:
        """The person is still here, with another leg."""
        ...

    def digit(self, room: Room, participant: Participant, digit: str, milliseconds: int) -> None:
        """The participant has pressed a key."""
        ...

    def played(self, room: Room, participant: Participant | None, number: int) -> None:
        """What played to the room, or to the participant alone, has ended."""
        ...

    def speakers(self, room: Room, speakers: list[models.ActiveSpeaker]) -> None: ...
