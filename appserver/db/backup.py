"""A copy of the whole database while it is in use: one moment of it, in one file, or none."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL

from confero.errors import LocalError, Unavailable

from .tls import PARAMETERS

DUMP = ("mariadb-dump", "mysqldump")
"""The first that is there. From package mariadb-client."""
OPTIONS = ("--single-transaction", "--quick", "--skip-lock-tables", "--default-character-set=utf8mb4", "--hex-blob")
"""One moment of all tables, without holding anybody up."""
LAST_LINE = b"-- Dump completed"


def backup(url: URL, to: Path) -> int:
    """Writes the copy; its bytes. A file that is there already is not touched. Raises LocalError, Unavailable."""
    if to.exists():
        raise LocalError(f"{to} is there already")
    part = to.with_name(to.name + ".part")
    try:
        os.close(os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600))
        if url.drivername.startswith("sqlite"):
            _copy_file(str(url.database), part)
        else:
            _dump(url, part)
        part.rename(to)
    except OSError as error:
        raise LocalError(f"{to}: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)
    return to.stat().st_size


def _copy_file(database: str, part: Path) -> None:
    try:
        with (
            closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(part)) as copy,
        ):
            source.backup(copy)
            if copy.execute("PRAGMA quick_check(1)").fetchall() != [("ok",)]:
                raise LocalError(f"{database} is damaged: confero database check says more")
    except sqlite3.Error as error:
        raise Unavailable(f"{database}: {error}", code="database-down") from error


def _dump(url: URL, part: Path) -> None:
    program = next(filter(None, map(shutil.which, DUMP)), None)
    if program is None:
        raise LocalError(f"{DUMP[0]} is not installed (Debian: mariadb-client)")
    with _login(url) as login:
        command = [program, f"--defaults-extra-file={login}", *OPTIONS, f"--result-file={part}", str(url.database)]
        done = subprocess.run(command, check=False, stderr=subprocess.PIPE)
    if done.returncode != 0 or not _is_complete(part):
        said = done.stderr.decode(errors="replace").strip()[:500] or "the dump ended early"
        raise Unavailable(said, code="database-down")


@contextmanager
def _login(url: URL) -> Iterator[str]:
    """A file of options that only we can read: a command line is seen by everybody."""
    values = {"host": url.host, "port": url.port, "user": url.username, "password": url.password} | _ways(url)
    with tempfile.NamedTemporaryFile("w", prefix="confero-", suffix=".cnf") as file:
        file.write("[client]\n")
        for name, value in values.items():
            if value is not None:
                file.write(f'{name}="{_quoted(str(value))}"\n')
        file.flush()
        yield file.name


def _ways(url: URL) -> dict[str, Any]:
    """The URL's parameters as the client's options. MariaDB's and MySQL's skip the other's word for checking a server."""
    found: dict[str, Any] = {name.replace("_", "-"): url.query[name] for name in PARAMETERS if name in url.query}
    if found:
        found |= {"loose-ssl-verify-server-cert": 1, "loose-ssl-mode": "VERIFY_IDENTITY"}
    return found | {"socket": url.query.get("unix_socket")}


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _is_complete(part: Path) -> bool:
    with part.open("rb") as file:
        file.seek(max(0, part.stat().st_size - 200))
        return LAST_LINE in file.read()
