"""The life of sessions: who may enter, where the room lives, and what is put in order when one is over."""

from __future__ import annotations

import asyncio
from typing import Protocol

from confero.errors import Refused, Unavailable
from confero.models import UserGrant
from confero.runtime.logging import get_logger
from confero.runtime.tasks import TaskBag

from .fanout import Fanout
from .hub import EndCause, Hub
from .notices import Notices
from .orphans import Orphans
from .session import Grant, RoomSession, Session, UserSession, topics_of
from .signaling import Signaling
from .wire import Hello

log = get_logger(__name__)

REAP_S = 1.0
"""How often expired sessions are looked for."""


class TokenValidator(Protocol):
    """Says what a token allows. Raises Refused or Unavailable."""

    async def validate(self, token: str) -> Grant: ...


class Sessions:
    """Joins hub, fan-out, notices and signalling. ``ended`` is the hub's callback."""

    def __init__(self, validator: TokenValidator, *, limit: int) -> None:
        """``limit``: sessions that may end at once. Call ``connect`` before use."""
        self._validator = validator
        self._after = TaskBag(limit=limit)

    def connect(self, hub: Hub, fanout: Fanout, notices: Notices, signaling: Signaling, orphans: Orphans) -> None:
        """Hand in the parts, which know this object in turn."""
        self.hub = hub
        self.fanout = fanout
        self.notices = notices
        self.signaling = signaling
        self.orphans = orphans

    async def validate(self, token: str) -> Grant:
        """What the token allows. Raises Refused (401, 404, 503 ...) or Unavailable."""
        return await self._validator.validate(token)

    async def enter(self, grant: Grant, hello: Hello) -> tuple[Session, bool]:
        """The participant's or user's session, and whether it is one that is resumed. Raises Refused when there are too many."""
        session, resumed = None, False
        if hello.resume is not None:
            session = self.hub.resume(hello.resume, grant, hello.token, hello.seen)
            resumed = session is not None
        if session is None:
            session = await self._open(grant, hello.token)
        log.info("session entered", session=session.id, resumed=resumed, **names_of(grant))
        if not isinstance(grant, UserGrant) and not grant.waiting:
            await self.fanout.placed(grant.room, grant.mcu, grant.mcu_url)
        return session, resumed

    async def _open(self, grant: Grant, token: str) -> Session:
        topics = topics_of(grant)
        await self.fanout.want(topics)
        try:
            session = self._opened(grant, token)
        except Refused:
            await self.fanout.drop(topics)
            raise
        self.notices.connected(session)
        return session

    def _opened(self, grant: Grant, token: str) -> RoomSession | UserSession:
        return self.hub.open_user(grant, token) if isinstance(grant, UserGrant) else self.hub.open(grant, token)

    async def follow(self, session: RoomSession) -> None:
        """The MCU did not answer: ask where the room lives now. The sessions of a room that has moved get ``renegotiate``."""
        try:
            grant = await self.validate(session.token)
        except (Refused, Unavailable) as error:
            log.debug("placement not known", room=session.grant.room, code=error.code)
            return
        if isinstance(grant, UserGrant):
            return
        if (grant.mcu, grant.mcu_url) != (session.grant.mcu, session.grant.mcu_url):
            await self.fanout.placed(grant.room, grant.mcu, grant.mcu_url)

    def ended(self, session: Session, cause: EndCause) -> None:
        """A session is over: unsubscribe, tell the application server, and watch the leg that nobody has come back to."""
        assert isinstance(session, RoomSession | UserSession)
        log.info("session ended", session=session.id, cause=cause, **names_of(session.grant))
        self.notices.disconnected(session)
        if isinstance(session, RoomSession) and cause == "expired" and not session.grant.waiting:
            self.orphans.add(session)
        self._after.spawn(self.fanout.drop(topics_of(session.grant)), name=f"end {session.id}")

    async def reap(self) -> None:
        """End sessions whose resume window is over, for ever."""
        while True:
            await asyncio.sleep(REAP_S)
            self.hub.expire()

    async def close(self) -> None:
        """Stop what is still being put in order."""
        await self._after.close()


def names_of(grant: Grant) -> dict[str, str]:
    """Whose session it is, for the log."""
    if isinstance(grant, UserGrant):
        return {"user": grant.user}
    return {"room": grant.room, "participant": grant.participant}
