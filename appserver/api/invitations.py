"""The public REST API of invitations: links into a room, made, shown and taken back."""

from __future__ import annotations

from dataclasses import asdict

from aiohttp import web

from confero.models.meetings import InvitationCreate, InvitationInfo, InvitationList, InvitationMade
from confero.runtime.http import Route, read_model, reply

from ..rights.actors import Actor
from ..rights.guard import actor_of
from ..rooms.entities import Invitation
from ..rooms.house import House
from ..web import BAD_HOST, origin_of

INVITATIONS = "/api/v1/rooms/{room}/invitations"
UNKNOWN = "404 room-unknown"
FRAGMENT = "invitation="
"""Stands before the secret in a link's fragment, which browsers send to nobody."""


class InvitationsApi:
    """For hosts and owners."""

    def __init__(self, house: House, public_url: str) -> None:
        self._house = house
        self._public_url = public_url

    def routes(self) -> list[Route]:
        return [
            Route(
                "GET", INVITATIONS, self.show, summary="A room's invitations, the latest first",
                rule="invitations.read", reply=InvitationList, errors=(UNKNOWN,),
            ),
            Route(
                "POST", INVITATIONS, self.make, summary="Make an invitation; its link is told this once",
                rule="invitations.change", body=InvitationCreate, reply=InvitationMade, status=201,
                errors=(UNKNOWN, BAD_HOST, "409 too-many-invitations", "422 expired"),
            ),
            Route(
                "DELETE", f"{INVITATIONS}/{{invitation}}", self.revoke,
                summary="Take an invitation back: nobody new comes by it",
                rule="invitations.change", status=204, errors=(UNKNOWN, "404 invitation-unknown"),
            ),
        ]  # fmt: skip

    async def show(self, request: web.Request) -> web.Response:
        room = await self._house.catalogue.known(request.match_info["room"])
        found = await self._house.invitations.of_room(room.id)
        return reply(InvitationList(items=[InvitationInfo.model_validate(asdict(one)) for one in found]))

    async def make(self, request: web.Request) -> web.Response:
        origin = origin_of(request, self._public_url)
        room = await self._house.catalogue.known(request.match_info["room"])
        wish = await read_model(request, InvitationCreate)
        made, secret = await self._house.invitations.make(room.id, wish, maker_of(actor_of(request)))
        return reply(_made(made, secret, f"{origin}/r/{room.id}#{FRAGMENT}{secret}"), status=201)

    async def revoke(self, request: web.Request) -> web.Response:
        await self._house.invitations.revoke(request.match_info["room"], request.match_info["invitation"])
        return reply(None)


def _made(invitation: Invitation, secret: str, url: str) -> InvitationMade:
    return InvitationMade.model_validate(asdict(invitation) | {"secret": secret, "url": url})


def maker_of(actor: Actor) -> str:
    """Who is written down as the maker of something."""
    if actor.login:
        return actor.login
    return f"participant {actor.participant}" if actor.participant is not None else actor.proof
