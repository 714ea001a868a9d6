"""The notification server put together: everything is made from the configuration and a clock."""

from __future__ import annotations

from confero.clock import Clock, SystemClock
from confero.config import service_secret
from confero.errors import ConferoError
from confero.runtime.http import HttpApp, Listener, Route
from confero.runtime.tasks import TaskBag
from confero.tokens import check_service_token

from .api import InternalApi
from .asks import AskEndpoint
from .bus import LocalBus
from .closecodes import CLOSE_CODES
from .config import NotifierConfig
from .entry import Gate
from .fanout import Fanout
from .heartbeats import Heartbeats
from .hub import Hub, HubLimits
from .longpoll import PollEndpoint
from .moderation import Moderation
from .moderationapi import ModerationApi
from .notices import NoticeLimits, Notices
from .orphans import OrphanLimits, Orphans
from .peers import AppServerPeer, McuPeers
from .rosters import Rosters
from .sessions import Sessions
from .shared import Shared
from .signaling import Signaling
from .sse import StreamEndpoint
from .turns import Turns
from .ws import EventsEndpoint

MAX_BODY = 1 << 20
"""Bytes of an internal request: 256 events, among them a roster of 2,000."""

RESERVED = 1000
"""Connections beside those of browsers: of services, and of browsers that are being refused."""


class NotifierApp:
    """Service ``notifier``; ``http_port`` in the configuration may be 0, then ``listener.port`` is the one in use."""

    name = "notifier"

    def __init__(self, config: NotifierConfig, clock: Clock | None = None) -> None:
        self.config = config
        self._clock = clock or SystemClock()
        self._secret = service_secret(config)
        self._tasks = TaskBag()
        self.listener: Listener | None = None
        self._build()

    async def start(self) -> None:
        """Listen. Neither application server nor MCU need be there yet. Raises LocalError if the address cannot be used."""
        await self.fanout.start()
        self._tasks.spawn(self.turns.run(), name="large deliveries")
        self._tasks.spawn(self.notices.run(), name="notices")
        self._tasks.spawn(self.sessions.reap(), name="reap sessions")
        self._tasks.spawn(self.orphans.run(), name="orphans")
        self._tasks.spawn(self.heartbeats.run(), name="heartbeats")
        most = self.config.max_connections + RESERVED
        self.listener = await Listener.start(
            self.http.app, self.config.http_host, self.config.http_port, max_connections=most, max_per_source=most
        )
        self.http.set_ready(True)

    def _build(self) -> None:
        config, clock = self.config, self._clock
        self.appserver = AppServerPeer(config.appserver_url, secret=self._secret, clock=clock)
        self.mcus = McuPeers(secret=self._secret, clock=clock)
        self.sessions = Sessions(self.appserver, limit=4 * config.max_connections)
        limits = HubLimits(resume_s=config.resume_window_s, sessions=2 * config.max_connections)
        self.hub = Hub(clock, limits, self.sessions.ended)
        self.turns = Turns(self.hub.deliveries.turn)
        self.hub.deliveries.begun = self.turns.begin
        self.rosters = Rosters(self.mcus)
        self.fanout = Fanout(LocalBus(), self.hub, self.rosters)
        self.notices = Notices(self.appserver, config.instance, self.hub.sessions, clock, NoticeLimits())
        self.orphans = Orphans(self.mcus, self.hub, clock, OrphanLimits(legs=4 * config.max_connections))
        signaling = Signaling(self.mcus, self.hub, self.rosters, self.sessions.follow)
        self.sessions.connect(self.hub, self.fanout, self.notices, signaling, self.orphans)
        self.gate = Gate(
            allowed_origins=config.allowed_origins,
            total=config.max_connections,
            per_source=config.max_connections_per_source,
            is_proxy=self._is_appserver,
        )
        self.heartbeats = Heartbeats(config.ping_interval_s)
        self.shared = Shared(config, clock, self.gate, self.sessions, self.heartbeats, self._count_close)
        self.http = HttpApp("notifier", self._routes(), secret=self._secret, clock=clock, max_body=MAX_BODY)
        self._measure()

    def _routes(self) -> list[Route]:
        shared = self.shared
        return [
            *EventsEndpoint(shared).routes(),
            *StreamEndpoint(shared).routes(),
            *PollEndpoint(shared).routes(),
            *AskEndpoint(shared).routes(),
            *InternalApi(self.fanout, self.mcus).routes(),
            *ModerationApi(Moderation(self.fanout, self.mcus)).routes(),
        ]

    def _measure(self) -> None:
        metrics = self.http.metrics
        self._closes = metrics.counter("websocket_closes", "WebSockets that ended, by close code", ("code",))
        metrics.gauge("websockets", "Open WebSockets").set_function(lambda: self.gate.count)
        metrics.gauge("sessions", "Sessions, with those that wait for their browser").set_function(
            lambda: len(self.hub)
        )
        metrics.gauge("orphans", "Legs whose session has expired, as far as they are watched").set_function(
            lambda: len(self.orphans)
        )
        metrics.gauge("notices_dropped", "Notices to the application server lost to a full queue").set_function(
            lambda: self.notices.dropped
        )

    def _count_close(self, code: int) -> None:
        self._closes.labels(str(code) if code in CLOSE_CODES else "other").inc()

    def _is_appserver(self, token: str) -> bool:
        """Whether a WebSocket is passed on by the application server, whose word on origin and address counts."""
        try:
            caller = check_service_token(token, audience="notifier", secret=self._secret, now=self._clock.wall())
        except ConferoError:
            return False
        return caller == "appserver"

    async def drain(self) -> None:
        """No new connections; browsers are told to come back later."""
        self.http.set_ready(False)
        if self.listener is not None:
            await self.listener.stop_accepting()
        self.shared.close_all()

    async def stop(self) -> None:
        """End everything. Idempotent."""
        self.shared.close_all()
        if self.listener is not None:
            await self.listener.close()
        await self._tasks.close()
        await self.sessions.close()
        await self.rosters.close()
        await self.mcus.close()
        await self.appserver.close()
