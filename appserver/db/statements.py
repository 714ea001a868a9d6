"""Statements that the SQL of SQLite and MySQL spells differently."""

from __future__ import annotations

from sqlalchemy import Insert, Table, insert


def insert_new(table: Table) -> Insert:
    """Inserts rows as far as none with the same key is there, maybe since this moment; ``rowcount`` says how many."""
    return insert(table).prefix_with("OR IGNORE", dialect="sqlite").prefix_with("IGNORE", dialect="mysql")
