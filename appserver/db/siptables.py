"""The tables of SIP: accounts, trunks, dial plan, room numbers, call records, counts and failed tries."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    false,
)

from .models import MYSQL, metadata

__all__ = ["metadata"]

ROW = BigInteger().with_variant(Integer, "sqlite")
"""Of row numbers: SQLite counts up an INTEGER only."""

sip_accounts = Table(
    "sip_accounts",
    metadata,
    Column("id", ROW, primary_key=True, autoincrement=True),
    Column("user", String(64), nullable=False),
    Column("realm", String(128), nullable=False),
    Column("display_name", String(64), nullable=False),
    Column("ha1", String(1024), nullable=False),
    Column("created_at", Double, nullable=False),
    Column("allow_md5_without_qop", Boolean, nullable=False),
    Column("may_call_out", Boolean, nullable=False),
    Column("call_out_patterns", JSON, nullable=False),
    Column("calls_per_hour", Integer),
    Column("media_security", String(16), nullable=False, server_default="optional"),
    Column("key_exchange", String(8), nullable=False, server_default="sdes"),
    Column("symmetric", Boolean, nullable=False, server_default=false()),
    Column("enabled", Boolean, nullable=False),
    UniqueConstraint("user", "realm"),
    **MYSQL,
)

sip_trunks = Table(
    "sip_trunks",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("servers", JSON, nullable=False),
    Column("registrar", String(256), nullable=False),
    Column("registers", Boolean, nullable=False),
    Column("transport", String(8), nullable=False),
    Column("domain", String(128), nullable=False),
    Column("user", String(64), nullable=False),
    Column("auth_user", String(64), nullable=False),
    Column("realm", String(128), nullable=False),
    Column("secret", String(1024)),
    Column("expires", Integer, nullable=False),
    Column("sources", JSON, nullable=False),
    Column("caller_id", String(16), nullable=False),
    Column("caller_number", String(64), nullable=False),
    Column("media_security", String(16), nullable=False),
    Column("symmetric", Boolean, nullable=False),
    Column("options_s", Integer, nullable=False),
    Column("enabled", Boolean, nullable=False),
    **MYSQL,
)

dial_rules = Table(
    "dial_rules",
    metadata,
    Column("id", ROW, primary_key=True, autoincrement=True),
    Column("position", Integer, nullable=False),
    Column("direction", String(8), nullable=False),
    Column("pattern", String(64), nullable=False),
    Column("action", String(16), nullable=False),
    Column("source", String(16), nullable=False),
    Column("source_name", String(64), nullable=False),
    Column("domain", String(255), nullable=False),
    Column("target", String(256), nullable=False),
    Column("strip", Integer, nullable=False),
    Column("prepend", String(32), nullable=False),
    Column("skip_missing", Boolean, nullable=False),
    Column("status", Integer, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("note", String(256), nullable=False),
    **MYSQL,
)

sip_numbers = Table(
    "sip_numbers",
    metadata,
    Column("number", String(20), primary_key=True),
    Column("room", String(64), nullable=False),
    Column("created_at", Double, nullable=False),
    Column("pin", String(255)),
    UniqueConstraint("room"),
    **MYSQL,
)

sip_calls = Table(
    "sip_calls",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("direction", String(8), nullable=False),
    Column("from_uri", String(256), nullable=False),
    Column("to_uri", String(256), nullable=False),
    Column("trunk", String(64), nullable=False),
    Column("account", String(64), nullable=False),
    Column("room", String(64), nullable=False),
    Column("participant", String(64), nullable=False, index=True),
    Column("started_at", Double, nullable=False),
    Column("answered_at", Double),
    Column("ended_at", Double),
    Column("status", Integer, nullable=False),
    Column("reason", String(128), nullable=False),
    Column("ladder", JSON, nullable=False),
    Column("media", JSON, nullable=False),
    Column("mos", Double),
    Index(None, "started_at", "id"),
    **MYSQL,
)

sip_usage = Table(
    "sip_usage",
    metadata,
    Column("who", String(255), primary_key=True),
    Column("hour", Integer, primary_key=True, autoincrement=False),
    Column("calls", Integer, nullable=False),
    **MYSQL,
)

sip_attempts = Table(
    "sip_attempts",
    metadata,
    Column("key", String(160), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("until", Double, nullable=False),
    Column("changed_at", Double, nullable=False, index=True),
    **MYSQL,
)

sip_state = Table(
    "sip_state",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", Integer, nullable=False),
    **MYSQL,
)
