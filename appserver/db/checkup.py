"""What is to be said of a database: version, rights, tables, and settings that would hurt; a table of questions."""

from __future__ import annotations

import re
import shutil
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from .tables import metadata

OLDEST = {"MariaDB": (10, 6), "MySQL": (8, 0)}
CLOCK_S = 5.0
SPARE_CONNECTIONS = 5
"""For administrators, backups and ``confero database`` itself."""
PACKET = 4 << 20
"""Bytes: a call of 256 records with long ladders, several times."""
SPACE = 200 << 20
"""Bytes free for a SQLite file."""
MOST_NAMED = 5


@dataclass(frozen=True)
class Finding:
    """One line of the report."""

    check: str
    verdict: Literal["ok", "warn", "fail"]
    what: str
    advice: str = ""


@dataclass(frozen=True)
class Place:
    """What is asked of."""

    connections: int
    """That the application server may open."""
    file: Path | None = None
    """Of SQLite."""
    host: str = "localhost"
    """Of a server, as the URL names it."""


Check = Callable[[Connection, Place], Iterator[Finding]]


def examine(connection: Connection, place: Place) -> list[Finding]:
    """Everything, on one connection; it writes nothing that stays. Raises SQLAlchemyError only if the connection is lost."""
    checks = IN_FILE if connection.dialect.name == "sqlite" else ON_SERVER
    return [finding for check in (*checks, _models) for finding in _asked(check, connection, place)]


def _asked(check: Check, connection: Connection, place: Place) -> list[Finding]:
    try:
        return list(check(connection, place))
    except SQLAlchemyError as error:
        connection.rollback()
        said = str(getattr(error, "orig", None) or error)
        return [Finding(check.__name__.strip("_"), "fail", said, "grant the user all rights on this database")]


def engine_of(version: str) -> tuple[str, tuple[int, ...]]:
    """Product and version from what VERSION() says, such as 10.11.19-MariaDB-0+deb12u1."""
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:3])
    return ("MariaDB" if "mariadb" in version.lower() else "MySQL"), numbers


# --- MariaDB and MySQL ------------------------------------------------------------------------------------------------


def _version(connection: Connection, _: Place) -> Iterator[Finding]:
    product, numbers = engine_of(str(_value(connection, "SELECT VERSION()")))
    shown = f"{product} {'.'.join(map(str, numbers))}"
    oldest = OLDEST[product]
    if numbers[:2] >= oldest:
        yield Finding("version", "ok", shown)
    else:
        wanted = ".".join(map(str, oldest))
        yield Finding("version", "warn", shown, f"{product} {wanted} or later is what confero is made for")


def _transport(connection: Connection, place: Place) -> Iterator[Finding]:
    """Measured on this very connection, since a server that can encrypt does so for those alone who ask for it."""
    found = connection.execute(text("SHOW SESSION STATUS LIKE 'Ssl_cipher'")).one_or_none()
    if found is not None and found[1]:
        yield Finding("transport", "ok", f"TLS, {found[1]}")
    elif is_here(place.host):
        yield Finding("transport", "ok", "in the clear, and it does not leave this machine")
    else:
        advice = "add ?ssl_ca=FILE to database_url (docs/operations.md)"
        yield Finding(
            "transport", "warn", f"in the clear to {place.host}: whoever is between reads and changes it", advice
        )


