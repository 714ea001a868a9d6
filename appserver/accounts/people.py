"""People: accounts are made, changed and ended, by themselves or by administrators; the first one by the printed link."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from confero.clock import Clock
from confero.errors import Refused
from confero.ids import new_id
from confero.models.accounts import AccountRole, MePatch, SetupRequest, SignUp, UserCreate, UserPatch

from ..rights.actors import Actor
from ..rooms.members import Known
from ..sip.limits import AttemptStore, refuse_too_many
from .entities import User
from .links import about_of
from .notes import note
from .passwords import Passwords
from .signin import charges
from .store import SessionStore, UserStore

Outcome = Literal["changed", "unknown", "last"]


class People:
    """``limit``: accounts in all. ``open``: whether anybody may make one."""

    def __init__(
        self,
        users: UserStore,
        sessions: SessionStore,
        attempts: AttemptStore,
        passwords: Passwords,
        clock: Clock,
        *,
        limit: int,
        open_to_all: bool,
    ) -> None:
        self._users = users
        self._sessions = sessions
        self._attempts = attempts
        self._passwords = passwords
        self._clock = clock
        self._limit = limit
        self.open_to_all = open_to_all

    # --- making ---------------------------------------------------------------------------------------------------

    async def set_up(self, wish: SetupRequest, secret: str | None, source: str) -> User:
        """The first administrator. ``secret``: of the printed link; None: there is none any more.

        Raises Refused 403 ``link-used``, 409 ``login-taken``, and as ``Passwords.new``.
        """
        given = wish.secret.get_secret_value().encode("utf-8", "replace")
        if secret is None or not hmac.compare_digest(given, secret.encode()):
            raise Refused("The set-up link is not the one that was printed, or has been used.", code="link-used")
        user = await self._new(wish.login, wish.display_name, wish.mail, "admin", wish.password.get_secret_value())
        await self._add(user, Actor(source=source), "setup", first=True)
        return user

    async def sign_up(self, wish: SignUp, source: str) -> User:
        """Raises Refused 403 ``sign-up-closed``, 409 ``login-taken``, 503 ``too-many-accounts``, and as ``Passwords.new``."""
        if not self.open_to_all:
            raise Refused("Accounts are made by administrators here.", code="sign-up-closed")
        user = await self._new(wish.login, wish.display_name, wish.mail, "user", wish.password.get_secret_value())
        await self._add(user, Actor(source=source), "accounts.create")
        return user

    async def create(self, actor: Actor, wish: UserCreate) -> User:
        """By an administrator. Raises as ``sign_up``, but for ``sign-up-closed``."""
        password = wish.password.get_secret_value() if wish.password is not None else None
        user = await self._new(wish.login, wish.display_name, wish.mail, wish.role, password)
        await self._add(user, actor, "users.change")
        return user

    async def _new(self, login: str, name: str, mail: str | None, role: AccountRole, password: str | None) -> User:
        user = User(new_id("u"), login, name, self._clock.wall(), role, mail)
        if password is None:
            return user
        hashed = await self._passwords.new(password, about_of(user))
        return User(**{**vars(user), "password": hashed})

    async def _add(self, user: User, actor: Actor, action: str, *, first: bool = False) -> None:
        written = note(self._clock, actor, action, user.login, f"made as {user.role}")
        outcome = await self._users.add_user(user, written, limit=self._limit, first=first)
        if outcome == "late":
            raise Refused("There is an administrator already.", code="link-used")
        if outcome == "exists":
            raise Refused("This name is taken.", status=409, code="login-taken")
        if outcome == "full":
            raise Refused("There are too many accounts.", status=503, code="too-many-accounts")

    # --- one's own ------------------------------------------------------------------------------------------------

    async def me(self, actor: Actor) -> User:
        """Raises Refused 404 ``user-unknown`` if the account is gone meanwhile."""
        return await self.user(actor.user or "")

    async def change_me(self, actor: Actor, wish: MePatch) -> User:
        """Raises Refused 403 ``password-wrong`` where the address is to change, 429 ``too-many-tries``."""
        values = _values(wish, ("display_name", "mail"))
        if "mail" in values:
            await self.prove(actor, wish.password.get_secret_value() if wish.password is not None else "")
        return await self._change(actor, actor.user or "", values, "me.change")

    async def change_password(self, actor: Actor, current: str, new: str) -> None:
        """Every other session ends. Raises Refused 403 ``password-wrong``, 429 ``too-many-tries``, and as ``Passwords.new``."""
        user = await self.prove(actor, current)
        hashed = await self._passwords.new(new, about_of(user))
        written = note(self._clock, actor, "me.change", user.login, "password")
        await self._sessions.set_password(user.id, hashed, written, keep=actor.session)

    async def prove(self, actor: Actor, password: str) -> User:
        """Whoever is signed in shows the password once more: a browser left open is not enough for everything."""
        user = await self.me(actor)
        wait_s, charged = await self._attempts.charge(
            charges("password", actor.source, user.login)[:1], self._clock.wall()
        )
        refuse_too_many(wait_s)
        if not await self._passwords.matches(password, user.password):
            raise Refused("The password is wrong.", code="password-wrong")
        await self._attempts.refund(charged)
        return user

    async def end_me(self, actor: Actor, password: str) -> None:
        """Raises as ``prove``, and Refused 409 ``last-admin``."""
        user = await self.prove(actor, password)
        _check(await self._users.delete_user(user.id, note(self._clock, actor, "me.change", user.login, "ended")))

    # --- by administrators ----------------------------------------------------------------------------------------

    async def user(self, user_id: str) -> User:
        """Raises Refused 404 ``user-unknown``."""
        found = await self._users.user(user_id)
        if found is None:
            _check("unknown")
        assert found is not None
        return found

    async def page(self, after: str | None, search: str | None, limit: int) -> list[User]:
        return await self._users.users(after, search, limit)

    async def change(self, actor: Actor, user_id: str, wish: UserPatch) -> User:
        """Raises Refused 404 ``user-unknown``, 409 ``last-admin``."""
        values = _values(wish, ("display_name", "mail", "role", "enabled"))
        return await self._change(actor, user_id, values, "users.change")

    async def delete(self, actor: Actor, user_id: str) -> None:
        """Raises as ``change``."""
        user = await self.user(user_id)
        _check(await self._users.delete_user(user_id, note(self._clock, actor, "users.change", user.login, "deleted")))

    async def _change(self, actor: Actor, user_id: str, values: Mapping[str, Any], action: str) -> User:
        user = await self.user(user_id)
        if values:
            # What the log says outlives the account: values that name somebody are not for it.
            detail = ", ".join(
                f"{name}={value}" if name in ("role", "enabled") else name for name, value in values.items()
            )
            _check(await self._users.change_user(user_id, values, note(self._clock, actor, action, user.login, detail)))
        return await self.user(user_id)

    # --- for rooms ------------------------------------------------------------------------------------------------

    async def named(self, text: str) -> Known | None:
        """By id or login."""
        user = await self._users.user(text) or await self._users.user_called(text.lower())
        return _known(user) if user is not None else None

    async def names(self, users: Sequence[str]) -> dict[str, Known]:
        """By id; those that are gone are left out."""
        return {user.id: _known(user) for user in await self._users.users_named(users)}


def _known(user: User) -> Known:
    return Known(user.id, user.login, user.display_name)


def _values(wish: Any, names: Sequence[str]) -> dict[str, Any]:
    """What is to change; an empty address is none."""
    given = {name: getattr(wish, name) for name in names if getattr(wish, name) is not None}
    return {name: None if name == "mail" and value == "" else value for name, value in given.items()}


def _check(outcome: Outcome) -> None:
    """Raises Refused for what could not be done."""
    if outcome == "unknown":
        raise Refused("There is no such account.", status=404, code="user-unknown")
    if outcome == "last":
        raise Refused("The last administrator stays one.", status=409, code="last-admin")
