"""What all legs share: whom they tell, and what they are made from."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from confero.clock import Clock
from confero.ids import new_id
from confero.media import JitterBuffer
from confero.protocols.sdp import Redundancy

from ..pipeline.engine import MediaEngine

GRACE_S = 5.0
"""The engine measures silence; only where its word is missing this much later a leg goes by its own clock."""


class NewLegNeeded(Exception):
    """The offer is of another transport or DTLS association: it cannot go on on this leg (RFC 8842 section 3)."""


class LegOwner(Protocol):
    """Hears what becomes of a leg. Each may be called more than once, and after the leg was closed."""

    def connected(self, leg: str) -> None:
        """Media can flow."""
        ...

    def disconnected(self, leg: str) -> None:
        """It seems to have stopped; it may come back."""
        ...

    def failed(self, leg: str, reason: str) -> None:
        """It is over; ``reason`` is one of docs/wire.md."""
        ...

    def renumbered(self, leg: str, old: int) -> None:
        """The engine has another number for it now."""
        ...


@dataclass(frozen=True)
class LegSettings:
    """See ``McuConfig``; times in seconds."""

    setup_s: float = 15.0
    consent_s: float = 30.0
    stale_s: float = 8.0
    answer_s: float = 300.0
    jitter: JitterBuffer = field(default_factory=JitterBuffer)
    redundancy: Redundancy = "auto"
    low_delay: bool = False
    to_loopback: bool = False


@dataclass(frozen=True)
class LegContext:
    """Where a new leg comes in."""

    engine: MediaEngine
    owner: LegOwner
    clock: Clock
    settings: LegSettings
    remove: Callable[[int], None]
    """Takes a leg out of the engine for good; never raises."""
    next_number: Callable[[], int]
    room: int = 0
    """The engine's number of the room; 0: not known yet."""


class Identity:
    """The names and random numbers of one leg."""

    def __init__(self) -> None:
        self.leg = new_id("leg")
        self.session_id = secrets.randbits(62)  # RFC 8829 section 5.2.1: fits a signed 64-bit number
        self.ssrc = secrets.randbelow(2**32 - 1) + 1
        self.cname = secrets.token_urlsafe(12)  # RFC 7022: not to be told from another's, nor to be guessed
        self.version = 0

    def next_version(self) -> int:
        """For ``o=``: one more with each description."""
        self.version += 1
        return self.version


def new_ice_credentials() -> tuple[str, str]:
    """ufrag and password: 48 and 128 random bits (RFC 8839 section 5.4 asks for 24 and 128)."""
    return secrets.token_hex(6), secrets.token_hex(16)
