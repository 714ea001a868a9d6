"""Comfort noise, and notes for who comes and goes, for each room.

Revision ID: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision: str | None = "0002"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.add_column("rooms", sa.Column("noise_dbov", sa.Integer))
    op.add_column("rooms", sa.Column("announce", sa.Boolean, nullable=False, server_default=sa.false()))


def downgrade() -> None:
    op.drop_column("rooms", "announce")
    op.drop_column("rooms", "noise_dbov")
