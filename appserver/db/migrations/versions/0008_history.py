"""Records of meetings and of stays in them; media servers that are to be drained.

Revision ID: 0008
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision: str | None = "0007"
branch_labels: str | None = None
depends_on: str | None = None

MYSQL: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}
QUALITY = ("loss_in", "loss_out", "jitter_in_ms", "jitter_out_ms", "mos_in", "mos_out")


def _row() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True)


def _name(name: str, length: int = 64, *, optional: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=optional)


def _who() -> list[sa.Column[Any]]:
    return [_name("display_name"), _name("role", 16), _name("kind", 16), _name("user", optional=True)]


def _when_and_how() -> list[sa.Column[Any]]:
    return [
        sa.Column("joined_at", sa.Double, nullable=False),
        sa.Column("left_at", sa.Double),
        _name("reason"),
        _name("codec", 16),
        _name("security", 16),
    ]


def upgrade() -> None:
    op.create_table(
        "meetings",
        sa.Column("id", sa.String(64), primary_key=True),
        _name("room"),
        _name("room_name"),
        _name("owner", optional=True),
        sa.Column("started_at", sa.Double, nullable=False),
        sa.Column("ended_at", sa.Double),
        _name("reason", 16),
        sa.Column("participants", sa.Integer, nullable=False),
        sa.Column("most", sa.Integer, nullable=False),
        sa.Column("mos", sa.Double),
        **MYSQL,
    )
    op.create_table(
        "stays",
        _row(),
        _name("meeting"),
        _name("participant"),
        *_who(),
        *_when_and_how(),
        *[sa.Column(name, sa.Double) for name in QUALITY],
        sa.UniqueConstraint("meeting", "participant", name="uq_stays_meeting_participant"),
        **MYSQL,
    )
    op.create_table(
        "stay_legs",
        _row(),
        *[_name(name) for name in ("meeting", "participant", "room", "mcu", "boot")],
        *_who(),
        *_when_and_how(),
        sa.Column("packets_in", sa.BigInteger, nullable=False),
        sa.Column("packets_out", sa.BigInteger, nullable=False),
        *[sa.Column(name, sa.Double) for name in QUALITY],
        sa.UniqueConstraint(
            "participant", "room", "joined_at", "boot", name="uq_stay_legs_participant_room_joined_at_boot"
        ),
        **MYSQL,
    )
    op.create_table(
        "mcu_drains",
        sa.Column("mcu", sa.String(64), primary_key=True),
        sa.Column("since", sa.Double, nullable=False),
        **MYSQL,
    )
    for table, columns in INDEXES:
        op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns))


INDEXES = (
    ("meetings", ("started_at", "id")),
    ("meetings", ("room", "started_at")),
    ("meetings", ("owner", "started_at")),
    ("meetings", ("ended_at",)),
    ("stays", ("user", "meeting")),
    ("stay_legs", ("meeting", "left_at")),
    ("stay_legs", ("mcu", "left_at")),
    ("sip_calls", ("participant",)),
)


def downgrade() -> None:
    op.drop_index("ix_sip_calls_participant", "sip_calls")
    for table in ("mcu_drains", "stay_legs", "stays", "meetings"):
        op.drop_table(table)
