"""Brings the tables up to date at start, one process at a time."""

from __future__ import annotations

import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from confero.errors import LocalError, Unavailable
from confero.runtime.logging import get_logger

from .engine import Database
from .siptables import metadata
from .sqlite import Sqlite

log = get_logger(__name__)

LOCK = "confero-migrate"
LOCK_WAIT_S = 60
"""How long another process may take to migrate."""
SQLITE_TRIES = 15
"""Each waits sqlite.BUSY_MS: a minute in all."""


async def migrate(database: Database) -> None:
    """Run the migrations that are missing.

    Raises Unavailable if the database is not there, LocalError if its tables are newer than this program.
    """
    try:
        if database.file is not None:
            database.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if database.sqlite is not None:
            await _migrate_sqlite(database.sqlite)
        else:
            await _migrate_mysql(database.server.engine)
    except CommandError as error:
        raise LocalError(f"the database belongs to another version of confero: {error}") from error
    except (SQLAlchemyError, OSError) as error:
        cause = getattr(error, "orig", None) or error
        raise Unavailable(f"the database cannot be used: {cause}", code="database-down") from error


async def _migrate_sqlite(sqlite: Sqlite) -> None:
    """BEGIN IMMEDIATE is the lock, and the tables change all together or not at all."""
    for attempt in range(1, SQLITE_TRIES + 1):
        try:
            await sqlite.write(lambda connection: connection.run_sync(_upgrade))
            return
        except OperationalError as error:
            if "locked" not in str(error.orig) or attempt == SQLITE_TRIES:
                raise


async def _migrate_mysql(mysql: AsyncEngine) -> None:
    """A lock that the server frees when its connection ends; DDL commits by itself there."""
    async with mysql.connect() as connection:
        await _take_lock(connection)
        try:
            async with connection.begin():
                await connection.run_sync(_upgrade)
        finally:
            await connection.rollback()
            await connection.execute(text("SELECT RELEASE_LOCK(:name)"), {"name": LOCK})


async def _take_lock(connection: AsyncConnection) -> None:
    for _ in range(LOCK_WAIT_S):
        if await connection.scalar(text("SELECT GET_LOCK(:name, 0)"), {"name": LOCK}):
            await connection.rollback()
            return
        await asyncio.sleep(1)
    raise OSError("another process is migrating it and does not end")


def _upgrade(connection: Connection) -> None:
    config = _config()
    before = MigrationContext.configure(connection).get_current_revision()
    head = ScriptDirectory.from_config(config).get_current_head()
    if before == head:
        return
    config.attributes["connection"] = connection
    config.attributes["metadata"] = metadata
    command.upgrade(config, "head")
    log.info("database migrated", before=before, after=head)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    return config
