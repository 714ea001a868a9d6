"""``confero database``: what it says of good and bad databases; backups made under writers, restored by the manual's commands."""

from __future__ import annotations

import asyncio
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from typer.testing import CliRunner

from confero import cli
from confero.appserver.db.checkup import engine_of
from confero.appserver.db.engine import Database, database_url
from confero.appserver.db.migrate import migrate
from confero.runtime.tasks import spawn

from ..mariadb import MariaDb

MANUAL = Path(__file__).parents[3] / "docs" / "operations.md"


class Shell:
    """The command, told of one installation by its environment."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, kind: str, url: str, state_dir: Path) -> None:
        self.url = url
        self.state_dir = state_dir
        if kind == "mariadb":
            monkeypatch.setenv("CONFERO_APPSERVER_DATABASE_URL", url)
        monkeypatch.setenv("CONFERO_STATE_DIR", str(state_dir))

    def run(self, *argv: str) -> tuple[int, str]:
        result = CliRunner().invoke(cli.app, ("database", *argv))
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.output


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, kind: str, url_text: str, tmp_path: Path) -> Shell:
    return Shell(monkeypatch, kind, url_text, tmp_path)


def test_from_nothing_to_well_and_back(kind: str, shell: Shell, mariadb: MariaDb) -> None:
    code, said = shell.run("status")
    assert code == 1 and ("there is no database" if kind == "sqlite" else "pending") in said
    code, said = shell.run("upgrade", "--to", "0004")
    assert code == 0 and said == "tables   0004\n"
    code, said = shell.run("status")
    assert code == 1 and "0005" in said and "pending" in said
    assert shell.run("upgrade")[0] == 0
    code, said = shell.run("status")
    assert code == 0 and "pending" not in said
    assert ("SQLite 3." if kind == "sqlite" else "MariaDB 10.") in said and "root@" not in said
    code, said = shell.run("check")
    assert code == 0 and "fail" not in said, said
    finds_what_is_wrong(kind, shell, mariadb)
    assert shell.run("downgrade", "0004")[0] == 2, "not without a word for it"
    code, said = shell.run("downgrade", "0004", "--lose")
    assert code == 0 and said == "tables   0004\n"
    assert shell.run("downgrade", "0099", "--lose")[0] == 1


def finds_what_is_wrong(kind: str, shell: Shell, mariadb: MariaDb) -> None:
    """A column that is gone, an index that somebody has added; on MariaDB a table of another kind, and a user who may only read."""
    change(shell, "ALTER TABLE rooms DROP COLUMN noise_dbov", "CREATE INDEX ix_rooms_extra ON rooms (name)")
    code, said = shell.run("check")
    assert code == 1 and re.search("fail +tables +.*noise_dbov", said) and "ix_rooms_extra" in said
    if kind == "mariadb":
        change(shell, "ALTER TABLE mcus ENGINE=Aria")
        assert "not InnoDB with utf8mb4_bin: mcus" in shell.run("check")[1]
        who = "reader@'127.0.0.1'"
        grant = f"GRANT SELECT ON {shell.url.rpartition('/')[2]}.* TO {who}"
        assert mariadb.sql(f"CREATE OR REPLACE USER {who} IDENTIFIED BY 'pw'; {grant}").returncode == 0
        code, said = shell.run("check", "--database", shell.url.replace("root@", "reader:pw@"))
        assert code == 1 and "CREATE command denied" in said and "pw" not in said


def change(shell: Shell, *statements: str) -> None:
    async def run() -> None:
        database = Database(database_url(shell.url, shell.state_dir))

        async def work(connection: AsyncConnection) -> None:
            for statement in statements:
                await connection.execute(text(statement))

        await database.write(work)
        await database.close()

    asyncio.run(run())


def test_a_server_that_is_not_there_and_a_setting_that_is_wrong(shell: Shell) -> None:
    code, said = shell.run("check", "--database", "mysql://root:sesame@127.0.0.1:9/x")
    assert code == 1 and "cannot be used" in said and "sesame" not in said
    code, said = shell.run("check", "--database", "postgresql://u:sesame@h/d")
    assert code == 2 and "not supported" in said and "sesame" not in said


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("10.11.19-MariaDB-0+deb12u1", ("MariaDB", (10, 11, 19))),
        ("5.5.5-10.4.2-MariaDB-log", ("MariaDB", (5, 5, 5))),
        ("8.0.36", ("MySQL", (8, 0, 36))),
        ("", ("MySQL", ())),
    ],
)
def test_versions(said: str, found: tuple[str, tuple[int, ...]]) -> None:
    assert engine_of(said) == found


def commands(kind: str) -> str:
    """As the manual has them."""
    title = {"sqlite": "SQLite", "mariadb": "MariaDB"}[kind]
    found = re.search(rf"```sh\n# backup and restore: {title}\n(.*?)```", MANUAL.read_text(), re.DOTALL)
    assert found is not None
    return found[1]


async def test_a_backup_of_the_manual_is_one_moment(
    kind: str, shell: Shell, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Made while somebody writes pairs of rows; restored it has both or neither of each, and check finds it well."""
    restored = f"{shell.url}_restored"
    script = (
        commands(kind).replace("/var/backups", str(tmp_path / "backups")).replace("/var/lib/confero", str(tmp_path))
    )
    script = script.replace("confero_restored", restored.rpartition("/")[2])
    (tmp_path / "backups").mkdir()
    source = Database(database_url(shell.url, tmp_path))
    await migrate(source)
    writing = spawn(write_pairs(source), name="writer")
    await asyncio.sleep(0.3)
    first, rest = script.split("\n", 1)
    await asyncio.to_thread(bash, first, kind, request, tmp_path)
    count = await source.value(text("SELECT COUNT(*) FROM mcu_drains"))
    writing.cancel()
    await asyncio.wait([writing])
    await source.close()
    assert [stat.S_IMODE(copy.stat().st_mode) for copy in (tmp_path / "backups").iterdir()] == [0o600]
    await asyncio.to_thread(bash, rest, kind, request, tmp_path)
    back = shell.url if kind == "sqlite" else restored
    code, said = await asyncio.to_thread(shell.run, "check", "--database", back)
    assert code == 0, said
    copy = Database(database_url(back, tmp_path))
    rows = [
        tuple(row)
        for row in await copy.rows(text("SELECT (SELECT COUNT(*) FROM mcus), (SELECT COUNT(*) FROM mcu_drains)"))
    ]
    await copy.close()
    assert rows[0][0] == rows[0][1] and 0 < rows[0][0] <= count


