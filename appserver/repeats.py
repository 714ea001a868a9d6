"""What is asked twice under one idempotency key is done once: what is remembered of it, and where."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Protocol

KEPT_S = 86_400.0
"""How long an answer is given again."""
STALE_S = 60.0
"""A request that has not ended by then never will: the process that did it is gone."""
MOST = 1000
"""Keys of one actor; beyond that the oldest are forgotten."""


@dataclass(frozen=True)
class Told:
    """An answer that is given again."""

    status: int
    content_type: str
    sealed: str
    """Its body: may hold what is shown only once, such as an API key."""


@dataclass(frozen=True)
class Ask:
    """A request under a key. ``id`` stands for actor and key together, ``fingerprint`` for what is asked."""

    id: str
    actor: str
    fingerprint: str
    at: float


@dataclass(frozen=True)
class Earlier:
    """The same key, shown before. ``told`` None: that request still goes on."""

    fingerprint: str
    told: Told | None


class RepeatStore(Protocol):
    """All raise Unavailable."""

    async def claim(self, ask: Ask) -> Earlier | None:
        """None: the key is new, or what it stood for is over, and is this request's from now on."""
        ...

    async def keep(self, ask: Ask, told: Told) -> None:
        """The answer of a request that was claimed."""
        ...

    async def release(self, ask: Ask) -> None:
        """Nothing was made: the key may be shown again for something else."""
        ...


def ask_of(actor: str, key: str, method: str, path: str, body: bytes, now: float) -> Ask:
    """``path`` with its query."""
    return Ask(_digest(actor, key), actor, _digest(method, path, body), now)


def _digest(*parts: str | bytes) -> str:
    """Of parts that cannot run into each other."""
    whole = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        whole.update(len(data).to_bytes(8, "big") + data)
    return whole.hexdigest()
