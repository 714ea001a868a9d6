"""Bindings of telephones on disk: written behind, row by row, read once at the start."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from confero.errors import LocalError
from confero.protocols.sip.bindings import Binding
from confero.runtime.logging import get_logger

log = get_logger(__name__)

SCHEMA = "CREATE TABLE IF NOT EXISTS bindings (address TEXT NOT NULL, state TEXT NOT NULL)"
INDEX = "CREATE INDEX IF NOT EXISTS bindings_address ON bindings (address)"
Change = tuple[str, Sequence[Binding]]


class BindingStore:
    """An SQLite file. Its methods block: call them off the event loop, one at a time. All raise LocalError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._database: sqlite3.Connection | None = None

    def load(self) -> list[Binding]:
        """All that can be read; a row that cannot is left out."""
        found = []
        try:
            rows = self._open().execute("SELECT state FROM bindings").fetchall()
        except (sqlite3.Error, OSError) as error:
            raise self._failed(error) from error
        for (text,) in rows:
            try:
                found.append(Binding.from_json(json.loads(text)))
            except (ValueError, TypeError, KeyError) as error:
                log.warning("a binding cannot be read", reason=str(error))
        return found

    def save(self, changes: Sequence[Change]) -> None:
        """In one transaction: what each address has now, in place of what it had."""
        rows = [(address, json.dumps(one.to_json())) for address, bindings in changes for one in bindings]
        try:
            with self._open() as database:
                database.executemany("DELETE FROM bindings WHERE address = ?", [(address,) for address, _ in changes])
                database.executemany("INSERT INTO bindings VALUES (?, ?)", rows)
        except (sqlite3.Error, OSError) as error:
            raise self._failed(error) from error

    def close(self) -> None:
        """Idempotent."""
        if self._database is not None:
            self._database.close()
            self._database = None

    def _open(self) -> sqlite3.Connection:
        if self._database is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(self._path, check_same_thread=False, timeout=5)
            self._path.chmod(0o600)
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute("PRAGMA synchronous=NORMAL")
            with self._database:
                self._database.execute(SCHEMA)
                self._database.execute(INDEX)
        return self._database

    def _failed(self, error: Exception) -> LocalError:
        self.close()
        return LocalError(f"{self._path}: {error}")
