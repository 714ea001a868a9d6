"""Meetings: their state, the chat, and who has been sent away.

Revision ID: 0009
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision: str | None = "0008"
branch_labels: str | None = None
depends_on: str | None = None

MYSQL: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}


def upgrade() -> None:
    op.add_column("participants", sa.Column("removed_at", sa.Double))
    op.create_table(
        "meeting_states",
        sa.Column("room", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer, nullable=False, server_default="0"),
        sa.Column("started_at", sa.Double),
        sa.Column("ending", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("spotlight", sa.String(64)),
        sa.Column("tell_at", sa.Double),
        sa.Column("last_message", sa.Integer, nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("room", name="pk_meeting_states"),
        **MYSQL,
    )
    for column in ("started_at", "tell_at"):
        op.create_index(f"ix_meeting_states_{column}", "meeting_states", [column])
    _chat()


def _chat() -> None:
    op.create_table(
        "chat_messages",
        sa.Column("room", sa.String(64), nullable=False),
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("participant", sa.String(64), nullable=False),
        sa.Column("display_name", sa.String(64), nullable=False),
        sa.Column("text", sa.String(2000), nullable=False),
        sa.Column("nonce", sa.String(64)),
        sa.PrimaryKeyConstraint("room", "id", name="pk_chat_messages"),
        sa.UniqueConstraint("room", "participant", "nonce", name="uq_chat_messages_room_participant_nonce"),
        **MYSQL,
    )


def downgrade() -> None:
    op.drop_table("chat_messages")
    op.drop_table("meeting_states")
    op.drop_column("participants", "removed_at")