async def write_pairs(database: Database) -> None:
    number = 0
    while True:
        number += 1
        values = {"id": f"m{number}"}

        async def work(connection: AsyncConnection, values: dict[str, str] = values) -> None:
            await connection.execute(text("INSERT INTO mcus VALUES (:id, '😀', 'u', 1, 0)"), values)
            await connection.execute(text("INSERT INTO mcu_drains VALUES (:id, 0)"), values)

        await database.write(work)


def bash(script: str, kind: str, request: pytest.FixtureRequest, home: Path) -> None:
    environment = {**os.environ, "HOME": str(home), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    if kind == "mariadb":
        server: MariaDb = request.getfixturevalue("mariadb")
        (home / ".my.cnf").write_text(f"[client]\nhost=127.0.0.1\nport={server.port}\nuser=root\n")
    done = subprocess.run(["bash", "-ec", script], check=False, capture_output=True, env=environment, timeout=60)
    assert done.returncode == 0, done.stderr.decode()


def test_a_backup_never_takes_the_place_of_another(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shell = Shell(monkeypatch, "sqlite", "", tmp_path)
    assert shell.run("upgrade")[0] == 0
    there = tmp_path / "there"
    there.write_text("precious")
    code, said = shell.run("backup", str(there))
    assert code == 1 and "is there already" in said and there.read_text() == "precious"
    code, said = shell.run("backup", str(tmp_path / "no" / "folder"))
    assert code == 1 and "No such file" in said
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".part")] == []
