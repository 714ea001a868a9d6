"""Rooms, participants, leg records and MCUs.

Revision ID: 0001
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None
branch_labels: str | None = None
depends_on: str | None = None

MYSQL: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}


def upgrade() -> None:
    op.create_table(
        "rooms",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("max_participants", sa.Integer, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("used_at", sa.Double, nullable=False),
        sa.Column("permanent", sa.Boolean, nullable=False),
        sa.Column("mcu", sa.String(64)),
        sa.PrimaryKeyConstraint("id", name="pk_rooms"),
        **MYSQL,
    )
    op.create_index("ix_rooms_mcu", "rooms", ["mcu"])
    op.create_table(
        "participants",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("room", sa.String(64), nullable=False),
        sa.Column("display_name", sa.String(64), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("reserved_until", sa.Double, nullable=False),
        sa.Column("session", sa.String(64)),
        sa.Column("notifier", sa.String(64)),
        sa.Column("leg_mcu", sa.String(64)),
        sa.PrimaryKeyConstraint("id", name="pk_participants"),
        **MYSQL,
    )
    op.create_index("ix_participants_created_at", "participants", ["created_at"])
    op.create_index("ix_participants_notifier", "participants", ["notifier"])
    op.create_index("ix_participants_leg_mcu", "participants", ["leg_mcu"])
    op.create_index("ix_participants_room_reserved_until", "participants", ["room", "reserved_until"])
    op.create_table(
        "leg_records",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer, "sqlite"),
            primary_key=True,
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("mcu", sa.String(64), nullable=False),
        sa.Column("boot", sa.String(64), nullable=False),
        sa.Column("room", sa.String(64), nullable=False),
        sa.Column("participant", sa.String(64), nullable=False),
        sa.Column("display_name", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("event", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(64), nullable=False),
        sa.Column("stats", sa.JSON, nullable=False),
        sa.UniqueConstraint("participant", "event", "at", "boot", name="uq_leg_records_participant_event_at_boot"),
        **MYSQL,
    )
    op.create_index("ix_leg_records_at", "leg_records", ["at"])
    op.create_index("ix_leg_records_room", "leg_records", ["room"])
    op.create_table(
        "mcus",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("boot", sa.String(64), nullable=False),
        sa.Column("url", sa.String(256), nullable=False),
        sa.Column("capacity", sa.Integer, nullable=False),
        sa.Column("registered_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_mcus"),
        **MYSQL,
    )


def downgrade() -> None:
    for table in ("mcus", "leg_records", "participants", "rooms"):
        op.drop_table(table)
