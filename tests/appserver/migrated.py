"""SQLite files that have their tables already: made once by each process, and copied. The way from nothing is tested in db/."""

from __future__ import annotations

import asyncio
import atexit
import shutil
import tempfile
from pathlib import Path

from confero.appserver.db.engine import Database, database_url
from confero.appserver.db.migrate import migrate

_made: list[Path] = []


async def give_tables(file: Path) -> None:
    """Makes the file, as the migrations would, unless it is there."""
    if not _made:
        _made.append(await _make())
    await asyncio.to_thread(_copy, _made[0], file)


def _copy(made: Path, file: Path) -> None:
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.copy(made, file)


async def _make() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="confero-tables-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    database = Database(database_url(None, folder))
    await migrate(database)
    await database.close()
    return folder / "confero.db"
