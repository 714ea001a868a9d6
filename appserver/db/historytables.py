"""The tables of records: meetings, stays in them, the legs that stays are made of; and media servers that are to be drained."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, Index, Integer, String, Table, UniqueConstraint

from .models import MYSQL, metadata

__all__ = ["metadata"]

ROW = BigInteger().with_variant(Integer, "sqlite")
"""Of row numbers: SQLite counts up an INTEGER only."""


def _quality() -> list[Column[float]]:
    """Of a leg, or of a stay: what came from the participant, and what it was sent."""
    names = ("loss_in", "loss_out", "jitter_in_ms", "jitter_out_ms", "mos_in", "mos_out")
    return [Column(name, Double) for name in names]


meetings = Table(
    "meetings",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("room", String(64), nullable=False),
    Column("room_name", String(64), nullable=False),
    Column("owner", String(64)),
    Column("started_at", Double, nullable=False),
    Column("ended_at", Double),
    Column("reason", String(16), nullable=False),
    Column("participants", Integer, nullable=False),
    Column("most", Integer, nullable=False),
    Column("mos", Double),
    Index(None, "started_at", "id"),
    Index(None, "room", "started_at"),
    Index(None, "owner", "started_at"),
    Index(None, "ended_at"),
    **MYSQL,
)

stays = Table(
    "stays",
    metadata,
    Column("id", ROW, primary_key=True, autoincrement=True),
    Column("meeting", String(64), nullable=False),
    Column("participant", String(64), nullable=False),
    Column("display_name", String(64), nullable=False),
    Column("role", String(16), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("user", String(64)),
    Column("joined_at", Double, nullable=False),
    Column("left_at", Double),
    Column("reason", String(64), nullable=False),
    Column("codec", String(16), nullable=False),
    Column("security", String(16), nullable=False),
    *_quality(),
    UniqueConstraint("meeting", "participant"),
    Index(None, "user", "meeting"),
    **MYSQL,
)

stay_legs = Table(
    "stay_legs",
    metadata,
    Column("id", ROW, primary_key=True, autoincrement=True),
    Column("meeting", String(64), nullable=False),
    Column("participant", String(64), nullable=False),
    Column("room", String(64), nullable=False),
    Column("mcu", String(64), nullable=False),
    Column("boot", String(64), nullable=False),
    Column("display_name", String(64), nullable=False),
    Column("role", String(16), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("user", String(64)),
    Column("joined_at", Double, nullable=False),
    Column("left_at", Double),
    Column("reason", String(64), nullable=False),
    Column("codec", String(16), nullable=False),
    Column("security", String(16), nullable=False),
    Column("packets_in", BigInteger, nullable=False),
    Column("packets_out", BigInteger, nullable=False),
    *_quality(),
    UniqueConstraint("participant", "room", "joined_at", "boot"),
    Index(None, "meeting", "left_at"),
    Index(None, "mcu", "left_at"),
    **MYSQL,
)

mcu_drains = Table(
    "mcu_drains",
    metadata,
    Column("mcu", String(64), primary_key=True),
    Column("since", Double, nullable=False),
    **MYSQL,
)
"""Written by administrators: it outlives restarts of the application server and of the MCU."""
