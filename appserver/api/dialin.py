"""The public REST API of dialling in: how a telephone comes into a room."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from aiohttp import web

from confero.models.meetings import DialIn
from confero.runtime.http import Route, reply

from ..rights.guard import actor_of
from ..rights.relations import by_itself
from ..rights.table import Relation
from ..rooms.house import House
from ..rooms.numbers import RoomNumbers
from ..web import BAD_HOST, origin_of

KNOW_THE_PIN: frozenset[Relation] = frozenset({"room-host", "member", "owner", "moderator", "admin"})
"""Who is told a room's PIN; whoever else is in the room has been told it by somebody, or was let in without."""


class DialInApi:
    """For whoever is in the room, or belongs to it. ``numbers`` lead to the menu; ``sip_domain``: empty for the page's host."""

    def __init__(
        self, house: House, room_numbers: RoomNumbers, numbers: Sequence[str], sip_domain: str, public_url: str
    ) -> None:
        self._house = house
        self._room_numbers = room_numbers
        self._numbers = numbers
        self._sip_domain = sip_domain
        self._public_url = public_url

    def routes(self) -> list[Route]:
        return [
            Route(
                "GET", "/api/v1/rooms/{room}/dial-in", self.show, summary="How a telephone comes in",
                rule="rooms.dial-in", reply=DialIn, errors=(BAD_HOST, "404 room-unknown"),
            ),
        ]  # fmt: skip

    async def show(self, request: web.Request) -> web.Response:
        actor = actor_of(request)
        room = await self._house.catalogue.known(request.match_info["room"])
        relations = by_itself(actor) | await self._house.relations.to_room(actor, room.id)
        number = await self._room_numbers.of(room.id)
        return reply(
            DialIn(
                numbers=list(self._numbers),
                room_number=number,
                pin_needed=room.pin is not None,
                pin=self._house.pins.show(room.id, room.pin) if relations & KNOW_THE_PIN else None,
                sip_uri=self._uri(request, room.id) if room.pin is None or number is not None else None,
            )
        )

    def _uri(self, request: web.Request, room_id: str) -> str:
        """Not for a room with a PIN and no number: nobody would be asked for the PIN there, and all be refused."""
        host = urlsplit(origin_of(request, self._public_url)).hostname or ""
        return f"sip:{room_id}@{self._sip_domain or (f'[{host}]' if ':' in host else host)}"
