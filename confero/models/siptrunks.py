"""How the gateway's trunks are: the wire model of GET /v1/trunks on the gateway's control port (2133)."""

from __future__ import annotations

from typing import Literal

from .base import Reply


class SipServerState(Reply):
    uri: str
    priority: int
    state: Literal["unknown", "up", "down"]
    reason: str
    """Of the last check: what was answered."""
    since: float
    """Unix time of the last change."""
    answer_ms: float | None
    """How long the last answer took; None: there was none."""


class SipTrunkState(Reply):
    name: str
    available: bool
    """Whether a call through it has a chance: a server is there, and we are registered if we have to be."""
    registration: Literal["none", "idle", "asking", "registered", "refused", "unreachable"]
    status: int
    """Of the registrar's last answer, or 0."""
    reason: str
    registered_s: float
    """Seconds for which the registration still holds."""
    servers: list[SipServerState]
    """In the order in which they would be tried now."""


class SipTrunkStates(Reply):
    items: list[SipTrunkState]
