"""The numbers of the rules about rooms, as the configuration sets them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Policy:
    """Times in seconds; other numbers are counts."""

    token_ttl_s: float = 600.0
    rejoin_window_s: float = 43_200.0
    join_grace_s: float = 30.0
    max_rooms: int = 100_000
    rooms_per_user: int = 1000
    members_per_room: int = 1000
    invitations_per_room: int = 200
    waiting_per_room: int = 200
    """In a room's lobby."""
    default_room: str = "lobby"
    """Id of the room that is always there."""
