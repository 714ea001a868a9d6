"""Numbers of rooms, for telephones to key: given or chosen, one a room."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any, Protocol

from confero.clock import Clock
from confero.errors import Refused, Unavailable

from ..sip.entities import Number

LIMIT = 10_000
"""Of all rooms."""
DIGITS = 9
TRIES = 5
AUTO = "auto"


class NumberStore(Protocol):
    """Each call is one transaction."""

    async def number_of(self, room_id: str) -> str | None: ...


class Table(Protocol):
    """Telephony's own table of them."""

    async def add(self, entity: Number, limit: int) -> Any:
        """``"exists"``, ``"full"``, or the new row's key."""
        ...

    async def get(self, kind: type[Number], key: str) -> Number | None: ...

    async def delete(self, kind: type[Number], key: str) -> bool: ...


class RoomNumbers:
    """Gives and takes them."""

    def __init__(
        self, store: NumberStore, table: Table, clock: Clock, choose: Callable[[int], int] = secrets.randbelow
    ) -> None:
        self._store = store
        self._table = table
        self._clock = clock
        self._choose = choose

    async def of(self, room_id: str) -> str | None:
        return await self._store.number_of(room_id)

    async def put(self, room_id: str, wish: str) -> str | None:
        """``wish``: a number, ``auto`` for a free one, "" for none. The number as it is then.

        Raises Refused 409 ``number-exists``, ``too-many-numbers``.
        """
        had = await self.of(room_id)
        if wish == had or (wish == AUTO and had is not None):
            return had
        if wish not in ("", AUTO) and await self._table.get(Number, wish) is not None:
            raise _taken()
        if had is not None:
            await self._table.delete(Number, had)
        if not wish:
            return None
        return await (self._choose_one(room_id) if wish == AUTO else self._give(room_id, wish))

    async def _choose_one(self, room_id: str) -> str:
        for _ in range(TRIES):
            try:
                return await self._give(room_id, self._random())
            except Refused as error:
                if error.code != "number-exists":
                    raise
        raise Unavailable("no free number was found")

    async def _give(self, room_id: str, number: str) -> str:
        made = await self._table.add(Number(number, room_id, self._clock.wall()), LIMIT)
        if made == "full":
            raise Refused("There are too many numbers.", status=409, code="too-many-numbers")
        if made == "exists":
            raise _taken()
        return number

    def _random(self) -> str:
        """Not beginning with 0, which telephones may take for something else."""
        return str(10 ** (DIGITS - 1) + self._choose(9 * 10 ** (DIGITS - 1)))


def _taken() -> Refused:
    return Refused("Another room has this number.", status=409, code="number-exists")
