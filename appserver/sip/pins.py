"""Numbers and PINs that are keyed: three tries a call, waits for source and number, answers that tell guessers nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal

from confero.clock import Clock
from confero.models import Role
from confero.models.sip import SipPinAsk, SipPinReply
from confero.runtime.logging import get_logger

from ..rooms.entities import Room
from ..rooms.pins import RoomPins
from .callers import shown_name, source_key
from .entities import Number
from .limits import CALL, ENTRIES, LONGEST_SAID_S, NUMBERS, AttemptStore, Charge, charges
from .places import Places
from .store import SipStore
from .vault import Vault

log = get_logger(__name__)

Aside = Callable[[Callable[[], bool]], Awaitable[bool]]
"""Runs what takes long off the event loop."""


class PinDesk:
    """Lets telephones into rooms by number and PIN."""

    def __init__(
        self,
        store: SipStore,
        attempts: AttemptStore,
        places: Places,
        room_pins: RoomPins,
        vault: Vault,
        clock: Clock,
        aside: Aside,
    ) -> None:
        self._store = store
        self._attempts = attempts
        self._places = places
        self._room_pins = room_pins
        self._vault = vault
        self._clock = clock
        self._aside = aside

    async def ask(self, ask: SipPinAsk) -> SipPinReply:
        """Raises Refused for a room that is full, locked or has no media server, once number and PIN are right."""
        entry = await self._store.get(Number, ask.number)
        room = await self._places.room(entry.room) if entry is not None else None
        return await (self._number(ask, entry, room) if ask.pin is None else self._pin(ask, ask.pin, entry, room))

    async def _number(self, ask: SipPinAsk, entry: Number | None, room: Room | None) -> SipPinReply:
        """A number without a PIN lets in. One with a PIN and one that nobody has are the same from outside."""
        tried = [Charge(f"entries {ask.call}", ENTRIES), Charge(f"numbers {source_key(ask.caller)}", NUMBERS)]
        wait_s, charged = await self._attempts.charge(tried, self._clock.wall())
        if wait_s or entry is None or room is None or _is_closed(entry, room):
            return await self._no("wait" if wait_s else "ask-pin", ask, wait_s)
        await self._attempts.refund(charged)
        if room.host_pin is not None:
            return SipPinReply(outcome="ask-host", tries_left=CALL.free)
        return await self._let_in(ask, room, "guest")

    async def _pin(self, ask: SipPinAsk, pin: str, entry: Number | None, room: Room | None) -> SipPinReply:
        if not pin and entry is not None and room is not None and not _is_closed(entry, room):
            return await self._let_in(ask, room, "guest")
        what = f"room {room.id}" if room is not None else f"number {ask.number}"
        tried = [Charge(_call(ask), CALL), *charges(source_key(ask.caller), what)]
        wait_s, charged = await self._attempts.charge(tried, self._clock.wall())
        if wait_s:
            return await self._no("wait", ask, wait_s)
        hashed = entry.pin if entry is not None else None
        right = await self._aside(lambda: self._vault.check_pin(pin, hashed))
        role = self._role(pin, entry, room, right)
        if room is None or role is None:
            return await self._no("wrong", ask)
        await self._attempts.refund(charged)
        return await self._let_in(ask, room, role)

    def _role(self, pin: str, entry: Number | None, room: Room | None, right: bool) -> Role | None:
        """What the PIN makes of the caller, by the room's PINs or the number's own (``right``); None: it is wrong."""
        if entry is None or room is None:
            return None
        if role := self._room_pins.opened_by(room, pin):
            return role
        anybody = room.host_pin is None and not _is_closed(entry, room)
        return "guest" if right or anybody else None

    async def _no(self, outcome: Literal["ask-pin", "wrong", "wait"], ask: SipPinAsk, wait_s: float = 0) -> SipPinReply:
        if outcome == "wait":
            log.warning(
                "too many tries of a number or its PIN", number=ask.number, source=ask.caller.source, call=ask.call
            )
        left = max(0, CALL.free - await self._attempts.failures(_call(ask)))
        return SipPinReply(outcome=outcome, tries_left=left, retry_after_s=min(wait_s, LONGEST_SAID_S))

    async def _let_in(self, ask: SipPinAsk, room: Room, role: Role) -> SipPinReply:
        place = await self._places.knock(room.id, shown_name(ask.caller), role)
        return SipPinReply(outcome="accepted", place=place)


def _is_closed(entry: Number, room: Room) -> bool:
    """Whether a PIN has to be keyed: the room's or the number's own."""
    return entry.pin is not None or room.pin is not None


def _call(ask: SipPinAsk) -> str:
    return f"call {ask.call}"
