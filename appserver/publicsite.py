"""The public routes put together, each behind its rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from confero.clock import Clock
from confero.ratelimit import Rate, RateLimiter
from confero.runtime.http import Route

from .api.openapi import openapi_route
from .api.rooms import RoomsApi
from .config import AppserverConfig
from .edge import WebSocketProxy
from .meetings import Meetings
from .relays.iceservers import IceServers
from .rights.gate import Accounts, Gate
from .rights.guard import Guard
from .rights.relations import Relations
from .rooms.house import House
from .telephony import Telephony
from .web import Pages

WRONG_TOKENS = Rate(burst=10, per_s=0.1)
"""Of one source address."""


@dataclass(frozen=True)
class Parts:
    """What the routes need."""

    config: AppserverConfig
    clock: Clock
    house: House
    telephony: Telephony
    meetings: Meetings
    ice: IceServers
    events: WebSocketProxy
    sip: WebSocketProxy
    pages: Pages
    admin_token: bytes
    accounts: Accounts | None = None


def public_routes(parts: Parts, describe: Callable[[], dict[str, Any]]) -> list[Route]:
    """``describe`` makes the description of the API from them. Raises LocalError for a route without a rule."""
    routes = [
        *_rooms(parts).routes(),
        *parts.meetings.routes(Relations(parts.house.relations)),
        *parts.telephony.public_routes(),
        *parts.telephony.admin_routes(),
        *_sockets(parts),
        openapi_route(describe),
        *parts.pages.routes(),
    ]
    return make_guard(parts).protect(routes)


def make_guard(parts: Parts) -> Guard:
    gate = Gate(parts.house.reception, parts.accounts, parts.admin_token, RateLimiter(WRONG_TOKENS, parts.clock))
    return Guard(gate, Relations(parts.house.relations))


def _rooms(parts: Parts) -> RoomsApi:
    config, clock = parts.config, parts.clock
    return RoomsApi(
        parts.house.reception,
        creations=RateLimiter(per_minute(config.room_creations_per_minute), clock),
        joins=RateLimiter(per_minute(config.joins_per_minute), clock),
        public_url=config.public_url,
        may_call_out=parts.telephony.switchboard.may_call_out,
        ice=parts.ice,
        welcome=parts.meetings.welcome,
    )


def _sockets(parts: Parts) -> list[Route]:
    return [
        Route(
            "GET",
            "/events",
            parts.events.handle,
            summary="WebSocket, passed on to the notifier (docs/wire.md)",
            status=101,
            errors=("403 origin-refused", "426 upgrade-required", "429 too-many-connections", "503 notifier-down"),
            rule="events.connect",
        ),
        Route(
            "GET",
            "/sip",
            parts.sip.handle,
            summary="SIP over WebSocket, passed on to the SIP gateway (RFC 7118)",
            status=101,
            errors=("426 upgrade-required", "429 too-many-connections", "503 sipgw-down"),
            rule="events.connect",
        ),
    ]


def per_minute(count: float) -> Rate:
    """So many a minute, and as many at once."""
    return Rate(burst=max(1.0, count), per_s=count / 60)
