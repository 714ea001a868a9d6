"""The application server put together: everything is made from the configuration and a clock."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

from confero.clock import Clock, SystemClock
from confero.config import kept_secret, service_secret
from confero.errors import LocalError, Unavailable
from confero.runtime.handover import Address, Flags, Receiver, receive
from confero.runtime.http import HttpApp, Listener, Route
from confero.runtime.logging import get_logger
from confero.runtime.metrics import Metrics
from confero.runtime.rotation import follow
from confero.runtime.tasks import TaskBag
from confero.tokens import turn_secret
from confero.turnsecrets import FILE as TURN_SECRETS
from confero.turnsecrets import TurnSecrets

from .accountparts import AccountParts, make_setup
from .api.description import words
from .api.internal import InternalApi
from .api.news import EventsTokens
from .api.once import Once
from .api.relays import RelaysApi
from .assets import Assets
from .config import EVERYWHERE, AppserverConfig
from .db.connections import Limits
from .db.drains import SqlDrains
from .db.engine import Database, database_url
from .db.migrate import migrate
from .db.newsstore import SqlAudience
from .db.records import SqlRecords
from .db.repeatstore import SqlRepeats
from .db.repositories import SqlStore
from .db.sipcalls import SqlCallStore
from .edge import EVENTS, SIP, WebSocketProxy
from .history.retention import forget
from .meetings import Meetings
from .news.herald import Herald
from .news.online import Online
from .passing import Passing
from .peers import NotifierPeer
from .publicsite import Parts, public_routes
from .relays.fleet import Fleet
from .relays.iceservers import External, IceRules, IceServers
from .rooms.drains import Drains
from .rooms.farm import Farm
from .rooms.house import House
from .rooms.policy import Policy
from .rooms.presence import Presence
from .sip.vault import Vault
from .telephony import Telephony
from .tls import Certificates, browser_notice
from .waiting import wait_for_database, waiting_room
from .web import Pages

log = get_logger(__name__)

PUBLIC = ("0.0.0.0", "::")
"""What EVERYWHERE stands for."""
STATIC = Path(__file__).with_name("static")
MAX_INTERNAL_BODY = 1 << 20
"""Bytes: 20,000 session ids, 10,000 participants of an MCU that registers again."""
SWEEP_S = 0.5
"""With silence and heartbeats a lost MCU is noticed within 5 s."""
HOUSEKEEPING_S = 3600.0
FIRST_HOUSEKEEPING_S = 60.0
"""After the start, when there is other work."""
DAY_S = 86_400.0
BREATH_S = 0.05
"""Between two pieces of a long deletion."""
ADMIN_TOKEN = "admin-token"
"""File in ``state_dir``."""


class AppserverApp:
    """Service ``appserver``; ports may be 0, then ``public[0].port`` and ``internal.port`` are those in use."""

    name = "appserver"

    def __init__(self, config: AppserverConfig, clock: Clock | None = None) -> None:
        self.config = config
        self._clock = clock or SystemClock()
        self._secret = service_secret(config)
        self._admin_token = kept_secret(config, config.admin_token, ADMIN_TOKEN)
        self._tasks = TaskBag()
        self.public: list[Listener] = []
        """Those with an address of their own."""
        self._handed: Listener | None = None
        """Serves what a front door hands over."""
        self._receiver: Receiver | None = None
        self.internal: Listener | None = None
        self._build()

    def _build(self) -> None:
        config, clock = self.config, self._clock
        self._metrics = Metrics()
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
            [
                *InternalApi(self.reception, self.presence, self.tokens, self.herald).routes(),
                *self.relays.routes(),
                *self.telephony.internal_routes(),
                *self.meetings.internal_routes(),
            ],
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
        metrics.gauge("websockets", "WebSockets passed on").set_function(lambda: self.events.count)
        metrics.gauge("users_online", "Users with a page open").set_function(lambda: len(self.herald.online))
        metrics.gauge("mcus", "MCUs that live").set_function(lambda: len(self.farm))
        metrics.gauge("turns", "TURN servers that live").set_function(lambda: len(self.fleet))

    def _public_routes(self) -> list[Route]:
        self.parts = Parts(
            self.config,
            self._clock,
            self.house,
            self.telephony,
            self.meetings,
            self.ice,
            self.events,
            self.passing,
            self.tokens,
            self.herald,
            self.sip,
            self.pages,
            self._admin_token,
            self.accounts,
            self.records,
            self.farm,
            self.drains,
            self.store,
            Once(self.repeats, self.vault, self._clock),
        )
        return public_routes(self.parts, lambda: self.site.openapi(words()))

    # --- life -----------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Migrate, make what is missing, listen. Raises LocalError or Unavailable with the reason if that cannot be."""
        self.certificates.load()
        self.turn_secrets.look()
        await self._open_database()
        await self.reception.catalogue.ensure_default(self.config.default_room)
        await self.drains.start()
        await self.presence.start()
        await self.accounts.start()
        self.internal = await Listener.start(self.http.app, self.config.http_host, self.config.http_port)
        if self.config.https_listen:
            await self._listen()
        if self.config.handover_dir is not None:
            await self._be_handed(self.config.handover_dir)
        self._tasks.spawn(self._sweep(), name="sweep")
        self._tasks.spawn(self._keep_house(), name="housekeeping")
        self._tasks.spawn(self.herald.run(), name="news")
        self._tasks.spawn(self.certificates.watch(), name="watch certificates")
        self._tasks.spawn(follow(self.turn_secrets), name="watch secrets for TURN")
        if notice := browser_notice(self.config):
            log.info(notice)
        self.http.set_ready(True)

    async def _listen(self) -> None:
        """One address, or all of IPv4 and, on a machine that has it, of IPv6 under the same number."""
        first, *more = PUBLIC if self.config.https_host == EVERYWHERE else (self.config.https_host,)
        await self._listen_on(first, self.config.https_port)
        for host in more:
            try:
                await self._listen_on(host, self.public[0].port)
            except LocalError as error:
                log.warning("not served over IPv6", reason=str(error))

    async def _listen_on(self, host: str, port: int) -> None:
        listener = await Listener.start(
            self.site.app,
            host,
            port,
            ssl=self.certificates.context,
            max_per_source=self.config.max_connections_per_source,
        )
        self.public.append(listener)

    async def _be_handed(self, folder: Path) -> None:
        """Browsers whom a front door lets in: the same site with the same bounds, TLS included."""
        listener = self._handed = await Listener.without_address(
            self.site.app, self.certificates.context, max_per_source=self.config.max_connections_per_source
        )

        def take(connection: socket.socket, kind: str, client: Address, flags: Flags) -> None:
            listener.adopt(connection, client, tls_ended=Flags.TLS_ENDED in flags)

        uids = self.config.handover_uids
        path = folder / f"{self.name}.sock"
        self._receiver = await receive(path, take, uids=uids, mode=0o660 if uids else 0o600)

    @property
    def _listeners(self) -> list[Listener]:
        """Of the site."""
        return [*self.public, *([self._handed] if self._handed is not None else [])]

    async def _open_database(self) -> None:
        """A server is waited for; a file is not."""
        try:
            await migrate(self.database)
        except Unavailable:
            if self.database.is_sqlite:
                raise
            config = self.config
            async with waiting_room(config.http_host, config.http_port, secret=self._secret, clock=self._clock):
                await wait_for_database(lambda: migrate(self.database))

    async def _sweep(self) -> None:
        failed = False
        while True:
            await asyncio.sleep(SWEEP_S)
            try:
                await self.presence.sweep()
                await self.meetings.keeper.look()
                await self.house.lobby.look()
                failed = False
            except Unavailable as error:
                if not failed:
                    log.warning("sweeps fail; tried on", reason=error.detail)
                failed = True

    async def _keep_house(self) -> None:
        await asyncio.sleep(FIRST_HOUSEKEEPING_S)
        while True:
            try:
                await self.keep_house()
            except Unavailable as error:
                log.warning("housekeeping failed", reason=error.detail)
            await asyncio.sleep(HOUSEKEEPING_S)

    async def keep_house(self) -> None:
        """Delete what nobody can need any more."""
        config, now = self.config, self._clock.wall()
        rows = await self.store.forget(
            people_before=now - config.rejoin_window_s - config.token_ttl_s,
            unused_before=now - config.retention_days * DAY_S,
            now=now,
        )
        rows += await self.accounts.keep_house()
        rows += await self.repeats.forget(now)
        rows += await self.telephony.calls.forget(calls_before=now - config.retention_days * DAY_S, now=now)
        rows += await forget(self.records, now - config.retention_days * DAY_S, lambda: asyncio.sleep(BREATH_S))
        if rows:
            log.info("old rows deleted", rows=rows)

    async def drain(self) -> None:
        """No new connections; browsers are told to come back later."""
        self.http.set_ready(False)
        self._take_no_more()
        for listener in self._listeners:
            await listener.stop_accepting()
        self.events.drain()
        self.passing.drain()
        self.sip.drain()

    def _take_no_more(self) -> None:
        """What a front door has from now on waits there, for a moment, for our successor."""
        if self._receiver is not None:
            self._receiver.close()

    async def stop(self) -> None:
        """End everything. Idempotent."""
        self.events.drain()
        self.passing.drain()
        self.sip.drain()
        self.telephony.end_waits()
        self.relays.end()
        self._take_no_more()
        for listener in [*self._listeners, *([self.internal] if self.internal is not None else [])]:
            await listener.close()
        await self._tasks.close()
        await self.events.close()
        await self.passing.close()
        await self.sip.close()
        await self.notifier.close()
        await self.telephony.close()
        await self.accounts.close()
        await self.database.close()

    @property
    def join_url(self) -> str:
        """Where the default room is entered."""
        return join_url(self.config, self.public[0].port if self.public else self.config.https_port)


