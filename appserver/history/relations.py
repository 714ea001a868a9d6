"""What somebody who asks is to a record: owner of the room that it is of, or one who was there."""

from __future__ import annotations

from ..rights.actors import Actor
from ..rights.table import Relation
from .store import RecordStore


class MeetingRelations:
    """Answers for the guard. What an account is by its own role is not asked here."""

    def __init__(self, store: RecordStore) -> None:
        self._store = store

    async def to_meeting(self, actor: Actor, meeting_id: str) -> frozenset[Relation]:
        """Nothing for a record that is not there. Raises Unavailable."""
        if actor.user is None or actor.proof == "participant":
            return frozenset()
        meeting = await self._store.meeting(meeting_id)
        found = set[Relation]()
        if meeting is not None and meeting.owner == actor.user:
            found.add("owner")
        if meeting is not None and await self._store.was_there(meeting_id, actor.user):
            found.add("member")
        return frozenset(found)
