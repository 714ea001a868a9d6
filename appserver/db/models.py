"""The tables. Every time is Unix time in seconds; ids compare byte by byte in every database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    false,
    true,
)

MYSQL: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}
"""InnoDB for transactions; four-byte characters; ids that differ in case only are different."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

rooms = Table(
    "rooms",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", String(64), nullable=False),
    Column("max_participants", Integer, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("used_at", Double, nullable=False),
    Column("permanent", Boolean, nullable=False),
    Column("mcu", String(64), index=True),
    Column("talkers", Integer, nullable=False, server_default="6"),
    Column("noise_dbov", Integer),
    Column("announce", Boolean, nullable=False, server_default=false()),
    Column("owner", String(64)),
    Column("pin", String(255)),
    Column("host_pin", String(255)),
    Column("lobby", Boolean, nullable=False, server_default=false()),
    Column("host_first", Boolean, nullable=False, server_default=false()),
    Column("speak", String(16), nullable=False, server_default="all"),
    Column("locked", Boolean, nullable=False, server_default=false()),
    Index(None, "owner", "used_at"),
    Index(None, "used_at", "id"),
    **MYSQL,
)

participants = Table(
    "participants",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("room", String(64), nullable=False),
    Column("display_name", String(64), nullable=False),
    Column("role", String(16), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("created_at", Double, nullable=False, index=True),
    Column("reserved_until", Double, nullable=False),
    Column("session", String(64)),
    Column("notifier", String(64), index=True),
    Column("leg_mcu", String(64), index=True),
    Column("user", String(64), index=True),
    Column("invitation", String(64)),
    Column("admitted", Boolean, nullable=False, server_default=true()),
    Column("may_speak", Boolean, nullable=False, server_default=false()),
    Column("hand_at", Double),
    Column("removed_at", Double),
    Index(None, "room", "reserved_until"),
    Index(None, "admitted", "room"),
    **MYSQL,
)

leg_records = Table(
    "leg_records",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("at", Double, nullable=False, index=True),
    Column("mcu", String(64), nullable=False),
    Column("boot", String(64), nullable=False),
    Column("room", String(64), nullable=False, index=True),
    Column("participant", String(64), nullable=False),
    Column("display_name", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("event", String(16), nullable=False),
    Column("reason", String(64), nullable=False),
    Column("stats", JSON, nullable=False),
    UniqueConstraint("participant", "event", "at", "boot"),
    **MYSQL,
)

mcus = Table(
    "mcus",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("boot", String(64), nullable=False),
    Column("url", String(256), nullable=False),
    Column("capacity", Integer, nullable=False),
    Column("registered_at", Double, nullable=False),
    **MYSQL,
)
