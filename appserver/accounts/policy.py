"""The numbers of the rules about accounts, as the configuration sets them."""

from __future__ import annotations

from dataclasses import dataclass, field

from .sessions import SessionPolicy


@dataclass(frozen=True)
class AccountPolicy:
    """``accounts``: in all; ``keys``: of one account; ``open_to_all``: whether anybody may make an account."""

    sessions: SessionPolicy = field(default_factory=SessionPolicy)
    accounts: int = 100_000
    keys: int = 50
    open_to_all: bool = True
