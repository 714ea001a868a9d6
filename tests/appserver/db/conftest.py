"""A migrated database, each test on SQLite and on MariaDB."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from confero.appserver.db.engine import Database, database_url
from confero.appserver.db.migrate import migrate
from confero.appserver.db.repositories import SqlStore

from ..mariadb import MariaDb

_numbers = itertools.count()


@pytest.fixture(params=["sqlite", "mariadb"])
def url_text(request: pytest.FixtureRequest, tmp_path: Path) -> str | None:
    """The URL of an empty database, as a user would configure it."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/confero.db"
    server: MariaDb = request.getfixturevalue("mariadb")
    name = f"confero_{next(_numbers)}"
    created = server.sql(f"CREATE DATABASE {name}")
    assert created.returncode == 0, created.stderr
    return server.url(name)


@pytest.fixture
async def empty(url_text: str, tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(database_url(url_text, tmp_path))
    yield database
    await database.close()


@pytest.fixture
async def database(empty: Database) -> Database:
    await migrate(empty)
    return empty


@pytest.fixture
def store(database: Database) -> SqlStore:
    return SqlStore(database)
