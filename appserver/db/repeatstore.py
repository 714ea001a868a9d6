"""Requests under idempotency keys, on SQL."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Row, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ..repeats import KEPT_S, MOST, STALE_S, Ask, Earlier, Told
from .engine import Database
from .repeattables import repeats
from .statements import insert_new

_ROW = repeats.c
SWEPT = 1000
"""Rows of one deletion."""


class SqlRepeats:
    """Implements ``repeats.RepeatStore``."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def claim(self, ask: Ask) -> Earlier | None:
        mine = select(repeats).where(_ROW.id == ask.id)
        row = {"id": ask.id, "actor": ask.actor, "fingerprint": ask.fingerprint, "begun_at": ask.at}

        async def work(connection: AsyncConnection) -> Earlier | None:
            found = (await connection.execute(mine)).one_or_none()
            if found is not None and not _is_over(found, ask.at):
                return _earlier(found)
            if found is not None:
                await connection.execute(delete(repeats).where(_ROW.id == ask.id, _ROW.begun_at == found.begun_at))
            insert = insert_new(repeats).values(**row, content_type="", sealed="")
            if not (await connection.execute(insert)).rowcount:
                # Of another connection since this transaction began; the lock reads what is there now.
                return _earlier((await connection.execute(mine.with_for_update())).one())
            await _forget_oldest(connection, ask.actor)
            return None

        return await self._db.write(work)

    async def keep(self, ask: Ask, told: Told) -> None:
        values = {"status": told.status, "content_type": told.content_type, "sealed": told.sealed}

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(update(repeats).where(*_still(ask)).values(**values))

        await self._db.write(work)

    async def release(self, ask: Ask) -> None:
        async def work(connection: AsyncConnection) -> None:
            await connection.execute(delete(repeats).where(*_still(ask)))

        await self._db.write(work)

    async def forget(self, now: float) -> int:
        """Those that nobody can ask for again; how many there were, up to a bound."""
        old = select(_ROW.id).where(_ROW.begun_at <= now - KEPT_S).limit(SWEPT)

        async def work(connection: AsyncConnection) -> int:
            ids = [found for (found,) in await connection.execute(old)]
            return (await connection.execute(delete(repeats).where(_ROW.id.in_(ids)))).rowcount

        return await self._db.write(work)


async def _forget_oldest(connection: AsyncConnection, actor: str) -> None:
    mine = select(_ROW.id).where(_ROW.actor == actor).order_by(_ROW.begun_at.desc()).offset(MOST).limit(SWEPT)
    if beyond := [found for (found,) in await connection.execute(mine)]:
        await connection.execute(delete(repeats).where(_ROW.id.in_(beyond)))


def _still(ask: Ask) -> tuple[ColumnElement[bool], ...]:
    """The row is this request's: nobody has taken it over meanwhile."""
    return _ROW.id == ask.id, _ROW.begun_at == ask.at, _ROW.status.is_(None)


def _is_over(row: Row[Any], now: float) -> bool:
    return float(row.begun_at) <= now - (KEPT_S if row.status is not None else STALE_S)


def _earlier(row: Row[Any]) -> Earlier:
    told = Told(row.status, row.content_type, row.sealed) if row.status is not None else None
    return Earlier(row.fingerprint, told)
