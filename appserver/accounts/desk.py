"""Accounts put together: made once, by the application and by tests."""

from __future__ import annotations

from confero.clock import Clock

from ..rights.actors import Actor
from ..sip.limits import AttemptStore
from .keys import Keys
from .links import Links, Post
from .passwords import Passwords
from .people import People
from .policy import AccountPolicy
from .sessions import Sessions
from .setup import SetupLink
from .signin import SignInDesk
from .store import AccountStore


class AccountsDesk:
    """Implements ``rights.gate.Accounts``."""

    def __init__(
        self,
        store: AccountStore,
        attempts: AttemptStore,
        passwords: Passwords,
        setup: SetupLink,
        clock: Clock,
        policy: AccountPolicy,
        post: Post | None,
    ) -> None:
        self.store = store
        self.passwords = passwords
        self.setup = setup
        self.sessions = Sessions(store, clock, policy.sessions)
        self.keys = Keys(store, clock, policy.keys)
        self.sign_in = SignInDesk(store, store, attempts, passwords, clock)
        self.links = Links(store, store, passwords, clock, post)
        self.people = People(
            store, store, attempts, passwords, clock, limit=policy.accounts, open_to_all=policy.open_to_all
        )

    async def by_session(self, cookie: str, source: str) -> tuple[Actor, str] | None:
        """Raises Unavailable."""
        found = await self.sessions.known(cookie, source)
        return (found[0], found[1].csrf) if found is not None else None

    async def by_key(self, key: str, source: str) -> Actor | None:
        """Raises Unavailable."""
        return await self.keys.known(key, source)