def is_here(host: str) -> bool:
    """Whether it is this machine, by its name alone: what a name leads to may change."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _settings(connection: Connection, place: Place) -> Iterator[Finding]:
    if _variable(connection, "log_bin") == "ON" and _variable(connection, "binlog_format") == "STATEMENT":
        advice = "set binlog_format = MIXED or ROW: with READ COMMITTED, InnoDB refuses to write otherwise"
        yield Finding("binary log", "fail", "binlog_format is STATEMENT", advice)
    if _variable(connection, "innodb_flush_log_at_trx_commit") != "1":
        advice = "set it to 1, unless the last second may be lost with the power"
        yield Finding("durability", "warn", "innodb_flush_log_at_trx_commit is not 1", advice)
    wanted, there = place.connections + SPARE_CONNECTIONS, int(_variable(connection, "max_connections"))
    if there < wanted:
        yield Finding("connections", "warn", f"max_connections is {there}", f"raise it to {wanted} or more")
    if int(_variable(connection, "max_allowed_packet")) < PACKET:
        yield Finding("packets", "warn", "max_allowed_packet is below 4 MiB", "raise it to 16M, the default")


def _clock(connection: Connection, _: Place) -> Iterator[Finding]:
    """Nothing of ours relies on it; logs that are an hour apart mislead people."""
    there = float(_value(connection, "SELECT UNIX_TIMESTAMP(NOW(6))"))
    off = abs(there - time.time())
    if off > CLOCK_S:
        yield Finding("clock", "warn", f"the server's clock is {off:.0f} s off this machine's", "set both by NTP")
    else:
        yield Finding("clock", "ok", "as this machine's")


def _rights(connection: Connection, _: Place) -> Iterator[Finding]:
    """To write, and to change tables as migrations do."""
    for statement in (
        "CREATE TABLE confero_check (id INT PRIMARY KEY)",
        "ALTER TABLE confero_check ADD COLUMN word VARCHAR(8)",
        "CREATE INDEX ix_confero_check ON confero_check (word)",
        "INSERT INTO confero_check VALUES (1, 'a')",
        "UPDATE confero_check SET word = 'b'",
        "DELETE FROM confero_check",
        "DROP TABLE confero_check",
    ):
        connection.execute(text(statement))
    yield Finding("rights", "ok", "may read, write and change tables")


def _kinds(connection: Connection, _: Place) -> Iterator[Finding]:
    query = (
        "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() "
        "AND table_name <> 'alembic_version' AND (engine <> 'InnoDB' OR table_collation <> 'utf8mb4_bin')"
    )
    odd = [row[0] for row in connection.execute(text(query)) if row[0] in metadata.tables]
    if odd:
        advice = "ALTER TABLE ... ENGINE=InnoDB, CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
        yield Finding("kinds of tables", "fail", f"not InnoDB with utf8mb4_bin: {_named(odd)}", advice)


# --- SQLite -----------------------------------------------------------------------------------------------------------


def _file(connection: Connection, place: Place) -> Iterator[Finding]:
    yield Finding("version", "ok", f"SQLite {_value(connection, 'SELECT sqlite_version()')}")
    found = [row[0] for row in connection.execute(text("PRAGMA quick_check(5)"))]
    if found == ["ok"]:
        yield Finding("file", "ok", "whole")
    else:
        yield Finding("file", "fail", "; ".join(map(str, found))[:300], "restore a backup (docs/operations.md)")
    mode = str(_value(connection, "PRAGMA journal_mode"))
    if mode != "wal":
        yield Finding("journal", "warn", f"journal_mode is {mode}", "keep it on a local disk, where WAL works")


def _disk(_: Connection, place: Place) -> Iterator[Finding]:
    if place.file is None:
        return
    if stat.S_IMODE(place.file.stat().st_mode) & 0o077 and stat.S_IMODE(place.file.parent.stat().st_mode) & 0o077:
        yield Finding("mode", "warn", f"others may read {place.file}", f"chmod 700 {place.file.parent}")
    free = shutil.disk_usage(place.file.parent).free
    if free < SPACE:
        yield Finding("disk", "warn", f"{free >> 20} MiB free", "make room: a full disk refuses every change")


# --- both -------------------------------------------------------------------------------------------------------------


def _models(connection: Connection, _: Place) -> Iterator[Finding]:
    """Tables that are pending look different too: ``status`` tells of those."""
    context = MigrationContext.configure(connection, opts={"compare_type": True, "include_object": _is_ours})
    found = compare_metadata(context, metadata)
    if found:
        named = _named([_difference(one) for one in found])
        yield Finding("tables", "fail", f"not as this version has them: {named}", "see confero database status")
    else:
        yield Finding("tables", "ok", f"{len(metadata.tables)}, as this version has them")


def _is_ours(_: Any, name: str | None, kind: str, reflected: bool, __: Any) -> bool:
    """Tables of others in the same database are none of our business."""
    return not (kind == "table" and reflected and name not in metadata.tables)


def _difference(one: Any) -> str:
    first = one[0] if isinstance(one, list) else one
    parts = [str(getattr(part, "name", part)) for part in first[1:] if part is not None]
    return " ".join([first[0].replace("_", " "), *parts])[:80]


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more


def _value(connection: Connection, query: str) -> Any:
    return connection.scalar(text(query))


def _variable(connection: Connection, name: str) -> str:
    """ON, OFF or a number, as text."""
    value = str(_value(connection, f"SELECT @@global.{name}"))
    return {"1": "ON", "0": "OFF"}.get(value, value) if name == "log_bin" else value


ON_SERVER: tuple[Check, ...] = (_version, _transport, _settings, _clock, _rights, _kinds)
IN_FILE: tuple[Check, ...] = (_file, _disk)
