"""The tables of meetings: their state, beside what rooms are set to, and the chat."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Double, Integer, String, Table, UniqueConstraint, false

from .models import MYSQL, metadata

meeting_states = Table(
    "meeting_states",
    metadata,
    Column("room", String(64), primary_key=True),
    Column("version", Integer, nullable=False, server_default="0"),
    Column("started_at", Double, index=True),
    Column("ending", Boolean, nullable=False, server_default=false()),
    Column("spotlight", String(64)),
    Column("tell_at", Double, index=True),
    Column("last_message", Integer, nullable=False, server_default="0"),
    **MYSQL,
)

chat_messages = Table(
    "chat_messages",
    metadata,
    Column("room", String(64), primary_key=True),
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("at", Double, nullable=False),
    Column("participant", String(64), nullable=False),
    Column("display_name", String(64), nullable=False),
    Column("text", String(2000), nullable=False),
    Column("nonce", String(64)),
    UniqueConstraint("room", "participant", "nonce"),
    **MYSQL,
)
