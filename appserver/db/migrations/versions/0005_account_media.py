"""How an account's telephone has its media.

Revision ID: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision: str | None = "0004"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.add_column("sip_accounts", sa.Column("media_security", sa.String(16), nullable=False, server_default="optional"))
    op.add_column("sip_accounts", sa.Column("key_exchange", sa.String(8), nullable=False, server_default="sdes"))
    op.add_column("sip_accounts", sa.Column("symmetric", sa.Boolean, nullable=False, server_default=sa.false()))


def downgrade() -> None:
    op.drop_column("sip_accounts", "symmetric")
    op.drop_column("sip_accounts", "key_exchange")
    op.drop_column("sip_accounts", "media_security")
