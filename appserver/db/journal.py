"""Which statements of a migration are done, where each is committed by itself: one that died goes on where it was.

MariaDB and MySQL end the transaction at every CREATE, ALTER and DROP. So each statement of a step is counted, and the count written
down after it; whoever comes after an accident skips what is done. Only the next one may have been done without being counted: for
it, and for no other, the server's word that things are so already is no error. Rows are committed together with their count.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, event, inspect

from .faults import Fault, code_of, fault_of

TABLE = "confero_migrating"
"""There while a migration goes on, and after one that died."""
Way = Literal["up", "down"]
MAKE = (
    f"CREATE TABLE IF NOT EXISTS {TABLE} "
    "(revision VARCHAR(32) NOT NULL PRIMARY KEY, way VARCHAR(4) NOT NULL, done INT NOT NULL, refused INT NOT NULL) ENGINE=InnoDB"
)
SO_ALREADY = frozenset({1050, 1051, 1060, 1061, 1091})
"""There is such a table, no such table, such a column, such a key; nothing of that name to be dropped."""
NOT_COUNTED = ("SELECT", "SHOW", "DESCRIBE", "SET", "COMMIT", "ROLLBACK")
OURS = (TABLE, "alembic_version")


@dataclass(frozen=True)
class Begun:
    """A step that was begun, and how many of its statements were done for certain."""

    revision: str
    way: Way
    done: int
    refused: bool = False
    """The server did not do the next one: an error was the accident, and not a death that leaves open whether it was done."""


def begun(connection: Connection) -> Begun | None:
    """The step that an accident has left unfinished."""
    if not inspect(connection).has_table(TABLE):
        return None
    row = connection.exec_driver_sql(f"SELECT revision, way, done, refused FROM {TABLE}").first()
    return Begun(row.revision, row.way, row.done, bool(row.refused)) if row is not None else None


class Journal:
    """Of the steps on one connection, whose engine nobody else uses. ``close`` it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._counts = False
        self._count = self._done = 0
        self._in_doubt = 0
        """The statement that may have been done without being counted; 0: none."""
        self._listeners: list[tuple[str, Callable[..., bool | None]]] = [
            ("do_execute", lambda cursor, statement, values, _: self._do(cursor, statement, "execute", values)),
            ("do_executemany", lambda cursor, statement, values, _: self._do(cursor, statement, "executemany", values)),
            ("do_execute_no_params", lambda cursor, statement, _: self._do(cursor, statement, "execute")),
        ]
        for name, listener in self._listeners:
            event.listen(connection.engine, name, listener)
        self._say(MAKE)

    def step(self, revision: str, way: Way) -> None:
        """What comes is of this step."""
        found = begun(self._connection)
        self._done = found.done if found is not None else 0
        self._in_doubt = self._done + 1 if found is not None and not found.refused else 0
        if found is None:
            self._say(f"INSERT INTO {TABLE} VALUES ('{revision}', '{way}', 0, 0)")
        self._say(f"UPDATE {TABLE} SET refused = 0")
        self._say("COMMIT")
        self._count, self._counts = 0, True

    def step_done(self, **_: Any) -> None:
        """As Alembic calls it, when it has noted the revision: both are committed as one."""
        self._counts = False
        self._say(f"DELETE FROM {TABLE}")
        self._say("COMMIT")

    def close(self, *, finished: bool) -> None:
        """``finished``: there was no accident."""
        self._counts = False
        for name, listener in self._listeners:
            event.remove(self._connection.engine, name, listener)
        if finished:
            self._say(f"DROP TABLE {TABLE}")

    def _say(self, statement: str) -> None:
        self._connection.exec_driver_sql(statement)

    def _do(self, cursor: Any, statement: str, how: str, *values: Any) -> bool | None:
        """True: it has been done here; None: it is none of our business."""
        if not self._counts or not _is_counted(statement):
            return None
        self._count += 1
        if self._count <= self._done:
            return True
        try:
            getattr(cursor, how)(statement, *values)
        except Exception as error:
            if self._count != self._in_doubt or code_of(error) not in SO_ALREADY:
                self._note_refused(cursor, error)
                raise
        self._note(cursor)
        return True

    def _note_refused(self, cursor: Any, error: Exception) -> None:
        if fault_of(error) in (Fault.STATEMENT, Fault.CONFLICT):  # else it is not the server who says so
            cursor.execute("ROLLBACK")
            cursor.execute(f"UPDATE {TABLE} SET refused = 1")
            cursor.execute("COMMIT")

    def _note(self, cursor: Any) -> None:
        cursor.execute(f"UPDATE {TABLE} SET done = {self._count}")
        cursor.execute("COMMIT")


def _is_counted(statement: str) -> bool:
    return not statement.lstrip().upper().startswith(NOT_COUNTED) and not any(name in statement for name in OURS)
