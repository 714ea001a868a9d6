"""What accounts are proved by, on SQL: sessions, API keys, one-time links."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ..accounts.entities import Key, Link, Note, Session, User
from .accounts import write_note
from .accounttables import account_sessions, api_keys, one_time_links, users
from .engine import Database


class SqlLoginStore:
    """Implements ``accounts.store.SessionStore``, ``KeyStore`` and ``LinkStore``."""

    def __init__(self, database: Database) -> None:
        self._db = database

    # --- sessions -------------------------------------------------------------------------------------------------

    async def begin_session(self, session: Session, note: Note, most: int, *, password: str | None = None) -> None:
        row = account_sessions.c
        held = select(row.id).where(row.user == session.user).order_by(row.used_at.desc(), row.id).offset(most - 1)
        signed_in: dict[str, Any] = {"signed_in_at": session.created_at}
        if password is not None:
            signed_in["password"] = password

        async def work(connection: AsyncConnection) -> None:
            beyond = [found for (found,) in await connection.execute(held.limit(1000))]
            await connection.execute(delete(account_sessions).where(row.id.in_(beyond)))
            await connection.execute(insert(account_sessions).values(**vars(session)))
            await connection.execute(update(users).where(users.c.id == session.user).values(**signed_in))
            await write_note(connection, note)

        await self._db.write(work)

    async def session(self, digest: str) -> tuple[Session, User] | None:
        found = await self._db.rows(_with_user(account_sessions).where(account_sessions.c.digest == digest))
        return (Session(**_own(found[0]._asdict())), User(**_users(found[0]._asdict()))) if found else None

    async def sessions_of(self, user_id: str) -> list[Session]:
        row = account_sessions.c
        query = select(account_sessions).where(row.user == user_id).order_by(row.used_at.desc(), row.id)
        return [Session(**found._mapping) for found in await self._db.rows(query)]

    async def use_session(self, session_id: str, now: float, source: str) -> None:
        which = account_sessions.c.id == session_id

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(update(account_sessions).where(which).values(used_at=now, source=source))

        await self._db.write(work)

    async def end_session(self, user_id: str, session_id: str, note: Note) -> bool:
        row = account_sessions.c
        return await self._delete(delete(account_sessions).where(row.user == user_id, row.id == session_id), note) == 1

    async def end_sessions(self, user_id: str, note: Note, *, keep: str | None = None) -> int:
        row = account_sessions.c
        return await self._delete(delete(account_sessions).where(row.user == user_id, row.id != (keep or "")), note)

    async def set_password(self, user_id: str, hashed: str, note: Note, *, keep: str | None = None) -> None:
        async def work(connection: AsyncConnection) -> None:
            await _set_password(connection, user_id, hashed, note, keep)

        await self._db.write(work)

    async def _delete(self, statement: Any, note: Note) -> int:
        async def work(connection: AsyncConnection) -> int:
            count = (await connection.execute(statement)).rowcount
            if count:
                await write_note(connection, note)
            return count

        return await self._db.write(work)

    # --- keys -----------------------------------------------------------------------------------------------------

    async def add_key(self, key: Key, note: Note, most: int) -> bool:
        mine = select(func.count()).select_from(api_keys).where(api_keys.c.user == key.user)

        async def work(connection: AsyncConnection) -> bool:
            # The account's row is the lock under which its keys are counted.
            await connection.execute(select(users.c.id).where(users.c.id == key.user).with_for_update())
            if (await connection.scalar(mine) or 0) >= most:
                return False
            row = {**vars(key), "scopes": ",".join(sorted(key.scopes))}
            await connection.execute(insert(api_keys).values(**row))
            await write_note(connection, note)
            return True

        return await self._db.write(work)

    async def key(self, digest: str) -> tuple[Key, User] | None:
        found = await self._db.rows(_with_user(api_keys).where(api_keys.c.digest == digest))
        return (_key(_own(found[0]._asdict())), User(**_users(found[0]._asdict()))) if found else None

    async def keys_of(self, user_id: str) -> list[Key]:
        row = api_keys.c
        query = select(api_keys).where(row.user == user_id).order_by(row.created_at.desc(), row.id)
        return [_key(dict(found._mapping)) for found in await self._db.rows(query)]

    async def use_key(self, key_id: str, now: float) -> None:
        async def work(connection: AsyncConnection) -> None:
            await connection.execute(update(api_keys).where(api_keys.c.id == key_id).values(used_at=now))

        await self._db.write(work)

    async def delete_key(self, user_id: str, key_id: str, note: Note) -> bool:
        row = api_keys.c
        return await self._delete(delete(api_keys).where(row.user == user_id, row.id == key_id), note) == 1

    # --- links ----------------------------------------------------------------------------------------------------

    async def put_link(self, link: Link, note: Note) -> None:
        async def work(connection: AsyncConnection) -> None:
            await connection.execute(delete(one_time_links).where(one_time_links.c.user == link.user))
            await connection.execute(insert(one_time_links).values(**vars(link)))
            await write_note(connection, note)

        await self._db.write(work)

    async def link(self, digest: str, now: float) -> User | None:
        row = one_time_links.c
        query = select(users).join(one_time_links, row.user == users.c.id)
        found = await self._db.rows(query.where(row.digest == digest, row.expires_at > now))
        return User(**found[0]._asdict()) if found else None

    async def use_link(self, digest: str, now: float, hashed: str, note: Note) -> bool:
        row = one_time_links.c
        which = (row.digest == digest, row.expires_at > now)

        async def work(connection: AsyncConnection) -> bool:
            user = await connection.scalar(select(row.user).where(*which))
            if user is None or not (await connection.execute(delete(one_time_links).where(*which))).rowcount:
                return False
            await _set_password(connection, user, hashed, note, None)
            return True

        return await self._db.write(work)


async def _set_password(connection: AsyncConnection, user: str, hashed: str, note: Note, keep: str | None) -> None:
    row = account_sessions.c
    await connection.execute(update(users).where(users.c.id == user).values(password=hashed))
    await connection.execute(delete(account_sessions).where(row.user == user, row.id != (keep or "")))
    await connection.execute(delete(one_time_links).where(one_time_links.c.user == user))
    await write_note(connection, note)


def _with_user(table: Any) -> Select[Any]:
    """Rows of the table with their accounts, whose columns begin with ``user_``."""
    return select(table, *(column.label(f"user_{column.name}") for column in users.c)).join(
        users, users.c.id == table.c.user
    )


def _own(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if not name.startswith("user_")}


def _users(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name.removeprefix("user_"): value for name, value in row.items() if name.startswith("user_")}


def _key(row: dict[str, Any]) -> Key:
    return Key(**{**row, "scopes": frozenset(filter(None, row["scopes"].split(",")))})
