"""Accounts of people, their sessions and keys, one-time links, the audit log.

Revision ID: 0006
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision: str | None = "0005"
branch_labels: str | None = None
depends_on: str | None = None

MYSQL: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}
NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def text(name: str, length: int, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.String(length), nullable=nullable)


def time(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Double, nullable=nullable)


def upgrade() -> None:
    _users()
    _sessions()
    _keys()
    _links()
    _audit()


def _users() -> None:
    op.create_table(
        "users",
        *(text("id", 64), text("login", 128), text("display_name", 64), time("created_at"), text("role", 16)),
        *(text("mail", 254, nullable=True), sa.Column("enabled", sa.Boolean, nullable=False)),
        *(text("password", 255, nullable=True), time("signed_in_at", nullable=True)),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("login", name="uq_users_login"),
        **MYSQL,
    )


def _sessions() -> None:
    op.create_table(
        "account_sessions",
        *(text("id", 64), text("digest", 64), text("user", 64), text("csrf", 64)),
        *(time("created_at"), time("used_at"), time("expires_at"), text("source", 64), text("agent", 200)),
        sa.PrimaryKeyConstraint("id", name="pk_account_sessions"),
        sa.UniqueConstraint("digest", name="uq_account_sessions_digest"),
        **MYSQL,
    )
    op.create_index("ix_account_sessions_user", "account_sessions", ["user"])
    op.create_index("ix_account_sessions_expires_at", "account_sessions", ["expires_at"])


def _keys() -> None:
    op.create_table(
        "api_keys",
        *(text("id", 64), text("digest", 64), text("user", 64), text("name", 64), text("scopes", 255)),
        *(text("hint", 16), time("created_at"), time("expires_at", nullable=True), time("used_at", nullable=True)),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        sa.UniqueConstraint("digest", name="uq_api_keys_digest"),
        **MYSQL,
    )
    op.create_index("ix_api_keys_user", "api_keys", ["user"])


def _links() -> None:
    op.create_table(
        "one_time_links",
        *(text("digest", 64), text("user", 64), time("created_at"), time("expires_at")),
        sa.PrimaryKeyConstraint("digest", name="pk_one_time_links"),
        **MYSQL,
    )
    op.create_index("ix_one_time_links_user", "one_time_links", ["user"])


def _audit() -> None:
    op.create_table(
        "audit_log",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        *(time("at"), text("actor", 160), text("source", 64), text("action", 64), text("target", 128)),
        text("detail", 255),
        **MYSQL,
    )
    op.create_index("ix_audit_log_at", "audit_log", ["at"])


def downgrade() -> None:
    for table in ("audit_log", "one_time_links", "api_keys", "account_sessions", "users"):
        op.drop_table(table)
