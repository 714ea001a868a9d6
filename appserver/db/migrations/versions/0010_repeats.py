"""Requests that were sent under an idempotency key.

Revision ID: 0010
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import MEDIUMTEXT

revision = "0010"
down_revision: str | None = "0009"
branch_labels: str | None = None
depends_on: str | None = None

MYSQL: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}


def upgrade() -> None:
    op.create_table(
        "repeats",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("actor", sa.String(96), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("begun_at", sa.Double, nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("content_type", sa.String(64), nullable=False),
        sa.Column("sealed", sa.Text().with_variant(MEDIUMTEXT(), "mysql"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_repeats"),
        **MYSQL,
    )
    op.create_index("ix_repeats_begun_at", "repeats", ["begun_at"])
    op.create_index("ix_repeats_actor_begun_at", "repeats", ["actor", "begun_at"])


def downgrade() -> None:
    op.drop_table("repeats")
