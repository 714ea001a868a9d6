"""What a call's task deals with, one after another: events of its session, and what others want of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from confero.protocols.sip.session import Event

from ..userdata import Fields


@dataclass(frozen=True)
class LegLost:
    """The MCU has ended the leg, or is gone: the reason as it is known."""

    reason: str


@dataclass(frozen=True)
class HangUp:
    """The gateway's own wish: drain, a moderator, the caller of the API."""

    reason: str
    says: Fields = ()
    """What the peer is told by it."""


@dataclass(frozen=True)
class Later:
    """A step that the call's task is to take when it is its turn."""

    step: Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class RingSaid:
    """Somebody has answered the ring: see there."""


Happening = Event | LegLost | HangUp | Later | RingSaid
