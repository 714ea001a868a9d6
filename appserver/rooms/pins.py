"""PINs of rooms: sealed where they are kept, compared in constant time, and tried only so often."""

from __future__ import annotations

import hashlib
import hmac
from typing import Protocol

from confero.clock import Clock
from confero.errors import Refused
from confero.models import Role

from ..sip.limits import AttemptStore, charges, refuse_too_many
from .entities import Room
from .rules import Visitor


class Sealer(Protocol):
    """Keeps secrets that are needed again in clear; ``owner`` is bound in."""

    def seal(self, text: str, owner: str) -> str: ...

    def open(self, sealed: str, owner: str) -> str:
        """Raises LocalError if it was sealed under another secret or for another owner."""
        ...


class RoomPins:
    """Seals, shows and tries them."""

    def __init__(self, sealer: Sealer, attempts: AttemptStore, clock: Clock) -> None:
        self._sealer = sealer
        self._attempts = attempts
        self._clock = clock

    # --- for whoever may know them --------------------------------------------------------------------------------

    def seal(self, room_id: str, pin: str | None) -> str | None:
        """As it is kept; None and "" are no PIN."""
        return self._sealer.seal(pin, _owner(room_id)) if pin else None

    def show(self, room_id: str, sealed: str | None) -> str | None:
        """The PIN in clear. Raises LocalError as ``Sealer.open``."""
        return None if sealed is None else self._sealer.open(sealed, _owner(room_id))

    # --- for whoever keys one -------------------------------------------------------------------------------------

    async def role_of(self, room: Room, pin: str, visitor: Visitor) -> Role | None:
        """What a PIN makes of whoever shows it; None in a room that has none.

        Raises Refused: 403 ``pin-wrong``, 429 ``too-many-tries`` without having looked at it.
        """
        if room.pin is None and room.host_pin is None:
            return None
        source = hashlib.sha256(f"address {visitor.source}".encode()).hexdigest()[:40]
        wait_s, charged = await self._attempts.charge(charges(source, f"room {room.id}"), self._clock.wall())
        refuse_too_many(wait_s)
        role = self.opened_by(room, pin)
        if role is None:
            raise Refused("The PIN is wrong.", status=403, code="pin-wrong")
        await self._attempts.refund(charged)
        return role

    def opened_by(self, room: Room, pin: str) -> Role | None:
        """Both PINs are compared whatever the first comparison says, so that time tells nothing."""
        host, guest = self._equal(room.id, room.host_pin, pin), self._equal(room.id, room.pin, pin)
        return "host" if host else "guest" if guest else None

    def _equal(self, room_id: str, sealed: str | None, pin: str) -> bool:
        known = self.show(room_id, sealed)
        given = hashlib.sha256(pin.encode("utf-8", "surrogatepass")).digest()
        return hmac.compare_digest(hashlib.sha256((known or "").encode()).digest(), given) and bool(known)


def _owner(room_id: str) -> str:
    """To whom a sealed PIN belongs."""
    return f"room {room_id}"
