"""Who asks: whatever a request has proved about its sender."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from confero.models import Role
from confero.models.accounts import AccountRole, Scope

Proof = Literal["none", "session", "key", "participant", "admin-token"]


@dataclass(frozen=True)
class Actor:
    """The sender of a request. ``ANYONE`` has proved nothing."""

    proof: Proof = "none"
    user: str | None = None
    """Account id, of ``session`` and ``key``; of ``participant`` too, where somebody joined signed in."""
    login: str = ""
    name: str = field(default="", compare=False)
    """Of a participant, as others see it."""
    role: AccountRole | None = None
    """Of the account; ``admin`` of the admin token."""
    scopes: frozenset[Scope] | None = None
    """Of a key; None: no limit."""
    hint: str = ""
    """The first characters of the key."""
    session: str | None = None
    """Id of the session, for ``proof`` = ``session``."""
    participant: str | None = None
    room: str | None = None
    """Of a join token."""
    room_role: Role | None = None
    waiting: bool = False
    """A participant in the lobby, who may do nothing in the room yet."""
    source: str = field(default="", compare=False)
    """Address."""


ANYONE = Actor()
