"""Accounts on SQL: users, and the audit log. Sessions, keys and links stand in ``logins``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sqlalchemy import ColumnElement, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ..accounts.entities import Note, User
from .accounttables import account_sessions, api_keys, audit_log, one_time_links, users
from .engine import Database
from .meetingtables import meeting_states
from .models import rooms
from .roomtables import room_members
from .siptables import sip_numbers
from .statements import insert_new

OF_A_USER = (account_sessions, api_keys, one_time_links, room_members)
NAMES = {"actor": 160, "source": 64, "action": 64, "target": 128, "detail": 255}
"""What of a note's words is kept, in characters."""


class SqlUserStore:
    """Implements ``accounts.store.UserStore`` and ``AuditStore``."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def add_user(
        self, user: User, note: Note, *, limit: int, first: bool = False
    ) -> Literal["added", "exists", "full", "late"]:
        async def work(connection: AsyncConnection) -> Literal["added", "exists", "full", "late"]:
            if (await connection.scalar(select(func.count()).select_from(users)) or 0) >= limit:
                return "full"
            if not (await connection.execute(insert_new(users).values(**vars(user)))).rowcount:
                return "exists"
            # Looked for after the insert, which holds a lock: of two who come at once only one is the only one.
            if first and await _admins(connection, users.c.id != user.id):
                await connection.execute(delete(users).where(users.c.id == user.id))
                return "late"
            await write_note(connection, note)
            return "added"

        return await self._db.write(work)

    async def user(self, user_id: str) -> User | None:
        return await self._one(users.c.id == user_id)

    async def user_called(self, login: str) -> User | None:
        return await self._one(users.c.login == login)

    async def _one(self, which: ColumnElement[bool]) -> User | None:
        found = await self._db.rows(select(users).where(which))
        return User(**found[0]._mapping) if found else None

    async def users(self, after: str | None, search: str | None, limit: int) -> list[User]:
        query = select(users).order_by(users.c.login).limit(limit)
        if after is not None:
            query = query.where(users.c.login > after)
        if search:
            row = users.c
            columns = (row.login, func.lower(row.display_name), func.coalesce(row.mail, ""))
            query = query.where(or_(*(column.contains(search.lower(), autoescape=True) for column in columns)))
        return [User(**row._mapping) for row in await self._db.rows(query)]

    async def users_named(self, ids: Sequence[str]) -> list[User]:
        found: list[User] = []
        for start in range(0, len(ids), 500):
            query = select(users).where(users.c.id.in_(ids[start : start + 500]))
            found += [User(**row._mapping) for row in await self._db.rows(query)]
        return found

    async def change_user(
        self, user_id: str, values: Mapping[str, Any], note: Note
    ) -> Literal["changed", "unknown", "last"]:
        async def work(connection: AsyncConnection) -> Literal["changed", "unknown", "last"]:
            was = (await connection.execute(select(users).where(users.c.id == user_id).with_for_update())).first()
            if was is None:
                return "unknown"
            if _loses_admin(was._asdict(), values) and not await _admins(connection, users.c.id != user_id):
                return "last"
            await connection.execute(update(users).where(users.c.id == user_id).values(**values))
            if values.get("enabled") is False:
                await connection.execute(delete(account_sessions).where(account_sessions.c.user == user_id))
            await write_note(connection, note)
            return "changed"

        return await self._db.write(work)

    async def delete_user(self, user_id: str, note: Note) -> Literal["changed", "unknown", "last"]:
        async def work(connection: AsyncConnection) -> Literal["changed", "unknown", "last"]:
            was = (await connection.execute(select(users).where(users.c.id == user_id).with_for_update())).first()
            if was is None:
                return "unknown"
            if _loses_admin(was._asdict(), {"enabled": False}) and not await _admins(connection, users.c.id != user_id):
                return "last"
            for table in OF_A_USER:
                await connection.execute(delete(table).where(table.c.user == user_id))
            # Its rooms and their numbers go at once; what else was theirs goes with the next housekeeping.
            own = select(rooms.c.id).where(rooms.c.owner == user_id)
            await connection.execute(delete(sip_numbers).where(sip_numbers.c.room.in_(own)))
            ending = update(meeting_states).where(meeting_states.c.room.in_(own))
            await connection.execute(ending.values(ending=True, tell_at=0.0))
            await connection.execute(delete(rooms).where(rooms.c.owner == user_id))
            await connection.execute(delete(users).where(users.c.id == user_id))
            await write_note(connection, note)
            return "changed"

        return await self._db.write(work)

    async def has_admin(self) -> bool:
        admin = select(users.c.id).where(users.c.role == "admin", users.c.enabled).limit(1)
        return bool(await self._db.rows(admin))

    # --- the audit log --------------------------------------------------------------------------------------------

    async def add_note(self, note: Note) -> None:
        async def work(connection: AsyncConnection) -> None:
            await write_note(connection, note)

        await self._db.write(work)

    async def notes(
        self, before: int | None, actor: str | None, action: str | None, limit: int
    ) -> list[tuple[int, Note]]:
        query = select(audit_log).order_by(audit_log.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(audit_log.c.id < before)
        if actor:
            query = query.where(audit_log.c.actor.contains(actor, autoescape=True))
        if action:
            query = query.where(audit_log.c.action.startswith(action, autoescape=True))
        return [_note(dict(row._mapping)) for row in await self._db.rows(query)]

    async def forget(self, *, notes_before: float, now: float) -> int:
        """Delete old notes, and sessions, keys and links that are over; how many rows."""
        ends = (account_sessions.c.expires_at, api_keys.c.expires_at, one_time_links.c.expires_at)
        statements = [delete(end.table).where(end < now) for end in ends]

        async def work(connection: AsyncConnection) -> int:
            old = [delete(audit_log).where(audit_log.c.at < notes_before), *statements]
            return sum([(await connection.execute(statement)).rowcount for statement in old])

        return await self._db.write(work)


async def write_note(connection: AsyncConnection, note: Note) -> None:
    """In the transaction of the deed."""
    words = {name: getattr(note, name)[:length] for name, length in NAMES.items()}
    await connection.execute(insert(audit_log).values(at=note.at, **words))


def _note(row: dict[str, Any]) -> tuple[int, Note]:
    number = row.pop("id")
    return number, Note(**row)


def _loses_admin(was: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    is_admin = was["role"] == "admin" and was["enabled"]
    return is_admin and (values.get("role", "admin") != "admin" or not values.get("enabled", True))


async def _admins(connection: AsyncConnection, others: ColumnElement[bool]) -> int:
    """Enabled ones, locked until the transaction ends, so that two cannot take each other for the one who stays."""
    query = select(users.c.id).where(users.c.role == "admin", users.c.enabled, others).with_for_update()
    return len((await connection.execute(query)).all())
