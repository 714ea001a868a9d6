"""The MCU put together: everything is made from the configuration and a clock."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from confero import __version__
from confero.clock import Clock, SystemClock
from confero.config import ConfigError, service_secret
from confero.configsources import Fault
from confero.ids import new_id
from confero.media import Engine, EngineConfig, JitterBuffer
from confero.models.turn import MediaPlace
from confero.runtime.client import ServiceClient
from confero.runtime.http import HttpApp, Listener
from confero.runtime.logging import get_logger
from confero.runtime.tasks import TaskBag

from .announcer import Announcer
from .conference import Conference, ConferenceSettings
from .config import McuConfig
from .control import ControlApi
from .events import EventPump
from .farm import Farm, Identity, Load
from .feed import Feed
from .legs.base import LegSettings
from .legs.dtls import Certificate
from .measures import measure
from .peers import AppServerPeer, NotifierPeer
from .prompts import Prompts
from .records import Records
from .units import units_of

log = get_logger(__name__)

MAX_BODY = 90_000
"""Bytes: an SDP of 64 KiB with its line ends escaped, and what stands around it."""
ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
LAST_WORDS_S = 2.0
"""What is still to be told when the process stops gets this long."""


def leg_settings(config: McuConfig) -> LegSettings:
    return LegSettings(
        setup_s=config.setup_s,
        consent_s=config.consent_s,
        stale_s=config.stale_s,
        answer_s=config.answer_s,
        redundancy=config.redundancy,
        low_delay=config.opus_low_delay,
        to_loopback=config.media_to_loopback,
        jitter=JitterBuffer(
            minimum=config.jitter_mode == "minimum", min_ms=config.jitter_min_ms, max_ms=config.jitter_max_ms
        ),
    )


class McuApp:
    """Service ``mcu``; ``http_port`` in the configuration may be 0, then ``listener.port`` is the one in use."""

    name = "mcu"

    def __init__(self, config: McuConfig, clock: Clock | None = None) -> None:
        self.config = config
        self._clock = clock or SystemClock()
        self._secret = service_secret(config)
        self._tasks = TaskBag()
        self.id = config.id or stored_id(config.state_dir)
        self.boot = new_id("boot")
        self.listener: Listener | None = None
        self.engine: Engine | None = None
        self._pump: EventPump | None = None

    async def start(self) -> None:
        """Opens the media ports, then the control API. Neither notifier nor application server need be there yet.

        Raises LocalError if an address or port cannot be had.
        """
        self._build(self._make_engine())
        assert self.engine is not None and self._pump is not None
        self.engine.start()
        self._pump.start()
        self.listener = await Listener.start(self.http.app, self.config.http_host, self.config.http_port)
        self._join_farm(self.config.url or self.listener.url)
        self._tasks.spawn(self._pump.keep_time(), name="mcu ticks")
        self._tasks.spawn(self.feed.run(), name="mcu feed")
        self._tasks.spawn(self.records.run(), name="mcu records")
        self.http.set_ready(True)

    def _make_engine(self) -> Engine:
        config = self.config
        self.engine = Engine(
            EngineConfig(
                threads=config.media_threads,
                bind=tuple(config.media_bind),
                port_low=config.media_port_min,
                port_high=config.media_port_max,
                tcp=config.media_tcp,
                advertised=tuple(config.media_advertise),
            ),
            self._clock.monotonic,
        )
        return self.engine

    def _build(self, engine: Engine) -> None:
        config = self.config
        self.notifier = NotifierPeer(self._client("notifier", config.notifier_url))
        self.appserver = AppServerPeer(self._client("appserver", config.appserver_url))
        self.feed = Feed(self.notifier)
        self.records = Records(self.appserver)
        self.conference = Conference(
            engine,
            self._clock,
            Announcer(self.feed, self.records, self._clock, self.id, self.boot),
            certificate=Certificate(),
            settings=leg_settings(config),
            limits=ConferenceSettings(
                max_rooms=config.max_rooms,
                max_legs=config.max_legs,
                empty_room_s=config.empty_room_s,
                pass_through=config.pass_through,
                owner_lease_s=config.owner_lease_s,
            ),
            prompts=Prompts(config.prompts_dir),
        )
        self._pump = EventPump(engine, self.conference)
        self.control = ControlApi(self.conference, engine, lambda: self.http.openapi(), self.boot)
        self.http = HttpApp("mcu", self.control.routes(), secret=self._secret, clock=self._clock, max_body=MAX_BODY)
        measure(self.http.metrics, engine, self.conference, self.feed, self.records)

    def _client(self, audience: str, url: str) -> ServiceClient:
        return ServiceClient("mcu", audience, url, secret=self._secret, clock=self._clock, retries=0)

    def _join_farm(self, url: str) -> None:
        identity = Identity(self.id, self.boot, url, self.config.capacity, self._places, __version__)
        self.farm = Farm(identity, self._load, self._clock)
        self._tasks.spawn(self.farm.keep_registered(self.appserver), name="mcu farm")
        self._tasks.spawn(self.farm.announce(self.notifier), name="mcu start notice")

    def _places(self) -> list[MediaPlace]:
        """Every address that peers are told, with the range that the ports are of: which of them a leg gets is not known before."""
        assert self.engine is not None
        low, high = self.config.media_port_min, self.config.media_port_max
        return [MediaPlace(host=one.external, low=low, high=high) for one in self.engine.advertised]

    def _load(self) -> Load:
        registry = self.conference.registry
        return Load(
            units=units_of(participant.leg for participant, _ in registry.participants()),
            rooms=registry.rooms,
            legs=registry.legs,
            draining=self.conference.draining,
            participants=tuple(participant.id for participant, _ in registry.participants()),
        )

    async def drain(self) -> None:
        """Takes nothing new and returns when the last leg has gone."""
        self.http.set_ready(False)
        self.conference.start_draining()
        while self.conference.registry.legs:  # noqa: ASYNC110 - legs end in many ways; a look now and then is enough
            await asyncio.sleep(0.1)

    async def stop(self) -> None:
        """Ends everything: legs with ``draining``, then what is to be told about it, then the rest. Idempotent."""
        if self.engine is None:
            return
        if self._pump is not None:
            self.conference.close()
            await self._last_words()
            self._pump.stop()
        if self.listener is not None:
            await self.listener.close()
        await self._tasks.close()
        if self._pump is not None:
            await self.notifier.close()
            await self.appserver.close()
        engine, self.engine = self.engine, None
        engine.close()

    async def _last_words(self) -> None:
        try:
            async with asyncio.timeout(LAST_WORDS_S):
                while not (self.feed.settled and self.records.settled):  # noqa: ASYNC110 - their own tasks drain them
                    await asyncio.sleep(0.02)
        except TimeoutError:
            log.warning("stopped before everything was told")


def stored_id(folder: Path) -> str:
    """The name of this MCU, made once and kept in ``folder``: the application server knows it again after a restart.

    Raises ConfigError if the file cannot be used.
    """
    path = folder / "mcu-id"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            path.write_text(new_id("mcu") + "\n")
        found = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise ConfigError([Fault(str(path), reason)], service="mcu") from error
    if not ID.fullmatch(found):
        raise ConfigError([Fault(str(path), "is not a name of 1 to 64 of A-Z a-z 0-9 _ -")], service="mcu")
    return found