def database_of(config: AppserverConfig, metrics: Metrics | None = None) -> Database:
    """The one that is configured."""
    url = config.database_url.get_secret_value() if config.database_url is not None else None
    limits = Limits(config.database_connections, config.database_timeout_s, config.database_slow_s)
    return Database(database_url(url, config.state_dir), metrics, limits)


def join_url(config: AppserverConfig, https_port: int) -> str:
    """The address of the default room, as people on this machine can open it."""
    return f"{site_url(config, https_port)}/r/{config.default_room}"


def site_url(config: AppserverConfig, https_port: int) -> str:
    """Where the pages are, as people on this machine can open them."""
    host = "localhost" if config.https_host in (EVERYWHERE, *PUBLIC, "127.0.0.1", "::1") else config.https_host
    shown = f"[{host}]" if ":" in host else host
    port = "" if https_port == 443 else f":{https_port}"
    return config.public_url or f"https://{shown}{port}"


def say_setup(url: str) -> None:
    """Once at each start, until somebody has used it."""
    log.info("no administrator yet: this link makes the first one, once", url=url)


def room_policy(config: AppserverConfig) -> Policy:
    """What the configuration says of rooms."""
    return Policy(
        token_ttl_s=config.token_ttl_s,
        rejoin_window_s=config.rejoin_window_s,
        join_grace_s=config.join_grace_s,
        max_rooms=config.max_rooms,
        rooms_per_user=config.rooms_per_user,
        members_per_room=config.members_per_room,
        invitations_per_room=config.invitations_per_room,
        waiting_per_room=config.waiting_per_room,
        default_room=config.default_room,
    )


def turn_secrets(config: AppserverConfig, secret: bytes, clock: Clock) -> TurnSecrets:
    """What signs names for TURN; ``secret``: of the installation."""
    own = config.turn_secret.get_secret_value().encode() if config.turn_secret is not None else turn_secret(secret)
    return TurnSecrets(config.state_dir / TURN_SECRETS, own, clock.wall)


def ice_rules(config: AppserverConfig, secrets: TurnSecrets) -> IceRules:
    """What the configuration says of TURN."""
    others = config.ice_secret
    return IceRules(
        lambda: secrets.signing,
        config.turn_ttl_s,
        config.turn_transports,
        config.turns_trusted,
        config.ice_policy,
        External(tuple(config.ice_urls), others.get_secret_value().encode() if others is not None else None),
    )
