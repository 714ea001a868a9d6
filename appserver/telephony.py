"""The SIP side of the application server put together: stores, rules, routes."""

from __future__ import annotations

import asyncio

from confero.clock import Clock
from confero.models.sip import SipMove
from confero.ratelimit import Rate, RateLimiter
from confero.runtime.http import Route

from .api.calls import CallsApi
from .api.sipadmin import SipAdminApi
from .api.sipinternal import SipInternalApi
from .config import AppserverConfig
from .db.engine import Database
from .db.repositories import SqlStore
from .db.sipcalls import SqlCallStore
from .db.sipstore import SqlSipStore
from .peers import SipgwPeer
from .rooms.house import House
from .rooms.numbers import RoomNumbers
from .sip.callouts import CallOuts, Rights
from .sip.exchange import Exchange
from .sip.office import Office
from .sip.pins import PinDesk
from .sip.places import Places
from .sip.switchboard import Switchboard
from .sip.vault import Vault

MISSES = Rate(burst=20, per_s=0.05)
"""Calls of one unproven source to what is not there."""


class Telephony:
    """Made once, by the application."""

    def __init__(
        self,
        config: AppserverConfig,
        database: Database,
        people: SqlStore,
        house: House,
        vault: Vault,
        clock: Clock,
        secret: bytes,
    ) -> None:
        reception = house.reception
        self._clock = clock
        self.store = SqlSipStore(database)
        self.calls = SqlCallStore(database)
        self.vault = vault
        self.places = Places(reception, house.lobby)
        rights = Rights(config.call_out_roles, config.call_out_patterns, config.calls_out_per_hour)
        call_outs = CallOuts(self.calls, clock, rights)
        misses = RateLimiter(MISSES, clock)
        per_minute = config.strangers_per_minute
        strangers = RateLimiter(Rate(burst=max(1.0, per_minute / 2), per_s=per_minute / 60), clock)
        self.exchange = Exchange(self.store, people, self.places, call_outs, clock, misses, strangers)
        self.gateway = SipgwPeer(config.sipgw_url, secret=secret, clock=clock)
        self.switchboard = Switchboard(self.exchange, self.gateway)
        self._reception = reception
        self._tries = RateLimiter(
            Rate(burst=max(1.0, config.calls_per_minute), per_s=config.calls_per_minute / 60), clock
        )
        self.pins = PinDesk(self.store, self.calls, self.places, house.pins, self.vault, clock, asyncio.to_thread)
        self.room_numbers = RoomNumbers(people, self.store, clock)
        self.office = Office(self.store, reception.catalogue, self.vault, clock, asyncio.to_thread)
        self._internal = SipInternalApi(
            self.store, self.calls, self.exchange, self.pins, self.places, self.vault, clock
        )

    def internal_routes(self) -> list[Route]:
        """For the SIP gateway."""
        return self._internal.routes()

    def admin_routes(self) -> list[Route]:
        """For administrators."""
        return SipAdminApi(self.office, self.calls).routes()

    def public_routes(self) -> list[Route]:
        """For pages."""
        return CallsApi(self._reception, self.switchboard, self._tries).routes()

    async def move(self, participant: str, room: str) -> None:
        """A telephone, whose place is in ``room`` already, is brought there. Raises Refused, Unavailable."""
        place = await self.places.give(room, "", participant)
        await self.gateway.move(participant, SipMove(place=place))

    def end_waits(self) -> None:
        """Long polls end, so that the listener they came by can. Idempotent."""
        self._internal.end()

    async def close(self) -> None:
        await self.gateway.close()
