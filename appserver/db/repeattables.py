"""The table of requests that were sent under an idempotency key."""

from __future__ import annotations

from sqlalchemy import Column, Double, Index, Integer, String, Table, Text
from sqlalchemy.dialects.mysql import MEDIUMTEXT

from .models import MYSQL, metadata

repeats = Table(
    "repeats",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("actor", String(96), nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("begun_at", Double, nullable=False, index=True),
    Column("status", Integer),
    Column("content_type", String(64), nullable=False),
    Column("sealed", Text().with_variant(MEDIUMTEXT(), "mysql"), nullable=False),
    Index("ix_repeats_actor_begun_at", "actor", "begun_at"),
    **MYSQL,
)
