"""How many are mixed at once, for each room.

Revision ID: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision: str | None = "0001"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.add_column("rooms", sa.Column("talkers", sa.Integer, nullable=False, server_default="6"))


def downgrade() -> None:
    op.drop_column("rooms", "talkers")
