"""The public REST API of lobbies: who waits, and who is let in or sent away."""

from __future__ import annotations

from aiohttp import web

from confero.models.meetings import Admitted, LobbyList
from confero.runtime.http import Route, reply

from ..rooms.house import House

LOBBY = "/api/v1/rooms/{room}/lobby"
ONE = LOBBY + "/{participant}"
RULE = "meeting.moderate"
UNKNOWN = "404 room-unknown"


class LobbyApi:
    """For hosts."""

    def __init__(self, house: House) -> None:
        self._house = house

    def routes(self) -> list[Route]:
        gone = (UNKNOWN, "404 not-waiting")
        return [
            Route("GET", LOBBY, self.show, summary="Who waits", rule=RULE, reply=LobbyList, errors=(UNKNOWN,)),
            Route(
                "POST", LOBBY, self.admit_all, summary="Let in whoever waits, as far as there are places", rule=RULE,
                reply=Admitted, errors=(UNKNOWN,),
            ),
            Route(
                "POST", ONE, self.admit, summary="Let one in", rule=RULE, status=204,
                errors=(*gone, "409 room-full"),
            ),
            Route("DELETE", ONE, self.refuse, summary="Send one away", rule=RULE, status=204, errors=gone),
        ]  # fmt: skip

    async def show(self, request: web.Request) -> web.Response:
        return reply(LobbyList(items=await self._house.lobby.waiting(await self._room(request))))

    async def admit_all(self, request: web.Request) -> web.Response:
        return reply(Admitted(admitted=await self._house.lobby.admit_all(await self._room(request))))

    async def admit(self, request: web.Request) -> web.Response:
        await self._house.lobby.admit(await self._room(request), request.match_info["participant"])
        return reply(None)

    async def refuse(self, request: web.Request) -> web.Response:
        await self._house.lobby.refuse(await self._room(request), request.match_info["participant"])
        return reply(None)

    async def _room(self, request: web.Request) -> str:
        """Raises Refused 404."""
        return (await self._house.catalogue.known(request.match_info["room"])).id
