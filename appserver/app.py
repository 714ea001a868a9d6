"""The application server put together: everything is made from the configuration and a clock."""

from __future__ import annotations

import asyncio
from pathlib import Path

from confero.clock import Clock, SystemClock
from confero.config import kept_secret, service_secret
from confero.runtime.http import HttpApp, Listener, Route
from confero.runtime.logging import get_logger
from confero.runtime.metrics import Metrics
from confero.runtime.rotation import follow
from confero.runtime.tasks import TaskBag

from .accountparts import AccountParts, make_setup
from .api.description import words
from .api.internal import InternalApi
from .api.news import EventsTokens
from .api.once import Once
from .api.relays import RelaysApi
from .assets import Assets
from .config import AppserverConfig
from .db.drains import SqlDrains
from .db.migrate import migrate
from .db.newsstore import SqlAudience
from .db.records import SqlRecords
from .db.repeatstore import SqlRepeats
from .db.repositories import SqlStore
from .db.sipcalls import SqlCallStore
from .derived import database_of, ice_rules, room_policy, say_setup, site_url, turn_secrets
from .doors import Doors
from .edge import EVENTS, SIP, WebSocketProxy
from .housekeeping import Housekeeping, sweep
from .meetings import Meetings
from .news.herald import Herald
from .news.online import Online
from .passing import Passing
from .peers import NotifierPeer
from .publicsite import Parts, public_routes
from .relays.fleet import Fleet
from .relays.iceservers import IceServers
from .rooms.drains import Drains
from .rooms.farm import Farm
from .rooms.house import House
from .rooms.presence import Presence
from .sip.vault import Vault
from .telephony import Telephony
from .tls import Certificates, browser_notice
from .waiting import WaitingRoom, wait_for_database
from .web import Pages

log = get_logger(__name__)

STATIC = Path(__file__).with_name("static")
MAX_INTERNAL_BODY = 1 << 20
"""Bytes: 20,000 session ids, 10,000 participants of an MCU that registers again."""
ADMIN_TOKEN = "admin-token"
"""File in ``state_dir``."""


