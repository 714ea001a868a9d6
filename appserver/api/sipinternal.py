"""The internal API of SIP on port 80: what the SIP gateway asks and tells."""

from __future__ import annotations

import asyncio

from aiohttp import web

from confero.clock import Clock
from confero.errors import LocalError, Refused
from confero.models.sip import (
    SipCallRecords,
    SipConfigReply,
    SipCredentials,
    SipCredentialsAsk,
    SipDecision,
    SipGatewayAccount,
    SipGatewayTrunk,
    SipGivenUp,
    SipPinAsk,
    SipPinReply,
    SipPlace,
    SipPlaceAsk,
    SipRouteAsk,
    SipWatch,
)
from confero.runtime.http import Route, read_model, read_query, reply
from confero.runtime.logging import get_logger

from ..sip.entities import Account, Call, Trunk
from ..sip.exchange import Exchange
from ..sip.pins import PinDesk
from ..sip.places import Places
from ..sip.store import CallStore, SipStore
from ..sip.vault import Vault, trunk_owner
from .sipviews import trunk_info

log = get_logger(__name__)

LOOK_S = 0.5
"""Between two looks at the version while somebody waits for another."""
SCOPE = "appserver:sip"
BASE = "/internal/v1/sip"
WATCHED = "Trunks and accounts, once their version is another than the caller's"
PROVEN = "What stands for an account's password in a digest"
KEYED = "A room's number, and perhaps a PIN, were keyed"
PLACED = "A place in a room for a telephone, or its place again"
GIVEN_UP = "Who waited in a lobby has hung up"
PLACE_ERRORS = ("404 room-unknown", "409 room-full", "503 no-media-server")
AGAIN_ERRORS = (*PLACE_ERRORS, "404 participant-unknown", "422 room-missing")


class SipInternalApi:
    """``/internal/v1/sip``."""

    def __init__(
        self,
        store: SipStore,
        calls: CallStore,
        exchange: Exchange,
        pins: PinDesk,
        places: Places,
        vault: Vault,
        clock: Clock,
    ) -> None:
        self._store = store
        self._calls = calls
        self._exchange = exchange
        self._pins = pins
        self._places = places
        self._vault = vault
        self._clock = clock
        self._ended = False

    def end(self) -> None:
        """Whoever waits for another version is answered now: HTTP does not tell us that a waiting gateway has gone. Idempotent."""
        self._ended = True

    def routes(self) -> list[Route]:
        return [
            Route("GET", f"{BASE}/config", self.config, SCOPE, WATCHED, reply=SipConfigReply, query=SipWatch),
            Route(
                "POST", f"{BASE}/credentials", self.credentials, SCOPE, PROVEN,
                SipCredentialsAsk, SipCredentials, errors=("404 account-unknown",),
            ),
            Route("POST", f"{BASE}/route", self.route, SCOPE, "Where a call goes", SipRouteAsk, SipDecision),
            Route("POST", f"{BASE}/pin", self.pin, SCOPE, KEYED, SipPinAsk, SipPinReply, errors=PLACE_ERRORS),
            Route("POST", f"{BASE}/places", self.place, SCOPE, PLACED, SipPlaceAsk, SipPlace, errors=AGAIN_ERRORS),
            Route("POST", f"{BASE}/places/given-up", self.given_up, SCOPE, GIVEN_UP, SipGivenUp, status=204),
            Route("POST", f"{BASE}/calls", self.records, SCOPE, "All that is known of calls", SipCallRecords, status=204),
        ]  # fmt: skip

    async def config(self, request: web.Request) -> web.Response:
        watch = read_query(request, SipWatch)
        until = self._clock.monotonic() + watch.wait_s
        while (version := await self._store.version()) == watch.version:
            left = until - self._clock.monotonic()
            if left <= 0 or self._ended:
                return reply(SipConfigReply(version=version, changed=False))
            await asyncio.sleep(min(LOOK_S, left))
        # The version first: what changes while the rows are read is read again with the next one.
        trunks = [shown for trunk in await self._store.enabled(Trunk) if (shown := self._trunk(trunk)) is not None]
        accounts = [_account(account) for account in await self._store.enabled(Account)]
        return reply(SipConfigReply(version=version, changed=True, trunks=trunks, accounts=accounts))

    def _trunk(self, trunk: Trunk) -> SipGatewayTrunk | None:
        """None if its password does not open: the others are to go on."""
        try:
            secret = self._vault.open(trunk.secret, trunk_owner(trunk.name)) if trunk.secret is not None else None
        except LocalError as error:
            log.error("trunk cannot be used; give it its secret again", trunk=trunk.name, reason=str(error))
            return None
        return SipGatewayTrunk(**trunk_info(trunk).model_dump(), secret=secret)

    async def credentials(self, request: web.Request) -> web.Response:
        ask = await read_model(request, SipCredentialsAsk)
        account = await self._store.account_of(ask.user, ask.realm)
        ha1 = (
            self._vault.open_ha1(account.ha1, account.user, account.realm, ask.algorithm)
            if account is not None and account.enabled
            else None
        )
        if account is None or ha1 is None:
            raise Refused("There is no such account.", status=404, code="account-unknown")
        return reply(
            SipCredentials(
                ha1=ha1,
                display_name=account.display_name,
                allow_md5_without_qop=account.allow_md5_without_qop,
            )
        )

    async def route(self, request: web.Request) -> web.Response:
        return reply(await self._exchange.route(await read_model(request, SipRouteAsk)))

    async def pin(self, request: web.Request) -> web.Response:
        return reply(await self._pins.ask(await read_model(request, SipPinAsk)))

    async def place(self, request: web.Request) -> web.Response:
        return reply(await self._places.ask(await read_model(request, SipPlaceAsk)))

    async def given_up(self, request: web.Request) -> web.Response:
        await self._places.given_up(await read_model(request, SipGivenUp))
        return reply(None)

    async def records(self, request: web.Request) -> web.Response:
        told = await read_model(request, SipCallRecords)
        await self._calls.record([Call(**record.model_dump()) for record in told.records])
        return reply(None)


def _account(account: Account) -> SipGatewayAccount:
    return SipGatewayAccount.model_validate(account, from_attributes=True)
