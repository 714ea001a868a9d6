"""Which media servers are to be drained, on SQL."""

from __future__ import annotations

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from .engine import Database
from .historytables import mcu_drains


class SqlDrains:
    """Implements ``rooms.drains.DrainStore``."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def drained(self) -> list[str]:
        return [row.mcu for row in await self._db.rows(select(mcu_drains.c.mcu).order_by(mcu_drains.c.mcu))]

    async def drain(self, mcu: str, since: float | None) -> None:
        async def work(connection: AsyncConnection) -> None:
            await connection.execute(delete(mcu_drains).where(mcu_drains.c.mcu == mcu))
            if since is not None:
                await connection.execute(insert(mcu_drains).values(mcu=mcu, since=since))

        await self._db.write(work)
