"""What meetings need kept: implemented by the database."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal, Protocol

from confero.models.meetings import ChatMessage

from .rules import Rule
from .state import Outcome, Scene

Whom = Collection[str] | Literal["everybody"]


class MeetingStore(Protocol):
    """Each call is one transaction. Raises Unavailable if the database is not there."""

    async def scene(self, room: str, now: float, whom: Whom = ()) -> Scene | None:
        """Hosts, hands, speakers, and ``whom``; None: there is no such room."""
        ...

    async def change(self, room: str, now: float, rule: Rule, whom: Whom = (), *, due: float) -> Outcome | None:
        """Write what the rule makes of the scene; if that is anything new the version grows by one, and it is to be told again at
        ``due``. None: there is no such room. Raises what the rule raises.
        """
        ...

    async def end(self, room: str, now: float, *, due: float) -> Sequence[str] | None:
        """``rules.ended``, and nobody's place is kept; who waits in the lobby. None: there is no such room."""
        ...

    async def end_told(self, room: str) -> None:
        """Everybody has been sent away."""
        ...

    async def move(
        self, room: str, participant: str, target: str, now: float, *, due: float, until: float
    ) -> Outcome | None:
        """``rules.moved``, and their place is in ``target`` from now on, kept till ``until``. None: there is no such room.

        Raises Refused 404 ``participant-unknown``, ``room-unknown``, 409 ``room-full``.
        """
        ...

    async def due(self, now: float) -> Sequence[tuple[str, int]]:
        """Rooms to be told of again, with the version that they have."""
        ...

    async def told(self, room: str, version: int) -> None:
        """That version, whole."""
        ...

    async def homes(self, room: str) -> Sequence[str]:
        """Media servers that have legs of a room, as far as is written."""
        ...

    async def forget(self, room: str) -> None:
        """A room that was deleted, and whose people have been sent away."""
        ...

    async def outcasts(self, room: str, now: float) -> Sequence[str]:
        """Removed, and there all the same as far as is written, or removed a moment ago."""
        ...

    async def deserted(self, now: float) -> Sequence[str]:
        """Rooms whose meeting has begun, and in which nobody is any more."""
        ...

    async def conclude(self, room: str, now: float) -> None:
        """``rules.over``, if still nobody is there; guests who had been admitted wait again where the room has a lobby."""
        ...


class ChatStore(Protocol):
    """Each call is one transaction. Raises Unavailable."""

    async def add(
        self, room: str, participant: str, display_name: str, text: str, nonce: str | None, now: float
    ) -> tuple[ChatMessage, bool]:
        """The message, and whether it is new: one with the same nonce of the same participant is not. Old ones go."""
        ...

    async def page(self, room: str, before: int | None, limit: int) -> list[ChatMessage]:
        """The latest below ``before``, oldest first."""
        ...

    async def delete(self, room: str, message: int) -> bool: ...
