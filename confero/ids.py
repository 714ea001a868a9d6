"""Identifiers: opaque, URL-safe, unguessable where that matters."""

from __future__ import annotations

import secrets


def new_id(prefix: str) -> str:
    """A fresh id such as ``leg_3vQ...``: 96 random bits, enough to be neither guessed nor met twice."""
    return f"{prefix}_{secrets.token_urlsafe(12)}"
