"""How often a PIN may be tried: a try is charged before it is looked at, so that those made at once cannot pass together. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Protocol

from confero.errors import Refused


@dataclass(frozen=True)
class Limit:
    """After ``free`` failures each further one costs a wait, which doubles."""

    free: int
    first_s: float
    longest_s: float

    def wait_s(self, failures: int) -> float:
        """How long nothing is looked at after so many failures."""
        if failures < self.free:
            return 0.0
        return min(self.longest_s, self.first_s * 2.0 ** min(failures - self.free, 32))


LONGEST_SAID_S = 3600.0
"""What is said of a longer wait."""
FORGET_S = 3600.0
"""Failures count until none has followed for this long."""
NEVER_S = 10 * 365 * 86_400.0
CALL = Limit(free=3, first_s=NEVER_S, longest_s=NEVER_S)
"""Three tries a call."""
PAIR = Limit(free=3, first_s=30, longest_s=3600)
"""One source at one room, or at a number that nobody has."""
SOURCE = Limit(free=10, first_s=60, longest_s=3600)
"""One source at all of them."""
NUMBER = Limit(free=50, first_s=2, longest_s=60)
"""All sources at one: short, since it shuts out those who know the PIN as well."""
ENTRIES = Limit(free=5, first_s=NEVER_S, longest_s=NEVER_S)
"""Numbers keyed in one call."""
NUMBERS = Limit(free=30, first_s=60, longest_s=3600)
"""Numbers keyed by one source that did not let in by themselves."""


@dataclass(frozen=True)
class Charge:
    """One counter, and the limit that it is held to."""

    key: str
    limit: Limit


def charges(source: str, what: str) -> list[Charge]:
    """What a try at ``what``, a room or number, is held to: of one source there, of it anywhere, of all sources there."""
    return [Charge(f"pair {source} {what}", PAIR), Charge(f"source {source}", SOURCE), Charge(what, NUMBER)]


@dataclass(frozen=True)
class Charged:
    """A counter as it was before it was charged."""

    key: str
    failures: int
    until: float


@dataclass(frozen=True)
class State:
    """A counter as it stands."""

    failures: int = 0
    until: float = 0.0
    changed_at: float = -inf


def charge(state: State, limit: Limit, now: float) -> tuple[float, State]:
    """The seconds to wait and the same state; or 0 and the state with one failure more. ``now``: Unix time."""
    if state.until > now:
        return state.until - now, state
    known = state.failures if now - state.changed_at < FORGET_S else 0
    return 0.0, State(known + 1, now + limit.wait_s(known + 1) if limit.wait_s(known + 1) else 0.0, now)


def refuse_too_many(wait_s: float) -> None:
    """Raises Refused 429 ``too-many-tries`` if there is a wait."""
    if wait_s > 0:
        raise Refused(
            "Too many tries; please wait a little.",
            status=429, code="too-many-tries", retry_after_s=min(wait_s, LONGEST_SAID_S),
        )  # fmt: skip


class AttemptStore(Protocol):
    """Where the counters are kept."""

    async def charge(self, charges: list[Charge], now: float) -> tuple[float, list[Charged]]:
        """All of them in one transaction, or, if one has to wait, none: then the longest wait."""
        ...

    async def refund(self, charged: list[Charged]) -> None:
        """It was no failure: as if it had not been charged, whatever else was meanwhile."""
        ...

    async def failures(self, key: str) -> int: ...
