"""All rooms and legs of this MCU by their names: the wire's ids and the engine's numbers."""

from __future__ import annotations

from collections.abc import Iterator

from confero.errors import Refused

from .participant import Participant
from .room import Room


class Registry:
    """Tables that agree with each other; bounded by the limits given."""

    def __init__(self, *, max_rooms: int, max_legs: int) -> None:
        self._max_rooms = max_rooms
        self._max_legs = max_legs
        self._last = 0
        self._rooms: dict[str, Room] = {}
        self._room_numbers: dict[int, Room] = {}
        self._legs: dict[str, tuple[Participant, Room]] = {}
        self._numbers: dict[int, str] = {}

    def next_number(self) -> int:
        """Never given out before in this process."""
        self._last += 1
        return self._last

    def __iter__(self) -> Iterator[Room]:
        return iter(list(self._rooms.values()))

    @property
    def rooms(self) -> int:
        return len(self._rooms)

    @property
    def legs(self) -> int:
        return len(self._legs)

    def find_room(self, id: str) -> Room | None:
        return self._rooms.get(id)

    def room(self, id: str) -> Room:
        """Raises Refused ``room-unknown``."""
        try:
            return self._rooms[id]
        except KeyError:
            raise Refused("There is no such room here.", status=404, code="room-unknown") from None

    def room_of_number(self, number: int) -> Room | None:
        return self._room_numbers.get(number)

    def check_room(self) -> None:
        """Raises Refused ``mcu-full`` if no further room can be held."""
        if len(self._rooms) >= self._max_rooms:
            raise Refused(f"This MCU holds {self._max_rooms} rooms already.", status=503, code="mcu-full")

    def add_room(self, room: Room) -> None:
        self._rooms[room.id] = room
        self._room_numbers[room.number] = room

    def remove_room(self, room: Room) -> None:
        self._rooms.pop(room.id, None)
        self._room_numbers.pop(room.number, None)

    def check_leg(self) -> None:
        """Raises Refused ``mcu-full`` if no further leg can be held."""
        if len(self._legs) >= self._max_legs:
            raise Refused(f"This MCU holds {self._max_legs} legs already.", status=503, code="mcu-full")

    def add_leg(self, participant: Participant, room: Room) -> None:
        """Also when the leg has moved, or has another number now."""
        self._legs[participant.leg.id] = participant, room
        if participant.leg.number:
            self._numbers[participant.leg.number] = participant.leg.id

    def forget_number(self, number: int) -> None:
        self._numbers.pop(number, None)

    def remove_leg(self, participant: Participant) -> None:
        self._legs.pop(participant.leg.id, None)

    def leg(self, id: str) -> tuple[Participant, Room]:
        """Raises Refused ``leg-unknown``."""
        try:
            return self._legs[id]
        except KeyError:
            raise Refused("There is no such leg here.", status=404, code="leg-unknown") from None

    def has_leg(self, id: str) -> bool:
        return id in self._legs

    def leg_of_number(self, number: int) -> tuple[Participant, Room] | None:
        return self._legs.get(self._numbers.get(number, ""))

    def participants(self) -> list[tuple[Participant, Room]]:
        return list(self._legs.values())
