"""The public routes put together, each behind its rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from confero.clock import Clock
from confero.ratelimit import Rate, RateLimiter
from confero.runtime.http import Route

from .accountparts import AccountParts
from .api.dialin import DialInApi
from .api.farm import FarmApi
from .api.history import HistoryApi
from .api.invitations import InvitationsApi
from .api.lobby import LobbyApi
from .api.members import MembersApi
from .api.networktest import NetworkTestApi
from .api.news import EventsTokens, Listening
from .api.once import Once
from .api.openapi import openapi_route
from .api.rooms import RoomsApi
from .config import AppserverConfig
from .edge import WebSocketProxy
from .history.relations import MeetingRelations
from .history.store import RecordStore
from .meetings import Meetings
from .news.herald import Herald
from .passing import Passing
from .relays.iceservers import IceServers
from .rights.gate import Gate
from .rights.guard import Guard
from .rights.relations import Relations
from .rooms.drains import Drains
from .rooms.farm import Farm
from .rooms.house import House
from .rooms.members import Members, MemberStore
from .telephony import Telephony
from .waiting import WaitingRoom
from .web import Pages

WRONG_TOKENS = Rate(burst=10, per_s=0.1)
"""Of one source address."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What the routes need."""

    config: AppserverConfig
    clock: Clock
    house: House
    telephony: Telephony
    meetings: Meetings
    ice: IceServers
    events: WebSocketProxy
    passing: Passing
    tokens: EventsTokens
    herald: Herald
    sip: WebSocketProxy
    pages: Pages
    admin_token: bytes
    accounts: AccountParts
    records: RecordStore
    farm: Farm
    drains: Drains
    members: MemberStore
    once: Once
    waiting: WaitingRoom


def public_routes(parts: Parts, describe: Callable[[], dict[str, Any]]) -> list[Route]:
    """``describe`` makes the description of the API from them. Raises LocalError for a route without a rule."""
    guard = make_guard(parts)
    asking = [
        *parts.meetings.routes(Relations(parts.house.relations)),
        *_rooms(parts),
        *parts.accounts.routes(),
        *parts.tokens.routes(),
        *parts.telephony.public_routes(),
        *parts.telephony.admin_routes(),
        *NetworkTestApi(parts.ice, parts.clock, parts.config.public_url).routes(),
        *HistoryApi(parts.records).routes(),
        *FarmApi(parts.farm, parts.drains, parts.records, parts.clock).routes(),
    ]
    needing_nothing = [*_sockets(parts), openapi_route(describe), *parts.pages.routes()]
    held = parts.waiting.hold(guard.protect(parts.once.wrap(Listening(parts.herald).attend(asking))))
    return [*held, *guard.protect(needing_nothing)]


def make_guard(parts: Parts) -> Guard:
    failures, public_url = RateLimiter(WRONG_TOKENS, parts.clock), parts.config.public_url
    gate = Gate(parts.house.reception, parts.accounts.desk, parts.admin_token, failures, public_url)
    return Guard(gate, Relations(parts.house.relations, MeetingRelations(parts.records)))


def _rooms(parts: Parts) -> list[Route]:
    """All that is about one room, but for its calls."""
    config, house, numbers = parts.config, parts.house, parts.telephony.room_numbers
    members = Members(parts.members, parts.accounts.desk.people, parts.clock, config.members_per_room)
    return [
        *_rooms_api(parts).routes(),
        *LobbyApi(house).routes(),
        *InvitationsApi(house, config.public_url).routes(),
        *DialInApi(house, numbers, config.dial_in_numbers, config.sip_domain, config.public_url).routes(),
        *MembersApi(house.catalogue, members).routes(),
    ]


def _rooms_api(parts: Parts) -> RoomsApi:
    config, clock = parts.config, parts.clock
    return RoomsApi(
        parts.house,
        parts.telephony.room_numbers,
        creations=RateLimiter(per_minute(config.room_creations_per_minute), clock),
        joins=RateLimiter(per_minute(config.joins_per_minute), clock),
        public_url=config.public_url,
        guests_make_rooms=config.guests_make_rooms,
        may_call_out=parts.telephony.switchboard.may_call_out,
        ice=parts.ice,
        accounts=parts.accounts.desk.people,
        welcome=parts.meetings.welcome,
        delete=parts.meetings.delete,
    )


def _sockets(parts: Parts) -> list[Route]:
    return [
        Route(
            "GET",
            "/events",
            parts.events.handle,
            summary="WebSocket, passed on to the notifier (docs/wire.md)",
            status=101,
            errors=(
                "400 bad-request",
                "400 query-not-allowed",
                "403 origin-refused",
                "426 upgrade-required",
                "429 too-many-connections",
                "503 notifier-down",
            ),
            rule="events.connect",
        ),
        *parts.passing.routes(),
        Route(
            "GET",
            "/sip",
            parts.sip.handle,
            summary="SIP over WebSocket, passed on to the SIP gateway (RFC 7118)",
            status=101,
            errors=("400 bad-request", "426 upgrade-required", "429 too-many-connections", "503 sipgw-down"),
            rule="events.connect",
        ),
    ]


def per_minute(count: float) -> Rate:
    """So many a minute, and as many at once."""
    return Rate(burst=max(1.0, count), per_s=count / 60)
