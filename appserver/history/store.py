"""What the reading of records needs kept: implemented by the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from .entities import Going, Meeting, StayRow

Mark = tuple[float, str]
"""A meeting's place in the order of lists, the latest first: when it began, and its id."""


@dataclass(frozen=True)
class Wanted:
    """Which meetings. ``user``: of this account alone, in its rooms or with it; None: everybody's."""

    user: str | None
    room: str | None = None
    after: float | None = None
    before: float | None = None
    who: str | None = None


class RecordStore(Protocol):
    """Each call is one transaction. Raises Unavailable."""

    async def meetings(self, wanted: Wanted, before: Mark | None, limit: int) -> list[Meeting]: ...

    async def meeting(self, meeting_id: str) -> Meeting | None: ...

    async def stays(self, meeting_id: str, after: StayRow | None, limit: int) -> list[StayRow]:
        """In the order of their coming."""
        ...

    async def was_there(self, meeting_id: str, user: str) -> bool: ...

    async def delete(self, meeting_id: str) -> Literal["deleted", "goes-on", "unknown"]:
        """With everything that names its people."""
        ...

    async def forget_some(self, before: float, limit: int) -> int:
        """Up to ``limit`` meetings that ended before, and what was told of legs before; how many rows."""
        ...

    async def going(self, now: float, limit: int) -> Sequence[Going]:
        """Meetings of now, the longest first."""
        ...
