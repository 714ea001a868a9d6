"""SIP: accounts, trunks, the dial plan with its first rules, room numbers, call records, counts and failed tries.

Revision ID: 0004
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision: str | None = "0003"
branch_labels: str | None = None
depends_on: str | None = None

MYSQL: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}
TABLES = (
    "sip_accounts",
    "sip_trunks",
    "dial_rules",
    "sip_numbers",
    "sip_calls",
    "sip_usage",
    "sip_attempts",
    "sip_state",
)
FIRST_RULES = (
    ("any", "room", "A room by its id or number, as a browser reaches it by its link."),
    ("account", "user", "A telephone with an account calls another account, or somebody who is here in a browser."),
)


def row() -> sa.Column[Any]:
    kind = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    return sa.Column("id", kind, primary_key=True, autoincrement=True, nullable=False)


def text(name: str, size: int) -> sa.Column[Any]:
    return sa.Column(name, sa.String(size), nullable=False)


def number(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer, nullable=False)


def flag(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Boolean, nullable=False)


def time(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Double, nullable=False)


def json(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.JSON, nullable=False)


def upgrade() -> None:
    _who_calls()
    _where_to()
    _what_was()


def _who_calls() -> None:
    op.create_table(
        "sip_accounts",
        row(),
        text("user", 64),
        text("realm", 128),
        text("display_name", 64),
        text("ha1", 1024),
        time("created_at"),
        flag("allow_md5_without_qop"),
        flag("may_call_out"),
        json("call_out_patterns"),
        sa.Column("calls_per_hour", sa.Integer),
        flag("enabled"),
        sa.UniqueConstraint("user", "realm", name="uq_sip_accounts_user_realm"),
        **MYSQL,
    )
    op.create_table(
        "sip_trunks",
        text("name", 64),
        json("servers"),
        text("registrar", 256),
        flag("registers"),
        text("transport", 8),
        text("domain", 128),
        text("user", 64),
        text("auth_user", 64),
        text("realm", 128),
        sa.Column("secret", sa.String(1024)),
        number("expires"),
        json("sources"),
        text("caller_id", 16),
        text("caller_number", 64),
        text("media_security", 16),
        flag("symmetric"),
        number("options_s"),
        flag("enabled"),
        sa.PrimaryKeyConstraint("name", name="pk_sip_trunks"),
        **MYSQL,
    )


def _where_to() -> None:
    rules = op.create_table(
        "dial_rules",
        row(),
        number("position"),
        text("direction", 8),
        text("pattern", 64),
        text("action", 16),
        text("source", 16),
        text("source_name", 64),
        text("domain", 255),
        text("target", 256),
        number("strip"),
        text("prepend", 32),
        flag("skip_missing"),
        number("status"),
        flag("enabled"),
        text("note", 256),
        **MYSQL,
    )
    common = {"direction": "in", "pattern": ".", "target": "{user}", "skip_missing": True, "enabled": True}
    common |= {"source_name": "", "domain": "", "strip": 0, "prepend": "", "status": 403}
    op.bulk_insert(
        rules,
        [
            {**common, "position": 1000 + 10 * place, "source": source, "action": action, "note": note}
            for place, (source, action, note) in enumerate(FIRST_RULES)
        ],
    )
    op.create_table(
        "sip_numbers",
        text("number", 20),
        text("room", 64),
        time("created_at"),
        sa.Column("pin", sa.String(255)),
        sa.PrimaryKeyConstraint("number", name="pk_sip_numbers"),
        sa.UniqueConstraint("room", name="uq_sip_numbers_room"),
        **MYSQL,
    )


def _what_was() -> None:
    op.create_table(
        "sip_calls",
        text("id", 64),
        number("revision"),
        text("direction", 8),
        text("from_uri", 256),
        text("to_uri", 256),
        text("trunk", 64),
        text("account", 64),
        text("room", 64),
        text("participant", 64),
        time("started_at"),
        sa.Column("answered_at", sa.Double),
        sa.Column("ended_at", sa.Double),
        number("status"),
        text("reason", 128),
        json("ladder"),
        json("media"),
        sa.Column("mos", sa.Double),
        sa.PrimaryKeyConstraint("id", name="pk_sip_calls"),
        **MYSQL,
    )
    op.create_index("ix_sip_calls_started_at_id", "sip_calls", ["started_at", "id"])
    op.create_table(
        "sip_usage",
        text("who", 255),
        sa.Column("hour", sa.Integer, nullable=False, autoincrement=False),
        number("calls"),
        sa.PrimaryKeyConstraint("who", "hour", name="pk_sip_usage"),
        **MYSQL,
    )
    op.create_table(
        "sip_attempts",
        text("key", 160),
        number("failures"),
        time("until"),
        time("changed_at"),
        sa.PrimaryKeyConstraint("key", name="pk_sip_attempts"),
        **MYSQL,
    )
    op.create_index("ix_sip_attempts_changed_at", "sip_attempts", ["changed_at"])
    state = op.create_table(
        "sip_state",
        text("name", 32),
        number("value"),
        sa.PrimaryKeyConstraint("name", name="pk_sip_state"),
        **MYSQL,
    )
    op.bulk_insert(state, [{"name": "version", "value": 1}])


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
