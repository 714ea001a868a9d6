"""Brings the tables up to date at start, one process at a time; and back, or only says where they stand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError
from alembic.util import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from confero.errors import LocalError, Unavailable
from confero.runtime.logging import get_logger

from .engine import Database
from .faults import TURNED_AWAY, code_of, words_of
from .journal import Begun, Journal, Way, begun
from .server import Server
from .sqlite import Sqlite
from .tables import metadata

log = get_logger(__name__)
Value = TypeVar("Value")

LOCK = "confero-migrate"
LOCK_WAIT_S = 60
"""How long another process may take to migrate."""
SQLITE_TRIES = 15
"""Each waits sqlite.BUSY_MS: a minute in all."""
BASE = "base"
"""No tables at all."""


@dataclass(frozen=True)
class Standing:
    """Where a database's tables stand."""

    revision: str
    """``BASE`` for an empty one."""
    head: str
    """What this program wants."""
    pending: tuple[str, ...]
    """Revisions on the way there."""
    interrupted: Begun | None
    """A step that died."""


async def migrate(database: Database, to: str = "head") -> None:
    """Run the migrations that are missing.

    Raises Unavailable if the database is not there (``database-refused``: it does not let us in), LocalError if its tables are
    newer than this program.
    """
    await _run(database, lambda connection: _walk(connection, "up", to))


async def downgrade(database: Database, to: str) -> None:
    """To an earlier revision, or ``BASE``, losing what only later ones keep. Raises as ``migrate``."""
    await _run(database, lambda connection: _walk(connection, "down", to))


async def standing(database: Database) -> Standing:
    """Changes nothing, and waits for nobody who does. Raises as ``migrate``."""
    return await look(database, _standing)


async def look(database: Database, work: Callable[[Connection], Value]) -> Value:
    """Runs ``work`` on a connection without limits of time. Raises Unavailable, LocalError if there is no such file."""
    if database.file is not None and not database.file.exists():
        raise LocalError(f"there is no database in {database.file} yet: it is made when the application server starts")
    with _told():
        if database.sqlite is not None:
            return await database.sqlite.read(lambda connection: connection.run_sync(work))
        async with database.server.alone() as connection:
            return await connection.run_sync(work)


async def _run(database: Database, work: Callable[[Connection], Value]) -> Value:
    with _told():
        if database.sqlite is None:
            return await _on_server(database.server, work)
        if database.file is not None:
            database.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return await _in_file(database.sqlite, work)


@contextmanager
def _told() -> Iterator[None]:
    """Errors as ours."""
    try:
        yield
    except (CommandError, RevisionError) as error:
        raise LocalError(f"the database belongs to another version of confero: {error}") from error
    except (SQLAlchemyError, OSError) as error:
        cause = getattr(error, "orig", None) or error
        code = "database-refused" if code_of(cause) in TURNED_AWAY else "database-down"
        raise Unavailable(f"the database cannot be used: {words_of(cause)}", code=code) from error


async def _in_file(sqlite: Sqlite, work: Callable[[Connection], Value]) -> Value:
    """BEGIN IMMEDIATE is the lock, and the tables change all together or not at all."""
    for _ in range(1, SQLITE_TRIES):
        try:
            return await sqlite.write(lambda connection: connection.run_sync(work))
        except OperationalError as error:
            if "locked" not in str(error.orig):
                raise
    return await sqlite.write(lambda connection: connection.run_sync(work))


async def _on_server(server: Server, work: Callable[[Connection], Value]) -> Value:
    async with server.alone() as connection, _locked(connection):
        return await connection.run_sync(work)


@asynccontextmanager
async def _locked(connection: AsyncConnection) -> AsyncIterator[None]:
    """A lock that the server frees when its connection ends; transactions do not touch it."""
    await _take_lock(connection)
    try:
        yield
        await connection.commit()
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


# --- in one connection ------------------------------------------------------------------------------------------------


def _standing(connection: Connection) -> Standing:
    script = ScriptDirectory.from_config(_config(connection))
    revision = MigrationContext.configure(connection).get_current_revision()
    head = script.get_current_head()
    assert head is not None, "there are migrations"
    pending = _steps(script, "up", revision, "head")
    return Standing(revision or BASE, head, pending, None if _is_sqlite(connection) else begun(connection))


def _walk(connection: Connection, way: Way, to: str) -> None:
    """Step by step. What was begun is finished first, in its own direction."""
    where = _standing(connection)
    if where.interrupted is not None:
        log.warning("a migration that was interrupted goes on", revision=where.interrupted.revision)
        _steps_of(connection, where.interrupted.way, (where.interrupted.revision,))
        where = _standing(connection)
    script = ScriptDirectory.from_config(_config(connection))
    steps = _steps(script, way, None if where.revision == BASE else where.revision, to)
    if steps:
        _steps_of(connection, way, steps)
        log.info("database migrated", before=where.revision, after=_standing(connection).revision)


def _steps(script: ScriptDirectory, way: Way, revision: str | None, to: str) -> tuple[str, ...]:
    """Revisions that are made, or undone, in their order."""
    if revision is not None:
        script.get_revision(revision)  # raises CommandError for one that we do not know
    upper, lower = (to, revision or BASE) if way == "up" else (revision or BASE, to)
    found = [one.revision for one in script.iterate_revisions(upper, lower)] if upper != BASE else []
    return tuple(reversed(found)) if way == "up" else tuple(found)


def _steps_of(connection: Connection, way: Way, steps: tuple[str, ...]) -> None:
    journal = None if _is_sqlite(connection) else Journal(connection)
    config = _config(connection)
    config.attributes["journal"] = journal
    finished = False
    try:
        for revision in steps:
            if journal is not None:
                journal.step(revision, way)
            (command.upgrade if way == "up" else command.downgrade)(config, revision if way == "up" else "-1")
        finished = True
    finally:
        if journal is not None:
            journal.close(finished=finished)


def _is_sqlite(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    config.attributes.update(connection=connection, metadata=metadata, journal=None)
    return config
