"""The command ``confero database``: what it says and does, apart from how it is typed."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.engine import URL

from confero.config import load
from confero.ports import find

from ..config import AppserverConfig
from .backup import backup
from .checkup import Finding, Place, engine_of, examine
from .engine import Database, database_url
from .migrate import downgrade, look, migrate, standing

Say = Callable[[str], None]
OK, FAILED = 0, 1


@dataclass(frozen=True)
class Wish:
    """Which installation, as ``confero up`` is told."""

    state_dir: Path | None = None
    config: Path | None = None
    database: str | None = None

    def read(self) -> AppserverConfig:
        """Raises ConfigError."""
        argv = [f"--state-dir={self.state_dir.absolute()}"] if self.state_dir is not None else []
        argv += [f"--config={self.config}"] if self.config is not None else []
        argv += [f"--database-url={self.database}"] if self.database is not None else []
        return load(AppserverConfig, service="appserver", argv=argv, env=os.environ)


class Desk:
    """Each method answers with an exit code, and raises LocalError and Unavailable."""

    def __init__(self, wish: Wish, say: Say) -> None:
        """``say``: takes lines. Raises ConfigError."""
        config = wish.read()
        text = config.database_url.get_secret_value() if config.database_url is not None else None
        self._url = database_url(text, config.state_dir)
        self._connections = config.database_connections
        self._say = say

    def status(self) -> int:
        """0 if the tables are those that this program wants."""
        return self._with(self._status)

    def upgrade(self, to: str) -> int:
        """Also finishes what was interrupted."""
        return self._with(lambda database: self._walk(database, migrate, to))

    def downgrade(self, to: str) -> int:
        """Loses what only later revisions keep."""
        return self._with(lambda database: self._walk(database, downgrade, to))

    def check(self) -> int:
        """0 if nothing failed."""
        return self._with(self._check)

    def backup(self, to: Path) -> int:
        """Into a file that is not there yet."""
        size = backup(self._url, to)
        self._say(f"{to}: {size / 1024:,.0f} KiB")
        return OK

    # --- with a connection ----------------------------------------------------------------------------------------

    def _with(self, work: Callable[[Database], Coroutine[Any, Any, int]]) -> int:
        async def run() -> int:
            database = Database(self._url)
            try:
                return await work(database)
            finally:
                await database.close()

        return asyncio.run(run())

    async def _status(self, database: Database) -> int:
        version = await look(database, version_of)
        where = await standing(database)
        self._say(f"engine   {version} at {place_of(self._url)}")
        self._say(f"tables   {where.revision}; this program wants {where.head}")
        if where.interrupted is not None:
            one = where.interrupted
            self._say(f"         {one.revision} was interrupted on its way {one.way}: it is finished first")
        if where.pending:
            self._say(f"pending  {', '.join(where.pending)}: made at the next start, or by confero database upgrade")
        return FAILED if where.pending or where.interrupted else OK

    async def _walk(
        self, database: Database, way: Callable[[Database, str], Coroutine[Any, Any, None]], to: str
    ) -> int:
        await way(database, to)
        self._say(f"tables   {(await standing(database)).revision}")
        return OK

    async def _check(self, database: Database) -> int:
        place = Place(self._connections, database.file, host_of(self._url))
        findings = await look(database, lambda connection: examine(connection, place))
        where = await standing(database)
        if where.pending or where.interrupted:
            findings.append(
                Finding("revision", "warn", f"{where.revision} of {where.head}", "see confero database status")
            )
        for one in findings:
            advice = f": {one.advice}" if one.advice else ""
            self._say(f"{one.verdict:<5} {one.check:<16} {one.what}{advice}")
        return FAILED if any(one.verdict == "fail" for one in findings) else OK


def version_of(connection: Connection) -> str:
    """Product and version."""
    if connection.dialect.name == "sqlite":
        return f"SQLite {connection.scalar(text('SELECT sqlite_version()'))}"
    product, numbers = engine_of(str(connection.scalar(text("SELECT VERSION()"))))
    return f"{product} {'.'.join(map(str, numbers))}"


def host_of(url: URL) -> str:
    """Where the server is; a Unix socket leads nowhere else."""
    return "localhost" if "unix_socket" in url.query else url.host or "localhost"


def place_of(url: URL) -> str:
    """Where it is, without who may."""
    if url.drivername.startswith("sqlite"):
        return str(url.database)
    return f"{url.host or 'localhost'}:{url.port or find('database', 'mysql').number}/{url.database}"
