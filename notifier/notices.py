"""Tells the application server which sessions come and go: in order, in the background, again until it answers."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Literal, Protocol

from confero.clock import Clock
from confero.errors import Refused, Unavailable
from confero.models import TOLD_AT_ONCE, SessionNotice, SessionNotices, SessionsSnapshot, UserNotice
from confero.models import UserSession as UserOn
from confero.runtime.logging import get_logger

from .session import RoomSession, Session, UserSession

log = get_logger(__name__)


class AppServer(Protocol):
    """What of the application server is needed here. Both raise Refused or Unavailable."""

    async def notices(self, notices: SessionNotices) -> None: ...

    async def snapshot(self, snapshot: SessionsSnapshot) -> None: ...


@dataclass(frozen=True)
class NoticeLimits:
    queue: int = 2000
    """Notices that wait while the application server is away. The oldest is dropped; the next snapshot says the same."""
    pause_s: float = 0.1
    """Between two calls: a burst of joins becomes one transaction there."""
    snapshot_s: float = 30.0
    """Time between two snapshots of all sessions."""
    retry_s: tuple[float, ...] = (0.2, 0.5, 1.0, 2.0)
    """Pauses after the first and later failures; the last one is repeated."""


class Notices:
    """A queue with one sender, so that notices of a participant never overtake each other."""

    def __init__(
        self,
        appserver: AppServer,
        instance: str,
        living: Callable[[], list[Session]],
        clock: Clock,
        limits: NoticeLimits,
    ) -> None:
        self._appserver = appserver
        self._instance = instance
        self._living = living
        self._clock = clock
        self._limits = limits
        self._queue: deque[SessionNotice | UserNotice] = deque(maxlen=limits.queue)
        self._wake = asyncio.Event()
        self.dropped = 0

    def connected(self, session: Session) -> None:
        """Tell of a fresh session."""
        self._add("connected", session)

    def disconnected(self, session: Session) -> None:
        """Tell of a session that is over."""
        self._add("disconnected", session)

    def _add(self, kind: Literal["connected", "disconnected"], session: Session) -> None:
        if len(self._queue) == self._limits.queue:
            self.dropped += 1
        self._queue.append(self._notice(kind, session))
        self._wake.set()

    def _notice(self, kind: Literal["connected", "disconnected"], session: Session) -> SessionNotice | UserNotice:
        if isinstance(session, UserSession):
            return UserNotice(kind=kind, session=session.id, user=session.grant.user, notifier=self._instance)
        assert isinstance(session, RoomSession)
        return SessionNotice(
            kind=kind,
            session=session.id,
            participant=session.grant.participant,
            room=session.grant.room,
            at=self._clock.wall(),
            notifier=self._instance,
        )

    async def run(self) -> None:
        """Send for ever: a snapshot at first and at its times, notices as they come."""
        snapshot_at = self._clock.monotonic()
        failures = 0
        while True:
            due = snapshot_at - self._clock.monotonic()
            try:
                if due <= 0:
                    await self._send_snapshot()
                    snapshot_at = self._clock.monotonic() + self._limits.snapshot_s
                elif self._queue:
                    await self._send(list(islice(self._queue, TOLD_AT_ONCE)))
                    await asyncio.sleep(self._limits.pause_s)
                else:
                    await self._wait(due)
                failures = 0
            except Unavailable as error:
                pauses = self._limits.retry_s
                log.debug("application server does not take notices", detail=error.detail, waiting=len(self._queue))
                await asyncio.sleep(pauses[min(failures, len(pauses) - 1)])
                failures += 1

    async def _send_snapshot(self) -> None:
        living = self._living()
        sessions = [session.id for session in living if isinstance(session, RoomSession)]
        users = [UserOn(session=one.id, user=one.grant.user) for one in living if isinstance(one, UserSession)]
        try:
            await self._appserver.snapshot(SessionsSnapshot(notifier=self._instance, sessions=sessions, users=users))
        except Refused as error:
            log.warning("snapshot of sessions refused", code=error.code, detail=error.detail)

    async def _send(self, notices: list[SessionNotice | UserNotice]) -> None:
        told = SessionNotices(
            notices=[notice for notice in notices if isinstance(notice, SessionNotice)],
            users=[notice for notice in notices if isinstance(notice, UserNotice)],
        )
        try:
            await self._appserver.notices(told)
        except Refused as error:
            log.warning("notices refused", count=len(notices), code=error.code, detail=error.detail)
        for notice in notices:
            if self._queue and self._queue[0] is notice:  # else it was dropped for a newer one meanwhile
                self._queue.popleft()

    async def _wait(self, seconds: float) -> None:
        self._wake.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return
