"""Numbers and PINs that are keyed: three tries a call, waits for source and number, answers that tell guessers nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal

from confero.clock import Clock
from confero.models.sip import SipPinAsk, SipPinReply
from confero.runtime.logging import get_logger

from .callers import shown_name, source_key
from .entities import Number
from .limits import CALL, ENTRIES, NUMBER, NUMBERS, PAIR, SOURCE, AttemptStore, Charge
from .places import Places
from .store import SipStore
from .vault import Vault

log = get_logger(__name__)

Aside = Callable[[Callable[[], bool]], Awaitable[bool]]
"""Runs what takes long off the event loop."""
LONGEST_S = 3600.0
"""What is said of a wait without end."""


class PinDesk:
    """Lets telephones into rooms by number and PIN."""

    def __init__(
        self, store: SipStore, attempts: AttemptStore, places: Places, vault: Vault, clock: Clock, aside: Aside
    ) -> None:
        self._store = store
        self._attempts = attempts
        self._places = places
        self._vault = vault
        self._clock = clock
        self._aside = aside

    async def ask(self, ask: SipPinAsk) -> SipPinReply:
        """Raises Refused for a room that is full or has no media server, once number and PIN are right."""
        entry = await self._store.get(Number, ask.number)
        return await (self._number(ask, entry) if ask.pin is None else self._pin(ask, ask.pin, entry))

    async def _number(self, ask: SipPinAsk, entry: Number | None) -> SipPinReply:
        """A number without a PIN lets in. One with a PIN and one that nobody has are the same from outside."""
        charges = [Charge(f"entries {ask.call}", ENTRIES), Charge(f"numbers {source_key(ask.caller)}", NUMBERS)]
        wait_s, charged = await self._attempts.charge(charges, self._clock.wall())
        if wait_s or entry is None or entry.pin is not None:
            return await self._no("wait" if wait_s else "ask-pin", ask, wait_s)
        await self._attempts.refund(charged)
        return await self._let_in(ask, entry)

    async def _pin(self, ask: SipPinAsk, pin: str, entry: Number | None) -> SipPinReply:
        wait_s, charged = await self._attempts.charge(_charges(ask), self._clock.wall())
        if wait_s:
            return await self._no("wait", ask, wait_s)
        hashed = entry.pin if entry is not None else None
        right = await self._aside(lambda: self._vault.check_pin(pin, hashed))
        if entry is None or not (right or entry.pin is None):
            return await self._no("wrong", ask)
        await self._attempts.refund(charged)
        return await self._let_in(ask, entry)

    async def _no(self, outcome: Literal["ask-pin", "wrong", "wait"], ask: SipPinAsk, wait_s: float = 0) -> SipPinReply:
        if outcome == "wait":
            log.warning(
                "too many tries of a number or its PIN", number=ask.number, source=ask.caller.source, call=ask.call
            )
        left = max(0, CALL.free - await self._attempts.failures(_call(ask)))
        return SipPinReply(outcome=outcome, tries_left=left, retry_after_s=min(wait_s, LONGEST_S))

    async def _let_in(self, ask: SipPinAsk, entry: Number) -> SipPinReply:
        place = await self._places.give(entry.room, shown_name(ask.caller))
        return SipPinReply(outcome="accepted", place=place)


def _call(ask: SipPinAsk) -> str:
    return f"call {ask.call}"


def _charges(ask: SipPinAsk) -> list[Charge]:
    source = source_key(ask.caller)
    return [
        Charge(_call(ask), CALL),
        Charge(f"pair {source} {ask.number}", PAIR),
        Charge(f"source {source}", SOURCE),
        Charge(f"number {ask.number}", NUMBER),
    ]
