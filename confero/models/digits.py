"""Keys of the telephone, sent and collected by the MCU (2131, /v1/legs/{leg})."""

from __future__ import annotations

from pydantic import Field

from .base import Id, Reply, Request


class DigitsSend(Request):
    """POST /v1/legs/{leg}/digits -> 204: as events (RFC 4733), or as tones where the peer takes none."""

    digits: str = Field(pattern=r"^[0-9*#A-D!]{1,64}$")
    ms: int = Field(default=100, ge=40, le=10_000)
    """Of each."""


class CollectRequest(Request):
    """POST /v1/legs/{leg}/collect -> 204: digits are kept from now on. GET reads them, DELETE ends it."""

    in_band: bool = True
    """Also those that come as tones; these are cut from what others hear."""


class Digit(Reply):
    number: int
    """From 1 on; a gap says that older ones were dropped."""
    digit: str
    ms: int
    in_band: bool
    at: float


class OwnerDigit(Reply):
    """A digit of one of an owner's legs."""

    number: int
    """From 1 on, over all legs of the owner."""
    leg: Id
    digit: str
    ms: int
    in_band: bool
    at: float


class OwnerChange(Reply):
    """What a host or a room's rules have decided about one of an owner's legs."""

    number: int
    """In one line with the digits'."""
    leg: Id
    muted: bool
    held: bool


class OwnerDigits(Reply):
    """GET /v1/owners/{owner}/digits?after=&wait_s= : those of all its legs that collect, in their order."""

    digits: list[OwnerDigit]
    """At most the last 1024."""
    changes: list[OwnerChange] = Field(default_factory=list)
    """Likewise."""
    last: int = 0
    """The highest number that was given: what to ask after."""


class Digits(Reply):
    """GET /v1/legs/{leg}/collect?after=&wait_s="""

    digits: list[Digit]
    """At most the last 64."""
