"""All the way up and down with rows in every table, on SQLite and MariaDB; and a migration that dies at every statement.

``CONFERO_TEST_LONG=1``: at every statement of the way back too.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Boolean, Column, Connection, Double, column, func, insert, inspect, select, table
from sqlalchemy.types import JSON, Integer

from confero.appserver.db.engine import Database, database_url
from confero.appserver.db.journal import TABLE, Begun, Journal
from confero.appserver.db.migrate import BASE, downgrade, migrate, standing
from confero.appserver.db.tables import metadata
from confero.errors import LocalError

from ..mariadb import MariaDb

LONG = bool(int(os.environ.get("CONFERO_TEST_LONG", "0") or 0))
HALF_WAY = "0006"
Rows = list[dict[str, Any]]


async def ask(database: Database, work: Any) -> Any:
    """What ``work`` finds on a plain connection."""
    return await database.write(lambda connection: connection.run_sync(work))


def value_for(wanted: Column[Any], number: int) -> Any:
    """As the driver takes it, as long as fits, with characters of four bytes."""
    kind = wanted.type
    if isinstance(kind, Boolean):
        return number % 2
    if isinstance(kind, JSON):
        return json.dumps({"ä": ["😀", number]})
    if isinstance(kind, Double):
        return 1_700_000_000.125 + number
    if isinstance(kind, Integer):
        return 10 + number
    return f"😀{number}{'x' * 3000}"[: getattr(kind, "length", None) or 3000]


def content(connection: Connection) -> dict[str, Rows]:
    """What is in each table, as the driver gives it."""
    found = {}
    for name in inspect(connection).get_table_names():
        columns = [column(one["name"]) for one in inspect(connection).get_columns(name)]
        rows = [dict(row._mapping) for row in connection.execute(select(table(name, *columns)))]
        found[name] = sorted(rows, key=str)
    return found


def fill(connection: Connection) -> dict[str, Rows]:
    """Two rows into each table in which there is nothing but what migrations wrote; then what there is."""
    models = metadata.tables
    for name in inspect(connection).get_table_names():
        if name not in models:
            continue
        there = [models[name].c[one["name"]] for one in inspect(connection).get_columns(name)]
        given = [one for one in there if one.autoincrement is not True]
        where = table(name, *(column(one.name) for one in given))
        if (connection.scalar(select(func.count()).select_from(where)) or 0) < 2 or name == "dial_rules":
            for number in (1, 2):
                connection.execute(insert(where).values({one.name: value_for(one, number) for one in given}))
    return content(connection)


def assert_survived(before: dict[str, Rows], after: dict[str, Rows]) -> None:
    """Every row, in the columns that both have."""
    for name in before.keys() & after.keys() - {"alembic_version"}:
        shared = before[name][0].keys() & after[name][0].keys()

        def seen(rows: Rows, shared: Any = shared) -> list[str]:
            return sorted(str([(one, row[one]) for one in sorted(shared)]) for row in rows)

        assert seen(before[name]) == seen(after[name]), name


async def test_up_and_down_and_up_with_rows(empty: Database) -> None:
    await downgrade(empty, BASE)  # nothing, which is where it is
    steps = (await standing(empty)).pending
    assert len(steps) >= 9
    before: dict[str, Rows] = {}
    for revision in steps:
        await migrate(empty, revision)
        assert_survived(before, await ask(empty, content))
        before = await ask(empty, fill)
        assert all(len(rows) >= 2 for name, rows in before.items() if name != "alembic_version")
    for revision in (*reversed(steps[:-1]), BASE):
        await downgrade(empty, revision)
        after = await ask(empty, content)
        assert (await standing(empty)).revision == revision
        assert_survived(before, after)
        before = after
    assert set(before) == {"alembic_version"} and before["alembic_version"] == []
    await migrate(empty)
    assert await ask(empty, differences) == []


def differences(connection: Connection) -> list[Any]:
    return list(compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata))


class Died(Exception):
    """As a process that is killed between a statement and its note."""


@pytest.fixture
def deaths(monkeypatch: pytest.MonkeyPatch) -> set[tuple[str, int]]:
    """Each statement is the last of its process once: step and number."""
    died: set[tuple[str, int]] = set()
    note, step = Journal._note, Journal.step
    going: list[str] = []

    def dying_step(self: Journal, revision: str, way: Any) -> None:
        going[:] = [f"{way} {revision}"]
        step(self, revision, way)

    def dying_note(self: Journal, cursor: Any) -> None:
        here = (going[0], self._count)
        if here not in died:
            died.add(here)
            raise Died
        note(self, cursor)

    monkeypatch.setattr(Journal, "step", dying_step)
    monkeypatch.setattr(Journal, "_note", dying_note)
    return died


async def until_done(walk: Any, deaths: set[tuple[str, int]]) -> int:
    """How often it has died, each time one statement further."""
    first = len(deaths)
    for _ in range(500):
        count = len(deaths)
        try:
            await walk()
        except Died:
            assert len(deaths) == count + 1
        else:
            return count - first
    raise AssertionError("it does not come to its end")


async def test_dying_at_every_statement(
    mariadb: MariaDb, tmp_path: Path, deaths: set[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """There and back, and there again without accidents: the same tables, and what migrations write is there once."""
    mariadb.sql("CREATE DATABASE confero_dying")
    database = Database(database_url(mariadb.url("confero_dying"), tmp_path))
    try:
        assert await until_done(lambda: migrate(database), deaths) > 60
        assert await ask(database, differences) == []
        once = await ask(database, content)
        assert TABLE not in once and len(once["sip_state"]) == 1
        back = await until_done(lambda: downgrade(database, BASE if LONG else HALF_WAY), deaths)
        assert back > (30 if LONG else 10)
        monkeypatch.undo()
        await downgrade(database, BASE)
        assert set(await ask(database, content)) == {"alembic_version"}
        await migrate(database)
        assert rules(await ask(database, content)) == rules(once)
    finally:
        await database.close()


def rules(found: dict[str, Rows]) -> Rows:
    """Without their ids: those of a try that was undone are not used again."""
    return [{name: value for name, value in row.items() if name != "id"} for row in found["dial_rules"]]


async def test_what_was_begun_is_finished_first(mariadb: MariaDb, tmp_path: Path, deaths: set[tuple[str, int]]) -> None:
    """Also if one wants to go the other way by then."""
    mariadb.sql("CREATE DATABASE confero_begun")
    database = Database(database_url(mariadb.url("confero_begun"), tmp_path))
    try:
        await until_done(lambda: migrate(database, "0002"), deaths)
        with pytest.raises(Died):
            await migrate(database, "0003")
        assert (await standing(database)).interrupted == Begun("0003", "up", 0)
        await until_done(lambda: downgrade(database, "0001"), deaths)
        where = await standing(database)
        assert (where.revision, where.interrupted) == ("0001", None)
        with pytest.raises(Died):
            await downgrade(database, BASE)
        await until_done(lambda: migrate(database, "0002"), deaths)
        assert (await standing(database)).revision == "0002"
    finally:
        await database.close()


async def test_a_real_conflict_is_no_accident(mariadb: MariaDb, tmp_path: Path) -> None:
    """A table of the same name that somebody else has made is not taken for ours."""
    mariadb.sql("CREATE DATABASE confero_conflict; CREATE TABLE confero_conflict.mcus (id INT)")
    database = Database(database_url(mariadb.url("confero_conflict"), tmp_path))
    try:
        for _ in range(2):
            with pytest.raises(Exception, match="already exists"):
                await migrate(database, "0001")
    finally:
        await database.close()


async def test_no_such_revision(empty: Database) -> None:
    await migrate(empty, "0002")
    for walk in (migrate, downgrade):
        with pytest.raises(LocalError):
            await walk(empty, "0099")
    assert (await standing(empty)).revision == "0002"