class AppserverApp:
    """Service ``appserver``; ports may be 0, then ``doors.public[0].port`` and ``internal.port`` are those in use."""

    name = "appserver"

    def __init__(self, config: AppserverConfig, clock: Clock | None = None) -> None:
        self.config = config
        self._clock = clock or SystemClock()
        self._secret = service_secret(config)
        self._admin_token = kept_secret(config, config.admin_token, ADMIN_TOKEN)
        self._tasks = TaskBag()
        self.internal: Listener | None = None
        self._build()

    def _build(self) -> None:
        config, clock = self.config, self._clock
        self._metrics = Metrics()
        self.waiting = WaitingRoom(clock)
        self.database = database_of(config, self._metrics)
        self.store = SqlStore(self.database)
        self.records = SqlRecords(self.database)
        self.farm = Farm(clock, config.mcu_silence_s)
        self.drains = Drains(SqlDrains(self.database), self.farm, clock)
        self.notifier = NotifierPeer(config.notifier_url, secret=self._secret, clock=clock)
        self.vault = Vault(self._secret)
        self.repeats = SqlRepeats(self.database)
        attempts = SqlCallStore(self.database)
        self.house = House(
            self.store, attempts, self.vault, self.farm, self.notifier, clock, self._secret, room_policy(config)
        )
        self.reception = self.house.reception
        setup = make_setup(config, site_url(config, config.https_port), say_setup)
        self.accounts = AccountParts(config, self.database, attempts, clock, setup)
        self.fleet = Fleet(clock, config.turn_silence_s)
        self.turn_secrets = turn_secrets(config, self._secret, clock)
        self.ice = IceServers(self.fleet, ice_rules(config, self.turn_secrets), clock)
        self.presence = Presence(
            self.store, self.farm, self.notifier, clock, join_grace_s=config.join_grace_s, changing=asyncio.Lock()
        )
        self.herald = Herald(SqlAudience(self.database), self.notifier, Online())
        self.tokens = EventsTokens(self.accounts.store, self._secret, clock)
        self.telephony = Telephony(config, self.database, self.store, self.house, self.vault, clock, self._secret)
        self.meetings = Meetings(
            self.database, self.notifier, self.house, self.farm, self.telephony, clock, config.join_grace_s
        )
        self.housekeeping = Housekeeping(
            config, clock, self.store, self.records, self.repeats, self.accounts, self.telephony
        )
        self.certificates = Certificates(config, clock)
        limit = config.max_websockets
        self.events = WebSocketProxy(EVENTS, config.notifier_url, secret=self._secret, clock=clock, limit=limit)
        self.passing = Passing(config.notifier_url, secret=self._secret, clock=clock, limit=limit)
        self.sip = WebSocketProxy(SIP, config.sipgw_url, secret=self._secret, clock=clock, limit=limit)
        self.relays = RelaysApi(self.fleet, self.farm)
        self.pages = Pages(Assets(STATIC), hsts=self.certificates.own)
        self._build_http()

    def _build_http(self) -> None:
        metrics = self._metrics
        self.http = HttpApp(
            "appserver",
            self.waiting.hold(self._internal_routes()),
            secret=self._secret,
            clock=self._clock,
            max_body=MAX_INTERNAL_BODY,
            title="confero application server, internal",
            metrics=metrics,
        )
        self.http.add_check("database", self.database.answers)
        self.site = HttpApp(
            "appserver",
            self._public_routes(),
            secret=self._secret,
            clock=self._clock,
            title="confero",
            metrics=metrics,
            probes=False,
        )
        self.site.app.on_response_prepare.append(self.pages.protect)
        self.doors = Doors(self.config, self.name, self.site)
        metrics.gauge("websockets", "WebSockets passed on").set_function(lambda: self.events.count)
        metrics.gauge("users_online", "Users with a page open").set_function(lambda: len(self.herald.online))
        metrics.gauge("mcus", "MCUs that live").set_function(lambda: len(self.farm))
        metrics.gauge("turns", "TURN servers that live").set_function(lambda: len(self.fleet))

    def _internal_routes(self) -> list[Route]:
        return [
            *InternalApi(self.reception, self.presence, self.tokens, self.herald).routes(),
            *self.relays.routes(),
            *self.telephony.internal_routes(),
            *self.meetings.internal_routes(),
        ]

    def _public_routes(self) -> list[Route]:
        self.parts = Parts(
            config=self.config,
            clock=self._clock,
            house=self.house,
            telephony=self.telephony,
            meetings=self.meetings,
            ice=self.ice,
            events=self.events,
            passing=self.passing,
            tokens=self.tokens,
            herald=self.herald,
            sip=self.sip,
            pages=self.pages,
            admin_token=self._admin_token,
            accounts=self.accounts,
            records=self.records,
            farm=self.farm,
            drains=self.drains,
            members=self.store,
            once=Once(self.repeats, self.vault, self._clock),
            waiting=self.waiting,
        )
        return public_routes(self.parts, lambda: self.site.openapi(words()))

    # --- life -----------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Migrate, make what is missing, listen. Raises LocalError or Unavailable with the reason if that cannot be.

        A database server is waited for, with the doors open; a file is not.
        """
        self.certificates.load()
        self.turn_secrets.look()
        if self.database.is_sqlite:
            await self._prepare()
        else:
            await wait_for_database(self._prepare, self._listen)
        await self._listen()
        self._tasks.spawn(sweep(self.presence, self.meetings, self.house.lobby), name="sweep")
        self._tasks.spawn(self.housekeeping.run(), name="housekeeping")
        self._tasks.spawn(self.herald.run(), name="news")
        self._tasks.spawn(follow(self.turn_secrets), name="watch secrets for TURN")
        self.waiting.open()
        if notice := browser_notice(self.config):
            log.info(notice)
        self.http.set_ready(True)

    async def _prepare(self) -> None:
        """Migrations, and what is read once. May be called again after it has raised Unavailable."""
        await migrate(self.database)
        await self.reception.catalogue.ensure_default(self.config.default_room)
        await self.drains.start()
        await self.presence.start()
        await self.accounts.start()

    async def _listen(self) -> None:
        """Idempotent."""
        if self.internal is not None:
            return
        self.internal = await Listener.start(self.http.app, self.config.http_host, self.config.http_port)
        await self.doors.open(self.certificates.context)
        self._tasks.spawn(self.certificates.watch(), name="watch certificates")

    async def drain(self) -> None:
        """No new connections; browsers are told to come back later."""
        self.http.set_ready(False)
        await self.doors.drain()
        self.events.drain()
        self.passing.drain()
        self.sip.drain()

    async def stop(self) -> None:
        """End everything. Idempotent."""
        self.events.drain()
        self.passing.drain()
        self.sip.drain()
        self.telephony.end_waits()
        self.relays.end()
        await self.doors.close()
        if self.internal is not None:
            await self.internal.close()
        await self._tasks.close()
        await self.events.close()
        await self.passing.close()
        await self.sip.close()
        await self.notifier.close()
        await self.telephony.close()
        await self.accounts.close()
        await self.database.close()
