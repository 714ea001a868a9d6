"""The right to call out: a role or an account's permission, numbers that are allowed, so many calls an hour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from confero.clock import Clock
from confero.models import Role

from .callers import Caller
from .patterns import matches_any, plain_number
from .store import CallStore
from .vault import account_owner

HOUR_S = 3600
Refusal = Literal["call-out-refused", "call-out-limit"]


@dataclass(frozen=True)
class Rights:
    """What browsers may, and how often anybody may."""

    roles: Sequence[Role] = ("host",)
    patterns: Sequence[str] = (".",)
    per_hour: int = 20


class CallOuts:
    """Decides, and counts what it lets pass."""

    def __init__(self, calls: CallStore, clock: Clock, rights: Rights) -> None:
        self._calls = calls
        self._clock = clock
        self._rights = rights

    async def refusal(self, caller: Caller, dialled: str) -> Refusal | None:
        """Why this call may not be made; None: it may, and has been counted. A trunk's callers and unknown ones never may."""
        who, limit = self._counted(caller)
        if not who or not self._allowed(caller, dialled):
            return "call-out-refused"
        hour = int(self._clock.wall() // HOUR_S)
        return None if await self._calls.count_call(who, hour, limit) else "call-out-limit"

    def may(self, role: Role) -> bool:
        """Whether people of this role may call out at all."""
        return role in self._rights.roles and bool(self._rights.patterns) and self._rights.per_hour > 0

    def _counted(self, caller: Caller) -> tuple[str, int]:
        """Under which name calls are counted, and how many an hour there may be."""
        if caller.account is not None:
            own = caller.account.calls_per_hour
            return account_owner(
                caller.account.user, caller.account.realm
            ), self._rights.per_hour if own is None else own
        return (f"browser {caller.person.id}" if caller.person else ""), self._rights.per_hour

    def _allowed(self, caller: Caller, dialled: str) -> bool:
        if caller.account is not None:
            permitted, patterns = caller.account.may_call_out, caller.account.call_out_patterns
        else:
            permitted = caller.person is not None and caller.person.role in self._rights.roles
            patterns = list(self._rights.patterns)
        # Without separators only: what the trunk is given is what was allowed, however it was written.
        return permitted and matches_any(patterns, plain_number(dialled))
