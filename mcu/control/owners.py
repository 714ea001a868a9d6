"""Owners of legs: they say that they are there, or that they have no use for their legs (``/v1/owners/{owner}``)."""

from __future__ import annotations

import re

from aiohttp import web

from confero import models
from confero.errors import Refused
from confero.runtime.http import Route, read_query, reply

from ..conference import Conference
from .digits import CollectQuery
from .legs import SCOPE

OWNER = "/v1/owners/{owner}"
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
DIGITS = "Digits of the owner's legs that collect; waits for the next one if asked to"
INVALID = "422 invalid-id"


class OwnerCalls:
    def __init__(self, conference: Conference, boot: str) -> None:
        self._conference = conference
        self._boot = boot

    def routes(self) -> list[Route]:
        legs = models.OwnerLegs
        return [
            Route(
                "PUT", OWNER, self._renew, SCOPE, "The owner is there: its legs go on", None, legs, errors=(INVALID,)
            ),
            Route(
                "GET",
                f"{OWNER}/digits",
                self._digits,
                SCOPE,
                DIGITS,
                None,
                models.OwnerDigits,
                200,
                (INVALID, "503 draining"),
                CollectQuery,
            ),
            Route("DELETE", OWNER, self._end, SCOPE, "Ends all legs of the owner", status=204, errors=(INVALID,)),
        ]

    async def _renew(self, request: web.Request) -> web.Response:
        leases = self._conference.leases
        legs = leases.renew(_owner(request))
        return reply(models.OwnerLegs(legs=legs, lease_s=leases.seconds, boot=self._boot))

    async def _digits(self, request: web.Request) -> web.Response:
        query = read_query(request, CollectQuery)
        owners = self._conference.digits.owners
        return reply(await owners.read(_owner(request), query.after, query.wait_s))

    async def _end(self, request: web.Request) -> web.Response:
        self._conference.end_owner(_owner(request))
        return reply(None)


def _owner(request: web.Request) -> str:
    """Raises Refused ``invalid-id``."""
    owner: str = request.match_info["owner"]
    if not NAME.fullmatch(owner):
        raise Refused("An owner is 1 to 64 of A-Z a-z 0-9 _ -.", status=422, code="invalid-id")
    return owner
