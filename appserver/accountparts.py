"""Accounts put together from the configuration: their desk, their mail, their routes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from confero.clock import Clock
from confero.errors import Unavailable
from confero.ratelimit import Rate, RateLimiter
from confero.runtime.http import Route
from confero.runtime.logging import get_logger
from confero.runtime.tasks import TaskBag

from .accounts.desk import AccountsDesk
from .accounts.passwords import HashCost, PasswordRules, Passwords
from .accounts.policy import AccountPolicy
from .accounts.sessions import SessionPolicy
from .accounts.setup import SetupLink
from .api.me import MeApi
from .api.session import SessionApi
from .api.users import UsersApi
from .config import AppserverConfig
from .db.accounts import SqlUserStore
from .db.engine import Database
from .db.logins import SqlLoginStore
from .mail import Mailer, SmtpServer
from .setupfile import SetupFile
from .sip.limits import AttemptStore

log = get_logger(__name__)
DAY_S = 86_400.0
HASHES_AT_ONCE = 2
ASKED = 100
"""Links to new passwords that are asked for at once."""


class SqlAccountStore(SqlUserStore, SqlLoginStore):
    """Implements ``accounts.store.AccountStore``."""


class AccountParts:
    """Made once."""

    def __init__(
        self, config: AppserverConfig, database: Database, attempts: AttemptStore, clock: Clock, setup: SetupLink
    ) -> None:
        self._config = config
        self._clock = clock
        self.store = SqlAccountStore(database)
        self.mailer = make_mailer(config)
        self._asked = TaskBag()
        cost = HashCost(config.passwords_memory_kib, config.passwords_passes)
        passwords = Passwords(
            PasswordRules(config.passwords_shortest), cost, asyncio.to_thread, asyncio.Semaphore(HASHES_AT_ONCE)
        )
        self.desk = AccountsDesk(self.store, attempts, passwords, setup, clock, account_policy(config), self.mailer)

    def routes(self) -> list[Route]:
        tries = RateLimiter(Rate(self._config.accounts_per_hour, self._config.accounts_per_hour / 3600), self._clock)
        public_url = self._config.public_url
        return [
            *SessionApi(self.desk, tries, public_url, self._later).routes(),
            *MeApi(self.desk).routes(),
            *UsersApi(self.desk, public_url).routes(),
        ]

    async def start(self) -> None:
        """Once the database is there. Raises LocalError, Unavailable."""
        self.desk.setup.start(has_admin=await self.store.has_admin())
        if self.mailer is not None:
            self.mailer.start()

    async def keep_house(self) -> int:
        """Old notes, and what is over, goes; how many rows."""
        now = self._clock.wall()
        return await self.store.forget(notes_before=now - self._config.audit_days * DAY_S, now=now)

    async def close(self) -> None:
        """Idempotent."""
        await self._asked.close()
        if self.mailer is not None:
            await self.mailer.close()

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        """Beyond ``ASKED`` at once the newest is dropped: whoever asked may ask again."""

        async def do() -> None:
            try:
                await work
            except Unavailable as error:
                log.warning("a link was not made", reason=error.detail)

        if len(self._asked) >= ASKED:
            work.close()
            log.warning("a link was not made", reason="too many ask")
            return
        self._asked.spawn(do(), name="reset link")


def make_setup(config: AppserverConfig, origin: str, say: Callable[[str], None]) -> SetupLink:
    """``origin``: where people on this machine reach the pages."""
    return SetupLink(SetupFile(config.state_dir), lambda path: say(f"{origin}{path}"))


def account_policy(config: AppserverConfig) -> AccountPolicy:
    """What the configuration says of accounts."""
    sessions = SessionPolicy(idle_s=config.session_idle_days * DAY_S, longest_s=config.session_days * DAY_S)
    return AccountPolicy(sessions, config.max_accounts, config.keys_per_account, config.sign_up == "open")


def make_mailer(config: AppserverConfig) -> Mailer | None:
    """None where no server is configured."""
    if not config.smtp_server:
        return None
    host, _, port = config.smtp_server.rpartition(":")
    password = config.smtp_password.get_secret_value() if config.smtp_password is not None else ""
    server = SmtpServer(host, int(port), config.smtp_security, config.mail_from, config.smtp_user, password)
    return Mailer(server)
