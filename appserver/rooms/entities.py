"""What the application server knows: rooms, people, MCUs. Plain values; the database and the rules share them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from confero.models import DEFAULT_TALKERS, Role
from confero.models.meetings import Speak


@dataclass(frozen=True)
class Room:
    """A place to meet."""

    id: str
    name: str
    max_participants: int
    created_at: float
    used_at: float
    """Last join, Unix time."""
    permanent: bool = False
    """Never deleted for being unused."""
    mcu: str | None = None
    """Where it lives; None until the first join."""
    talkers: int = DEFAULT_TALKERS
    """How many are mixed at once, the loudest; 0: all."""
    noise_dbov: int | None = None
    """Comfort noise in the mix, -dBov."""
    announce: bool = False
    """Notes tell who comes and goes."""
    owner: str | None = None
    """Account to which it belongs."""
    pin: str | None = None
    """Of guests, sealed (``pins``)."""
    host_pin: str | None = None
    """Of hosts, sealed."""
    lobby: bool = False
    """Guests wait until a host admits them."""
    host_first: bool = False
    """Guests wait until a host is there."""
    speak: Speak = "all"
    locked: bool = False
    """Nobody new comes in, hosts and members excepted."""


@dataclass(frozen=True)
class Person:
    """A participant: somebody who has, or had, a place in one room."""

    id: str
    room: str
    display_name: str
    created_at: float
    role: Role = "guest"
    kind: Literal["webrtc", "rtp"] = "webrtc"
    reserved_until: float = 0.0
    """The place is kept until then, Unix time, though neither session nor leg is there."""
    session: str | None = None
    """Session at the notifier."""
    notifier: str | None = None
    """Which notifier holds it."""
    leg_mcu: str | None = None
    """MCU with this participant's leg."""
    user: str | None = None
    """Account, of whoever joined signed in."""
    invitation: str | None = None
    """Id of the invitation by which they came."""
    admitted: bool = True
    """False: they wait in the lobby."""
    may_speak: bool = False
    """A host has let them, where guests may not by themselves."""
    hand_at: float | None = None
    """Since when their hand is raised."""
    removed_at: float | None = None
    """When a host sent them away, until the meeting is over."""

    def is_live(self, now: float) -> bool:
        """Whether the participant takes a place: connected, heard, or expected."""
        return self.session is not None or self.leg_mcu is not None or self.reserved_until > now


@dataclass(frozen=True)
class KnownMcu:
    """An MCU as the database remembers it over a restart."""

    id: str
    boot: str
    url: str
    capacity: int


@dataclass(frozen=True)
class Member:
    """An account that a room knows."""

    room: str
    user: str
    role: Role
    added_at: float


@dataclass(frozen=True)
class Invitation:
    """A link into a room. Of its secret only a digest is kept."""

    id: str
    room: str
    digest: str
    """SHA-256 of the secret, hexadecimal."""
    role: Role
    note: str
    created_at: float
    created_by: str
    """Login, or what else names its maker."""
    expires_at: float | None = None
    max_uses: int | None = None
    uses: int = 0
    revoked: bool = False
