"""What hosts and a room's rules want of those who are there, by their names as participants."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from confero import models
from confero.errors import ConferoError, Refused
from confero.runtime.logging import get_logger

from .ownerdigits import OwnerDigits
from .rooms.participant import Participant, Settings
from .rooms.registry import Registry
from .rooms.room import Room

log = get_logger(__name__)


class Moderation:
    """``patch`` and ``end`` are the conference's."""

    def __init__(
        self,
        registry: Registry,
        patch: Callable[[str, models.LegPatch], models.Participant],
        end: Callable[[Participant, Room, str], None],
        owners: OwnerDigits,
    ) -> None:
        """``owners``: of telephones' legs are told what becomes of them, since nobody else tells the caller."""
        self._owners = owners
        self._registry = registry
        self._patch = patch
        self._end = end

    def order(self, room_id: str, orders: Mapping[str, models.ParticipantOrder]) -> list[str]:
        """Who is there, and is as ordered now. Raises Refused ``room-unknown``.

        Whom the engine is too busy for is left out, and may be ordered again.
        """
        room, done = self._registry.room(room_id), []
        for id, order in orders.items():
            participant = room.participants.get(id)
            if participant is None:
                continue
            before = participant.settings
            try:
                self._patch(participant.leg.id, models.LegPatch(**order.model_dump()))
                done.append(id)
                self._tell(participant, before)
            except ConferoError as error:
                log.info("an order was not followed", room=room.id, leg=participant.leg.id, reason=str(error))
        return done

    def _tell(self, participant: Participant, before: Settings) -> None:
        now = participant.settings
        if participant.owner and (now.muted, now.held) != (before.muted, before.held):
            self._owners.changed(participant.owner, participant.leg.id, muted=now.muted, held=now.held)

    def remove(self, room_id: str, participant_id: str, reason: str) -> None:
        """Ends whatever leg the participant has. Raises Refused ``room-unknown``, ``participant-unknown``."""
        room = self._registry.room(room_id)
        participant = room.participants.get(participant_id)
        if participant is None:
            raise Refused("There is no such participant here.", status=404, code="participant-unknown")
        self._end(participant, room, reason)
