"""What accounts need kept: implemented by the database. Each call is one transaction, its audit note with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

from .entities import Key, Link, Note, Session, User


class UserStore(Protocol):
    """Raises Unavailable."""

    async def add_user(
        self, user: User, note: Note, *, limit: int, first: bool = False
    ) -> Literal["added", "exists", "full", "late"]:
        """``exists``: the login is taken. ``first``: only while there is no administrator, else ``late``."""
        ...

    async def user(self, user_id: str) -> User | None: ...

    async def user_called(self, login: str) -> User | None: ...

    async def users(self, after: str | None, search: str | None, limit: int) -> list[User]:
        """By login, those after this one."""
        ...

    async def users_named(self, ids: Sequence[str]) -> list[User]: ...

    async def change_user(
        self, user_id: str, values: Mapping[str, Any], note: Note
    ) -> Literal["changed", "unknown", "last"]:
        """``last``: it would leave no enabled administrator. Whoever is disabled loses sessions."""
        ...

    async def delete_user(self, user_id: str, note: Note) -> Literal["changed", "unknown", "last"]:
        """With sessions, keys, links, memberships and rooms."""
        ...

    async def has_admin(self) -> bool: ...


class SessionStore(Protocol):
    """Raises Unavailable."""

    async def begin_session(self, session: Session, note: Note, most: int, *, password: str | None = None) -> None:
        """The account's oldest sessions beyond ``most`` end. ``password``: its hash, made again."""
        ...

    async def session(self, digest: str) -> tuple[Session, User] | None: ...

    async def sessions_of(self, user_id: str) -> list[Session]: ...

    async def use_session(self, session_id: str, now: float, source: str) -> None: ...

    async def end_session(self, user_id: str, session_id: str, note: Note) -> bool: ...

    async def end_sessions(self, user_id: str, note: Note, *, keep: str | None = None) -> int: ...

    async def set_password(self, user_id: str, hashed: str, note: Note, *, keep: str | None = None) -> None:
        """All sessions but ``keep`` end, and every link."""
        ...


class KeyStore(Protocol):
    """Raises Unavailable."""

    async def add_key(self, key: Key, note: Note, most: int) -> bool:
        """False: the account has ``most`` of them."""
        ...

    async def key(self, digest: str) -> tuple[Key, User] | None: ...

    async def keys_of(self, user_id: str) -> list[Key]: ...

    async def use_key(self, key_id: str, now: float) -> None: ...

    async def delete_key(self, user_id: str, key_id: str, note: Note) -> bool: ...


class LinkStore(Protocol):
    """Raises Unavailable."""

    async def put_link(self, link: Link, note: Note) -> None:
        """It replaces earlier ones of the account."""
        ...

    async def link(self, digest: str, now: float) -> User | None:
        """Whose it is, if it is still good."""
        ...

    async def use_link(self, digest: str, now: float, hashed: str, note: Note) -> bool:
        """Sets the password once; every session ends. False: it is used up or over."""
        ...


class AuditStore(Protocol):
    """Raises Unavailable."""

    async def add_note(self, note: Note) -> None: ...

    async def notes(
        self, before: int | None, actor: str | None, action: str | None, limit: int
    ) -> list[tuple[int, Note]]:
        """The latest first, those with a smaller number."""
        ...


class AccountStore(UserStore, SessionStore, KeyStore, LinkStore, AuditStore, Protocol):
    """All of it, in one place."""
