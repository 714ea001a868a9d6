"""SIP's administration on SQL: accounts, trunks, rules and numbers; every change counts the version up in its own transaction."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import asdict
from typing import Any, TypeVar

from sqlalchemy import Table, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from ..sip.entities import Account, Number, Present, Rule, Trunk
from ..sip.store import Added, Entity, Key
from .engine import Database
from .models import participants
from .siptables import dial_rules, sip_accounts, sip_numbers, sip_state, sip_trunks

Value = TypeVar("Value")
TABLES: dict[Any, tuple[Table, str]] = {
    Account: (sip_accounts, "id"),
    Trunk: (sip_trunks, "name"),
    Rule: (dial_rules, "id"),
    Number: (sip_numbers, "number"),
}
"""Where each kind is kept, and by which key."""
ALL = 10_000
"""Rows of a list that is asked for as a whole; the API lets no table of them grow larger."""


class SqlSipStore:
    """Implements ``sip.store.SipStore``."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self.changes = 0

    # --- what the administrator keeps -----------------------------------------------------------------------------

    async def add(self, entity: Entity, limit: int) -> Key | Added:
        table, key = TABLES[type(entity)]
        values = asdict(entity)
        if values[key] is None:
            del values[key]

        async def work(connection: AsyncConnection) -> Key | Added:
            if (await connection.scalar(select(func.count()).select_from(table)) or 0) >= limit:
                return "full"
            try:
                async with connection.begin_nested():
                    result = await connection.execute(insert(table).values(**values))
            except IntegrityError:
                return "exists"
            await _count_up(connection)
            row: Any = result.inserted_primary_key
            made: Key = values.get(key) or row[0]
            return made

        return await self._changing(work)

    async def get(self, kind: type[Entity], key: Key) -> Entity | None:
        table, name = TABLES[kind]
        return await self._first(kind, select(table).where(table.c[name] == key))

    async def page(self, kind: type[Entity], after: Key | None, limit: int) -> list[Entity]:
        table, name = TABLES[kind]
        query = select(table).order_by(table.c[name]).limit(limit)
        return await self._all(kind, query if after is None else query.where(table.c[name] > after))

    async def change(self, kind: type[Entity], key: Key, values: dict[str, Any]) -> bool:
        table, name = TABLES[kind]
        there = select(func.count()).select_from(table).where(table.c[name] == key)

        async def work(connection: AsyncConnection) -> bool:
            # MySQL counts rows that differ, not rows that match: ask for the row itself.
            if not await connection.scalar(there):
                return False
            if values:
                await connection.execute(update(table).where(table.c[name] == key).values(**values))
                await _count_up(connection)
            return True

        return await self._changing(work)

    async def delete(self, kind: type[Entity], key: Key) -> bool:
        table, name = TABLES[kind]

        async def work(connection: AsyncConnection) -> bool:
            if not (await connection.execute(delete(table).where(table.c[name] == key))).rowcount:
                return False
            await _count_up(connection)
            return True

        return await self._changing(work)

    async def _changing(self, work: Callable[[AsyncConnection], Coroutine[Any, Any, Value]]) -> Value:
        """Count the change once it can be read."""
        try:
            return await self._db.write(work)
        finally:
            self.changes += 1

    async def version(self) -> int:
        return await self._db.value(select(sip_state.c.value).where(sip_state.c.name == "version")) or 0

    # --- what calls ask -------------------------------------------------------------------------------------------

    async def account_of(self, user: str, realm: str) -> Account | None:
        row = sip_accounts.c
        return await self._first(Account, select(sip_accounts).where(row.user == user, row.realm == realm))

    async def accounts_named(self, user: str) -> list[Account]:
        query = select(sip_accounts).where(sip_accounts.c.user == user).order_by(sip_accounts.c.id).limit(ALL)
        return await self._all(Account, query)

    async def enabled(self, kind: type[Entity]) -> list[Entity]:
        table, name = TABLES[kind]
        query = select(table).order_by(table.c[name]).limit(ALL)
        return await self._all(kind, query.where(table.c.enabled) if "enabled" in table.c else query)

    async def present(self, display_name: str, limit: int) -> list[Present]:
        row = participants.c
        # SQLite lowers ASCII letters only; the name as it stands is found in any case.
        same = or_(row.display_name == display_name, func.lower(row.display_name) == display_name.lower())
        query = (
            select(row.id, row.room, row.display_name)
            .where(same, row.session.is_not(None), row.kind == "webrtc")
            .order_by(row.created_at, row.id)
            .limit(limit)
        )
        return [Present(one.id, one.room, one.display_name) for one in await self._db.rows(query)]

    async def _first(self, kind: type[Entity], query: Any) -> Entity | None:
        found = await self._all(kind, query)
        return found[0] if found else None

    async def _all(self, kind: type[Entity], query: Any) -> list[Entity]:
        return [kind(**row._mapping) for row in await self._db.rows(query)]


async def _count_up(connection: AsyncConnection) -> None:
    row = sip_state.c
    counted = await connection.execute(update(sip_state).where(row.name == "version").values(value=row.value + 1))
    if not counted.rowcount:
        await connection.execute(insert(sip_state).values(name="version", value=1))
