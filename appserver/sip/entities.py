"""What is kept about SIP: accounts, trunks, rules of the dial plan, room numbers, calls. Plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Direction = Literal["in", "out"]
Source = Literal["any", "trunk", "account", "browser", "unknown"]
Action = Literal["room", "user", "menu", "trunk", "address", "reject"]


@dataclass(frozen=True)
class Account:
    """Somebody who proves a password: a phone that registers here."""

    id: int | None
    """None until it is written."""
    user: str
    realm: str
    display_name: str
    ha1: str
    """The hashes by algorithm, sealed (``vault``)."""
    created_at: float
    allow_md5_without_qop: bool = False
    may_call_out: bool = False
    call_out_patterns: list[str] = field(default_factory=list)
    calls_per_hour: int | None = None
    """None: as configured for everybody."""
    media_security: str = "optional"
    key_exchange: str = "sdes"
    symmetric: bool = False
    enabled: bool = True


@dataclass(frozen=True)
class Trunk:
    """A PBX or provider."""

    name: str
    servers: list[dict[str, Any]] = field(default_factory=list)
    """``{"uri": ..., "priority": n}``: where calls go, the lowest number first."""
    registrar: str = ""
    registers: bool = False
    transport: str = "udp"
    domain: str = ""
    user: str = ""
    auth_user: str = ""
    realm: str = ""
    secret: str | None = None
    """Sealed (``vault``)."""
    expires: int = 600
    sources: list[str] = field(default_factory=list)
    caller_id: str = "pass"
    caller_number: str = ""
    media_security: str = "optional"
    symmetric: bool = False
    options_s: int = 30
    enabled: bool = True


@dataclass(frozen=True)
class Rule:
    """A line of the dial plan."""

    id: int | None
    position: int
    direction: Direction
    pattern: str
    action: Action
    source: Source = "any"
    source_name: str = ""
    domain: str = ""
    target: str = "{user}"
    strip: int = 0
    prepend: str = ""
    skip_missing: bool = False
    """What the target names is not there: the next rule is asked, instead of 404."""
    status: int = 403
    """Of a rejection."""
    enabled: bool = True
    note: str = ""


@dataclass(frozen=True)
class Number:
    """The telephone number of a room."""

    number: str
    room: str
    created_at: float
    pin: str | None = None
    """Hashed (``vault``)."""


@dataclass(frozen=True)
class Call:
    """The record of one call."""

    id: str
    revision: int
    direction: Direction
    from_uri: str
    to_uri: str
    trunk: str
    account: str
    room: str
    participant: str
    started_at: float
    answered_at: float | None
    ended_at: float | None
    status: int
    reason: str
    ladder: list[dict[str, Any]]
    media: dict[str, Any]
    mos: float | None


@dataclass(frozen=True)
class Present:
    """A browser that can be made to ring."""

    participant: str
    room: str
    display_name: str
