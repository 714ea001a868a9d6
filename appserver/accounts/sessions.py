"""Sessions: begun at sign-in under a fresh secret, known by their cookie, over after idleness or a time in any case."""

from __future__ import annotations

from dataclasses import dataclass

from confero.clock import Clock
from confero.errors import Refused
from confero.ids import new_id

from ..rights.actors import Actor
from .entities import Session, User
from .notes import note
from .secrets import digest, new_secret
from .store import SessionStore

USED_EVERY_S = 300.0
"""A session's last use is written this often."""
AGENT = 200
"""Characters of a browser's name that are kept."""


@dataclass(frozen=True)
class SessionPolicy:
    """In seconds; ``most``: of one account at once, the ones longest unused go first."""

    idle_s: float = 14 * 86_400.0
    longest_s: float = 90 * 86_400.0
    most: int = 50


class Sessions:
    """Begins, knows and ends them."""

    def __init__(self, store: SessionStore, clock: Clock, policy: SessionPolicy) -> None:
        self._store = store
        self._clock = clock
        self.policy = policy

    async def begin(
        self, user: User, source: str, agent: str, action: str = "session.begin", *, rehashed: str | None = None
    ) -> tuple[str, Session]:
        """A cookie that nobody has seen before, whatever the browser had: no session can be fixed. Raises Unavailable."""
        secret, now = new_secret(), self._clock.wall()
        session = Session(
            *(new_id("s"), digest(secret), user.id, new_secret(), now, now, now + self.policy.longest_s),
            *(source, _printable(agent)),
        )
        actor = _actor(session, user, source)
        written = note(self._clock, actor, action, user.login)
        await self._store.begin_session(session, written, self.policy.most, password=rehashed)
        return secret, session

    async def known(self, cookie: str, source: str) -> tuple[Actor, Session, User] | None:
        """Whose it is, if it is good. Raises Unavailable."""
        found = await self._store.session(digest(cookie))
        now = self._clock.wall()
        if found is None:
            return None
        session, user = found
        if not user.enabled or now >= session.expires_at or now - session.used_at >= self.policy.idle_s:
            return None
        if now - session.used_at >= USED_EVERY_S:
            await self._store.use_session(session.id, now, source)
        return _actor(session, user, source), session, user

    async def of(self, user: str) -> list[Session]:
        """The account's, the latest used first; those that idled too long are left out."""
        horizon = self._clock.wall() - self.policy.idle_s
        return [one for one in await self._store.sessions_of(user) if one.used_at > horizon]

    async def end(self, actor: Actor, user: str, session: str) -> None:
        """Raises Refused 404 ``session-unknown``."""
        if not await self._store.end_session(user, session, note(self._clock, actor, "session.end", actor.login)):
            raise Refused("There is no such session.", status=404, code="session-unknown")

    async def end_all(self, actor: Actor, user: str, login: str, *, keep: str | None = None) -> int:
        """How many ended."""
        return await self._store.end_sessions(user, note(self._clock, actor, "session.end-all", login), keep=keep)


def _actor(session: Session, user: User, source: str) -> Actor:
    return Actor("session", user=user.id, login=user.login, role=user.role, session=session.id, source=source)


def _printable(text: str) -> str:
    return "".join(c for c in text if c.isprintable())[:AGENT]
