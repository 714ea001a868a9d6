"""Alembic's entry: migrates the connection that ``migrate.py`` hands in."""

from __future__ import annotations

from alembic import context

attributes = context.config.attributes
journal = attributes["journal"]
context.configure(
    connection=attributes["connection"],
    target_metadata=attributes["metadata"],
    render_as_batch=True,  # SQLite cannot alter a table in place
    transactional_ddl=attributes["connection"].dialect.name == "sqlite",
    on_version_apply=journal.step_done if journal is not None else None,
)
with context.begin_transaction():
    context.run_migrations()
