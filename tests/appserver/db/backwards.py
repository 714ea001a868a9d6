"""A database of an earlier version, made by the migrations' own way back."""

from __future__ import annotations

from alembic import command
from sqlalchemy import Connection

from confero.appserver.db.engine import Database
from confero.appserver.db.migrate import _config
from confero.appserver.db.siptables import metadata


async def downgrade(database: Database, revision: str) -> None:
    """To this revision, losing what only later ones keep."""

    def work(connection: Connection) -> None:
        config = _config()
        config.attributes.update(connection=connection, metadata=metadata)
        command.downgrade(config, revision)

    await database.write(lambda connection: connection.run_sync(work))
