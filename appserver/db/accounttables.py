"""The tables of accounts: users, their sessions, keys and one-time links; the audit log."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Double, Integer, String, Table

from .models import MYSQL, metadata

users = Table(
    "users",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("login", String(128), nullable=False, unique=True),
    Column("display_name", String(64), nullable=False),
    Column("created_at", Double, nullable=False),
    Column("role", String(16), nullable=False),
    Column("mail", String(254)),
    Column("enabled", Boolean, nullable=False),
    Column("password", String(255)),
    Column("signed_in_at", Double),
    **MYSQL,
)

account_sessions = Table(
    "account_sessions",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("user", String(64), nullable=False, index=True),
    Column("csrf", String(64), nullable=False),
    Column("created_at", Double, nullable=False),
    Column("used_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False, index=True),
    Column("source", String(64), nullable=False),
    Column("agent", String(200), nullable=False),
    **MYSQL,
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("user", String(64), nullable=False, index=True),
    Column("name", String(64), nullable=False),
    Column("scopes", String(255), nullable=False),
    Column("hint", String(16), nullable=False),
    Column("created_at", Double, nullable=False),
    Column("expires_at", Double),
    Column("used_at", Double),
    **MYSQL,
)

one_time_links = Table(
    "one_time_links",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("user", String(64), nullable=False, index=True),
    Column("created_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
    **MYSQL,
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("at", Double, nullable=False, index=True),
    Column("actor", String(160), nullable=False),
    Column("source", String(64), nullable=False),
    Column("action", String(64), nullable=False),
    Column("target", String(128), nullable=False),
    Column("detail", String(255), nullable=False),
    **MYSQL,
)
