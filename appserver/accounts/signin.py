"""Signing in: the same answer after the same work whoever tries, and waits for who tries too often.

Waits never shut out an account's owner: a stranger's failures count against the stranger's address, and against the account only
where so many addresses try it that none of them stands out; then the wait is short.
"""

from __future__ import annotations

import hashlib

from confero.clock import Clock
from confero.errors import RemoteError

from ..sip.limits import AttemptStore, Charge, Limit, refuse_too_many
from .entities import Note, User
from .passwords import Passwords
from .store import AuditStore, UserStore

PAIR = Limit(free=8, first_s=30, longest_s=900)
"""One source at one account."""
SOURCE = Limit(free=40, first_s=60, longest_s=3600)
"""One source at all accounts; a whole office may share one."""
ACCOUNT = Limit(free=200, first_s=1, longest_s=10)
"""All sources at one account."""


class SignInDesk:
    """Judges attempts to sign in."""

    def __init__(
        self, users: UserStore, audit: AuditStore, attempts: AttemptStore, passwords: Passwords, clock: Clock
    ) -> None:
        self._users = users
        self._audit = audit
        self._attempts = attempts
        self._passwords = passwords
        self._clock = clock

    async def judge(self, login: str, password: str, source: str) -> tuple[User, str | None]:
        """The account, and its password's hash if that was made again.

        Raises RemoteError 401 ``sign-in-refused``, the same for whatever is wrong; Refused 429 ``too-many-tries``, without having
        looked at it.
        """
        wait_s, charged = await self._attempts.charge(charges("sign-in", source, login), self._clock.wall())
        refuse_too_many(wait_s)
        user = await self._users.user_called(login)
        right = await self._passwords.matches(password, user.password if user is not None else None)
        if user is None or not right or not user.enabled:
            await self._audit.add_note(
                Note(self._clock.wall(), "-", source, "session.refused", login if user is not None else "")
            )
            raise RemoteError("Login or password are wrong.", status=401, code="sign-in-refused")
        await self._attempts.refund(charged)
        old = user.password is not None and self._passwords.is_old(user.password)
        return user, await self._passwords.again(password) if old else None


def charges(what: str, source: str, login: str) -> list[Charge]:
    """What a try is held to. Keys are digests: a counter's name says nothing of who it was."""
    pair = hashlib.sha256(f"{what} pair {source} {login}".encode("utf-8", "replace")).hexdigest()[:40]
    place = hashlib.sha256(f"{what} source {source}".encode()).hexdigest()[:40]
    account = hashlib.sha256(f"{what} account {login}".encode("utf-8", "replace")).hexdigest()[:40]
    return [Charge(f"pair {pair}", PAIR), Charge(f"source {place}", SOURCE), Charge(f"account {account}", ACCOUNT)]
