"""The tables of rooms beside the rooms themselves: members, invitations."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Double, Index, Integer, String, Table

from .models import MYSQL, metadata

room_members = Table(
    "room_members",
    metadata,
    Column("room", String(64), primary_key=True),
    Column("user", String(64), primary_key=True, index=True),
    Column("role", String(16), nullable=False),
    Column("added_at", Double, nullable=False),
    **MYSQL,
)

invitations = Table(
    "invitations",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("room", String(64), nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("role", String(16), nullable=False),
    Column("note", String(64), nullable=False),
    Column("created_at", Double, nullable=False),
    Column("created_by", String(128), nullable=False),
    Column("expires_at", Double),
    Column("max_uses", Integer),
    Column("uses", Integer, nullable=False),
    Column("revoked", Boolean, nullable=False),
    Index(None, "room", "created_at"),
    **MYSQL,
)
