"""What rooms have: owners, PINs, lobby, lock; members and invitations; what people in them are.

Revision ID: 0007
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision: str | None = "0006"
branch_labels: str | None = None
depends_on: str | None = None

MYSQL: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}
ROOMS = ("owner", "pin", "host_pin", "lobby", "host_first", "speak", "locked")
PEOPLE = ("user", "invitation", "admitted", "may_speak", "hand_at")


def flag(name: str, default: Any = None) -> sa.Column[Any]:
    return sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false() if default is None else default)


def upgrade() -> None:
    _rooms()
    _people()
    _members()
    _invitations()


def _rooms() -> None:
    for column in (
        sa.Column("owner", sa.String(64)),
        sa.Column("pin", sa.String(255)),
        sa.Column("host_pin", sa.String(255)),
        flag("lobby"),
        flag("host_first"),
        sa.Column("speak", sa.String(16), nullable=False, server_default="all"),
        flag("locked"),
    ):
        op.add_column("rooms", column)
    op.create_index("ix_rooms_owner_used_at", "rooms", ["owner", "used_at"])
    op.create_index("ix_rooms_used_at_id", "rooms", ["used_at", "id"])


def _people() -> None:
    for column in (
        sa.Column("user", sa.String(64)),
        sa.Column("invitation", sa.String(64)),
        flag("admitted", sa.true()),
        flag("may_speak"),
        sa.Column("hand_at", sa.Double),
    ):
        op.add_column("participants", column)
    op.create_index("ix_participants_user", "participants", ["user"])
    op.create_index("ix_participants_admitted_room", "participants", ["admitted", "room"])


def _members() -> None:
    op.create_table(
        "room_members",
        sa.Column("room", sa.String(64), nullable=False),
        sa.Column("user", sa.String(64), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("added_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("room", "user", name="pk_room_members"),
        **MYSQL,
    )
    op.create_index("ix_room_members_user", "room_members", ["user"])


def _invitations() -> None:
    op.create_table(
        "invitations",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("room", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("note", sa.String(64), nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("created_by", sa.String(128), nullable=False),
        sa.Column("expires_at", sa.Double),
        sa.Column("max_uses", sa.Integer),
        sa.Column("uses", sa.Integer, nullable=False),
        sa.Column("revoked", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_invitations"),
        sa.UniqueConstraint("digest", name="uq_invitations_digest"),
        **MYSQL,
    )
    op.create_index("ix_invitations_room_created_at", "invitations", ["room", "created_at"])


def downgrade() -> None:
    op.drop_table("invitations")
    op.drop_table("room_members")
    for index in ("ix_participants_admitted_room", "ix_participants_user"):
        op.drop_index(index, "participants")
    for name in PEOPLE:
        op.drop_column("participants", name)
    for index in ("ix_rooms_used_at_id", "ix_rooms_owner_used_at"):
        op.drop_index(index, "rooms")
    for name in ROOMS:
        op.drop_column("rooms", name)
