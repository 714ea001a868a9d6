"""What the rules need kept: implemented by the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from confero.models import LegRecord, McuRegister, SessionNotice

from .entities import KnownMcu, Person, Room


class Store(Protocol):
    """Each call is one transaction. Raises Unavailable if the database is not there."""

    # --- rooms ----------------------------------------------------------------------------------------------------

    async def room(self, room_id: str) -> Room | None: ...

    async def place_room(self, room_id: str, expected: str | None, mcu: str) -> bool:
        """Write where the room lives if it is still where it was expected; False if somebody was faster."""
        ...

    async def busy_rooms(self, mcu: str) -> list[Room]:
        """Rooms on the MCU in which somebody is connected."""
        ...

    # --- people ---------------------------------------------------------------------------------------------------

    async def person(self, participant: str) -> Person | None: ...

    # --- presence -------------------------------------------------------------------------------------------------

    async def note_sessions(self, notices: Sequence[SessionNotice]) -> None:
        """Write who has a session, in the order told. ``disconnected`` is nothing if the participant has another one by now."""
        ...

    async def keep_sessions(self, notifier: str, sessions: frozenset[str], reserved_until: float) -> int:
        """Close the notifier's other sessions, keeping their places until ``reserved_until``; how many."""
        ...

    async def add_records(self, records: Sequence[LegRecord]) -> int:
        """Keep the records and what they say of participants' legs, in the order told; how many had not been told before."""
        ...

    async def mcu_registered(self, body: McuRegister, now: float) -> int:
        """Remember the MCU; its participants who are not listed have no leg any more: how many."""
        ...

    async def mcu_lost(self, mcu: str, at: float) -> int:
        """Nobody has a leg on this MCU any more, since this time; how many had."""
        ...

    async def used_mcus(self) -> set[str]:
        """MCUs that busy rooms or somebody's leg are on, as far as is written down."""
        ...

    async def known_mcus(self) -> list[KnownMcu]: ...

    # --- housekeeping ---------------------------------------------------------------------------------------------

    async def forget(self, *, people_before: float, unused_before: float, now: float) -> int:
        """Delete people without a place created before the one time, unused rooms before the other; how many rows."""
        ...
