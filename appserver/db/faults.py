"""What an error of MariaDB or MySQL means for the transaction that met it: the table of their codes."""

from __future__ import annotations

from enum import Enum
from typing import Any

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from confero.errors import Unavailable


class Fault(Enum):
    """By what may be done about it."""

    CONFLICT = "conflict"
    """Another transaction was in the way, and this one has been undone: it may be tried again, whenever it happened."""
    LOST = "lost"
    """The connection is of no use any more: the transaction may be tried again on another, unless COMMIT was sent."""
    FULL = "full"
    """No connection can be had now, though others may be at work."""
    AWAY = "away"
    """Nobody takes connections, or not from us."""
    SLOW = "slow"
    """No answer in time."""
    STATEMENT = "statement"
    """The server did not like what it was asked."""


CODES: dict[int, Fault] = {
    1205: Fault.CONFLICT,  # waited too long for a lock
    1213: Fault.CONFLICT,  # deadlock; Galera says so too when another node was first, then at COMMIT
    1020: Fault.CONFLICT,  # the row has changed since it was read (innodb_snapshot_isolation of MariaDB 11)
    1040: Fault.FULL,  # too many connections
    1203: Fault.FULL,  # of this user (max_user_connections)
    1226: Fault.FULL,  # a limit of this user
    1044: Fault.AWAY,  # access to this database is denied
    1045: Fault.AWAY,  # wrong name or password
    1049: Fault.AWAY,  # no such database
    1129: Fault.AWAY,  # this host is blocked after too many errors
    1130: Fault.AWAY,  # this host may not connect
    2002: Fault.AWAY,  # no such Unix socket
    2003: Fault.AWAY,  # refused, no route
    2005: Fault.AWAY,  # no such host
    2026: Fault.AWAY,  # TLS: the server cannot be trusted, or does not trust us
    1047: Fault.LOST,  # Galera: this node has no quorum; another connection may lead to one that has
    1053: Fault.LOST,  # the server is being shut down
    1152: Fault.LOST,  # connection aborted
    1158: Fault.LOST,  # errors and time-outs of the network, reading and writing
    1159: Fault.LOST,
    1160: Fault.LOST,
    1161: Fault.LOST,
    1184: Fault.LOST,  # connection aborted
    1290: Fault.LOST,  # the server is read-only: after a failover another connection leads to the new one
    1836: Fault.LOST,
    1927: Fault.LOST,  # MariaDB: connection was killed, also for having been idle within a transaction
    2006: Fault.LOST,  # server has gone away
    2013: Fault.LOST,  # lost during a query
    2014: Fault.LOST,  # commands out of step: somebody was cancelled
    2045: Fault.LOST,
    2055: Fault.LOST,  # lost, with the system's error
    4031: Fault.LOST,  # MySQL: closed for being idle
    1317: Fault.SLOW,  # query interrupted
    1969: Fault.SLOW,  # MariaDB: max_statement_time
    3024: Fault.SLOW,  # MySQL: max_execution_time
}
"""What does not stand here is a statement's own fault."""
TURNED_AWAY = frozenset({1044, 1045, 1049, 1130, 2026})
"""Of those the ones with a server which is there: a setting is wrong, here or there."""
BROKEN = ("packet sequence number wrong", "not connected", "cancelled during execution", "(0, '')", "already closed")
"""Of the driver's errors without a code those that mean a lost connection."""


def fault_of(error: BaseException) -> Fault:
    """``error``: of SQLAlchemy, of the driver, of the network, or a time-out."""
    if isinstance(error, PoolTimeout):
        return Fault.FULL
    if isinstance(error, TimeoutError):
        return Fault.SLOW
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    if isinstance(cause, OSError):
        return Fault.LOST
    code = code_of(cause)
    if code in CODES:
        return CODES[code]
    said = str(cause).lower()
    return Fault.LOST if any(words in said for words in BROKEN) else Fault.STATEMENT


def code_of(error: BaseException) -> int:
    """The server's or the driver's number of an error; 0 if it has none."""
    arguments: tuple[Any, ...] = getattr(error, "args", ())
    return arguments[0] if arguments and isinstance(arguments[0], int) else 0


def words_of(error: BaseException) -> str:
    """What the server or the driver says of it, with the number last."""
    code = code_of(error)
    return f"{error.args[1]} ({code})" if code and len(error.args) == 2 else str(error)


def away(retry_after_s: float) -> Unavailable:
    """For whoever asks while nobody is there."""
    return Unavailable(
        "The database does not answer; try again in a moment.", code="database-down", retry_after_s=retry_after_s
    )


def busy() -> Unavailable:
    """For whoever asks while too many others do."""
    return Unavailable("The database has too much to do; try again in a moment.", code="database-down", retry_after_s=1)


def unsure() -> Unavailable:
    """For whom the connection was lost after COMMIT had been sent."""
    return Unavailable(
        "The database was lost while this was being saved; see whether it was before you try again.",
        code="database-unsure",
        retry_after_s=1,
    )
