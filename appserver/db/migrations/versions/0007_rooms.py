"""What rooms have: owners, PINs, lobby, members, invitations, chat, meetings' state.

Revision ID: 0007
"""

from __future__ import annotations

revision = "0007"
down_revision: str | None = "0006"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
