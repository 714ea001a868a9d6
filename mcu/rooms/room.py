"""A room: a bounded set of participants, each with one leg."""

from __future__ import annotations

from confero import models
from confero.errors import Refused

from .participant import Participant


class Room:
    """``number`` is the engine's name for it."""

    def __init__(
        self, id: str, number: int, name: str, max_participants: int, now: float, *, announce: bool = False
    ) -> None:
        self.id = id
        self.number = number
        self.name = name
        self.max_participants = max_participants
        self.announce = announce
        """Who comes and goes is heard."""
        self.participants: dict[str, Participant] = {}
        self.empty_since: float | None = now
        """Monotonic seconds."""

    def check_place(self, participant: str) -> None:
        """Raises Refused ``room-full`` if there is none. Who is here already needs no other place."""
        if participant not in self.participants and len(self.participants) >= self.max_participants:
            raise Refused(f"The room is full ({self.max_participants} people).", status=409, code="room-full")

    def admit(self, participant: Participant) -> Participant | None:
        """Puts it in and returns the one that it replaces: same person, earlier leg. Raises Refused ``room-full``."""
        self.check_place(participant.id)
        earlier = self.participants.pop(participant.id, None)
        self.participants[participant.id] = participant
        self.empty_since = None
        return earlier

    def remove(self, participant: Participant, now: float) -> bool:
        """False if it is not here (any more), for instance because a newer leg has taken its place."""
        if self.participants.get(participant.id) is not participant:
            return False
        del self.participants[participant.id]
        if not self.participants:
            self.empty_since = now
        return True

    def view(self) -> models.RoomState:
        return models.RoomState(
            id=self.id,
            name=self.name,
            max_participants=self.max_participants,
            participants=[participant.view() for participant in self.participants.values()],
        )
