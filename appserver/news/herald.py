"""Tells users that something of theirs has changed: gathered for a moment, to those who have a page open. Holds nobody up."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Protocol

from confero.errors import Refused, Unavailable
from confero.models import (
    MOST_USERS,
    ChangedEvent,
    ClosedEvent,
    PresenceEvent,
    Publish,
    RoomEvent,
    UserNotice,
    UserSession,
)
from confero.runtime.logging import get_logger

from .online import Change, Online
from .table import What

log = get_logger(__name__)

GATHER_S = 0.2
"""What changes within it is told once: a hundred who join are one change of who meets."""
WAITING = 10_000
"""Changes that may wait. Of more the oldest is dropped: pages look again by themselves now and then."""
SIGNED_OUT = "signed-out"


class Audience(Protocol):
    """Who is concerned. Both raise Unavailable."""

    async def of_room(self, room: str) -> set[str]:
        """Its owner and its members, by account."""
        ...

    async def of_user(self, user: str) -> set[str]:
        """Those who share a room with them."""
        ...


class Notifier(Protocol):
    """Raises Refused or Unavailable."""

    async def publish(self, message: Publish) -> None: ...


class Herald:
    """``changed`` and the like never wait; ``run`` is the task behind them."""

    def __init__(self, audience: Audience, notifier: Notifier, online: Online) -> None:
        self._audience = audience
        self._notifier = notifier
        self.online = online
        self._changes: dict[tuple[What, str | None], set[str]] = {}
        """What has changed where, and whom it concerns beside the room's own."""
        self._moves: dict[str, bool] = {}
        self._ended: set[str] = set()
        self._wake = asyncio.Event()

    def changed(self, what: What, room: str | None, also: Iterable[str] = ()) -> None:
        """Something of the room is not what it was; or, without one, of those named."""
        if not self.online:
            return
        self._changes.setdefault((what, room), set()).update(also)
        if len(self._changes) > WAITING:
            del self._changes[next(iter(self._changes))]
        self._wake.set()

    def signed_out(self, user: str) -> None:
        """The user's pages are closed; those that are signed in still come again."""
        if user in self.online:
            self._ended.add(user)
            self._wake.set()

    async def people_of(self, room: str) -> set[str]:
        """Whom the room concerns now, of those who are there: for changes after which nobody could say. Raises Unavailable."""
        return await self._here(room) if self.online else set()

    # --- what notifiers tell --------------------------------------------------------------------------------------

    def told(self, notices: Sequence[UserNotice]) -> None:
        """Pages were opened and closed."""
        self._note(self.online.told(notices))

    def snapshot(self, notifier: str, sessions: Sequence[UserSession]) -> None:
        """All pages that this notifier has."""
        self._note(self.online.snapshot(notifier, sessions))

    def _note(self, changes: Sequence[Change]) -> None:
        self._moves |= dict(changes)
        if changes:
            self._wake.set()

    # --- telling --------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Tell for ever."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            await asyncio.sleep(GATHER_S)
            await self.tell()

    async def tell(self) -> None:
        """All that waits. What cannot be told is dropped: pages look again by themselves."""
        changes, self._changes = self._changes, {}
        moves, self._moves = self._moves, {}
        ended, self._ended = self._ended, set()
        try:
            for (what, room), also in changes.items():
                here = await self._here(room) if room is not None else set()
                await self._publish(here | self._present(also), ChangedEvent(what=what, room=room))
            for user, online in moves.items():
                around = self._present(await self._audience.of_user(user))
                await self._publish(around, PresenceEvent(user=user, online=online))
            await self._publish(ended, ClosedEvent(reason=SIGNED_OUT))
        except (Refused, Unavailable) as error:
            log.info("news are not told", code=error.code, changes=len(changes), presence=len(moves))

    async def _here(self, room: str) -> set[str]:
        return self._present(await self._audience.of_room(room))

    def _present(self, users: Iterable[str]) -> set[str]:
        return {user for user in users if user in self.online}

    async def _publish(self, users: set[str], event: RoomEvent) -> None:
        names = sorted(users)
        for start in range(0, len(names), MOST_USERS):
            await self._notifier.publish(Publish(users=names[start : start + MOST_USERS], events=[event]))
