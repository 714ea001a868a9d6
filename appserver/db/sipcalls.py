"""SIP's calls on SQL: records, counts of calls out, failed tries; each method is one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Table, bindparam, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ..sip.entities import Call
from ..sip.limits import FORGET_S, Charge, Charged, State, charge
from .engine import Database
from .siptables import sip_attempts, sip_calls, sip_usage
from .statements import insert_new

DAY_S = 86_400.0
KEPT_HOURS = 2
_REVISED = (
    update(sip_calls)
    .where(sip_calls.c.id == bindparam("told_id"), sip_calls.c.revision < bindparam("told_revision"))
    .values({column: bindparam(f"told_{column.name}") for column in sip_calls.c})
)


class SqlCallStore:
    """Implements ``sip.store.CallStore`` and ``sip.limits.AttemptStore``."""

    def __init__(self, database: Database) -> None:
        self._db = database

    # --- records --------------------------------------------------------------------------------------------------

    async def record(self, calls: Sequence[Call]) -> None:
        rows = [vars(call) for call in calls]
        later = [{f"told_{name}": value for name, value in row.items()} for row in rows]

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(insert_new(sip_calls), rows)
            await connection.execute(_REVISED, later)

        await self._db.write(work)

    async def call(self, call_id: str) -> Call | None:
        found = await self._db.rows(select(sip_calls).where(sip_calls.c.id == call_id))
        return Call(**found[0]._mapping) if found else None

    async def calls(self, before: tuple[float, str] | None, limit: int) -> list[Call]:
        row = sip_calls.c
        query = select(sip_calls).order_by(row.started_at.desc(), row.id.desc()).limit(limit)
        if before is not None:
            at, call_id = before
            query = query.where(or_(row.started_at < at, (row.started_at == at) & (row.id < call_id)))
        return [Call(**found._mapping) for found in await self._db.rows(query)]

    # --- calls out ------------------------------------------------------------------------------------------------

    async def count_call(self, who: str, hour: int, limit: int) -> bool:
        row = sip_usage.c
        mine = (row.who == who, row.hour == hour)

        counted = update(sip_usage).where(*mine, row.calls < limit).values(calls=row.calls + 1)

        async def work(connection: AsyncConnection) -> bool:
            if (await connection.execute(counted)).rowcount:
                return True
            if limit == 0 or await connection.scalar(select(row.calls).where(*mine)) is not None:
                return False
            if await _insert(connection, sip_usage, who=who, hour=hour, calls=1):
                return True
            return (await connection.execute(counted)).rowcount == 1  # somebody else's first call was faster

        return await self._db.write(work)

    # --- failed tries ---------------------------------------------------------------------------------------------

    async def charge(self, charges: list[Charge], now: float) -> tuple[float, list[Charged]]:
        async def work(connection: AsyncConnection) -> tuple[float, list[Charged]]:
            held = {}
            for one in sorted(charges, key=lambda one: one.key):  # in one order, so that two do not wait for each other
                held[one.key] = await _hold(connection, one.key, now)
            outcomes = [(one.key, *charge(held[one.key], one.limit, now)) for one in charges]
            wait_s = max(wait for _, wait, _ in outcomes)
            if wait_s:
                return wait_s, []
            for key, _, state in outcomes:
                await _write(connection, key, state)
            return 0.0, [Charged(key, state.failures - 1, held[key].until) for key, _, state in outcomes]

        return await self._db.write(work)

    async def refund(self, charged: list[Charged]) -> None:
        row = sip_attempts.c

        async def work(connection: AsyncConnection) -> None:
            for one in sorted(charged, key=lambda one: one.key):
                alone = (row.key == one.key, row.failures == one.failures + 1)
                as_before = update(sip_attempts).where(*alone).values(failures=one.failures, until=one.until)
                if not (await connection.execute(as_before)).rowcount:
                    less = update(sip_attempts).where(row.key == one.key, row.failures > 0)
                    await connection.execute(less.values(failures=row.failures - 1))

        await self._db.write(work)

    async def failures(self, key: str) -> int:
        return await self._db.value(select(sip_attempts.c.failures).where(sip_attempts.c.key == key)) or 0

    # --- housekeeping ---------------------------------------------------------------------------------------------

    async def forget(self, *, calls_before: float, now: float) -> int:
        """Delete old records, counts of past hours, and tries that count no more; how many rows."""
        row = sip_attempts.c
        statements = (
            delete(sip_calls).where(sip_calls.c.started_at < calls_before),
            delete(sip_usage).where(sip_usage.c.hour < int(now // 3600) - KEPT_HOURS),
            delete(sip_attempts).where(
                or_((row.changed_at < now - FORGET_S) & (row.until < now), row.changed_at < now - DAY_S)
            ),
        )

        async def work(connection: AsyncConnection) -> int:
            return sum([(await connection.execute(statement)).rowcount for statement in statements])

        return await self._db.write(work)


async def _hold(connection: AsyncConnection, key: str, now: float) -> State:
    """The counter, made if it is not there, and locked until the transaction ends (SQLite: the whole database is)."""
    query = select(sip_attempts).where(sip_attempts.c.key == key).with_for_update()
    row = (await connection.execute(query)).first()
    if row is None:
        await _insert(connection, sip_attempts, key=key, failures=0, until=0.0, changed_at=now)
        row = (await connection.execute(query)).one()
    return State(row.failures, row.until, row.changed_at)


async def _insert(connection: AsyncConnection, table: Table, **values: Any) -> bool:
    """False if a row with the same key is there."""
    return (await connection.execute(insert_new(table).values(**values))).rowcount == 1


async def _write(connection: AsyncConnection, key: str, state: State) -> None:
    values = {"failures": state.failures, "until": state.until, "changed_at": state.changed_at}
    await connection.execute(update(sip_attempts).where(sip_attempts.c.key == key).values(**values))
