"""The TURN server put together: everything is made from the configuration and a clock."""

from __future__ import annotations

import asyncio
import os
import random
import re
import socket
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from confero.clock import Clock, SystemClock
from confero.config import ConfigError, service_secret
from confero.configsources import Fault
from confero.ids import new_id
from confero.media.addresses import machine_addresses
from confero.models.turn import TurnHeartbeat, TurnListener, TurnRegister, TurnTransport
from confero.ports import reserved
from confero.protocols.turn import Accounts, Alternate, PeerPolicy, Server, Settings
from confero.ratelimit import RateLimiter
from confero.relay import Relay, RelayConfig
from confero.runtime.client import ServiceClient
from confero.runtime.handover import Address, Flags, Receiver, receive
from confero.runtime.http import HttpApp, Listener
from confero.runtime.logging import get_logger
from confero.runtime.rotation import follow as follow_secrets
from confero.runtime.tasks import TaskBag
from confero.tokens import turn_secret
from confero.turnsecrets import FILE as TURN_SECRETS
from confero.turnsecrets import TurnSecrets

from .addresses import follow as follow_addresses
from .addresses import follows, is_address, relay_addresses
from .bridge import Bridge
from .certificates import Certificates
from .config import TurnConfig, split_place
from .control import AllocationsApi
from .farm import MAX_REPLY, AppServerPeer, Membership
from .https import HttpsInside
from .listening import TcpDoor, udp_sockets, wildcards
from .measures import Snapshot, measure
from .news import DENIALS, LoggedNews
from .ports import RelayPorts
from .reach import Reaching

log = get_logger(__name__)

ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class TurnApp:
    """Service ``turn``; ports in the configuration may be 0, then ``udp_port`` and ``tcp_port`` are those in use."""

    name = "turn"

    def __init__(self, config: TurnConfig, clock: Clock | None = None) -> None:
        self.config = config
        self._clock = clock or SystemClock()
        self._secret = service_secret(config)
        self._tasks = TaskBag()
        self.id = config.id or stored_id(config.state_dir)
        self.boot = new_id("boot")
        self.draining = False
        self.udp_port = config.udp_port
        self.listener: Listener | None = None
        self._receiver: Receiver | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._relay: Relay | None = None
        self._built = False

    # -- put together --

    def _build(self) -> None:
        config, clock = self.config, self._clock
        threads = config.threads or os.cpu_count() or 1
        relay = self._relay = Relay(relay_config(config, threads))
        self.bind = config.bind or wildcards()
        self.ports = RelayPorts(
            relay_addresses(self.bind, config.relay_bind), config.relay_port_min, config.relay_port_max, reserved()
        )
        self.secrets = turn_secrets(config, self._secret, clock)
        self.secrets.look()
        accounts = self._accounts = Accounts(config.realm, clock.wall, secrets=self.secrets.taken)
        settings = turn_settings(config, self.ports.families)
        self.server = Server(settings, accounts, PeerPolicy(only=True), self.ports, random.SystemRandom())
        self.reaching = Reaching(
            clock,
            self.server.use,
            self._own_addresses,
            reach=config.reach,
            farm=config.reach_farm,
            only=config.reach_only,
            nat64=config.nat64,
        )
        self.news = LoggedNews(RateLimiter(DENIALS, clock))
        self.https = HttpsInside(relay, config.handover_dir, clock, uids=config.handover_uids)
        self.bridge = Bridge(relay, self.server, self.ports, relay.now, self.news, self.https.decide, self._arm)
        self.door = TcpDoor(relay.adopt)
        folder = config.state_dir / "tls"
        chain, key = config.certificate or folder / "leaf.pem", config.certificate_key or folder / "leaf.key"
        self.certificates = Certificates(chain, key, relay.certificate, clock)
        self._redirect()
        self._build_http(relay)

    def _build_http(self, relay: Relay) -> None:
        api = AllocationsApi(self.server, self.bridge, relay.traffic, relay.now, self.start_draining)
        self.http = HttpApp("turn", api.routes(), secret=self._secret, clock=self._clock)
        snapshot = Snapshot(relay, relay.now)
        measure(self.http.metrics, self.server, snapshot, self.ports, self.bridge, self.door, self.https, self.news)
        client = ServiceClient(
            "turn",
            "appserver",
            self.config.appserver_url,
            secret=self._secret,
            clock=self._clock,
            retries=0,
            max_reply=MAX_REPLY,
        )
        self.appserver = AppServerPeer(client)
        self.membership = Membership(self._registration, self._heartbeat, self.reaching.told, self._clock)
        self._built = True

    def _own_addresses(self) -> list[str]:
        """Of this machine, as it has them now, and as it is known outside."""
        told = [host for host in (*self.config.advertise, *self.config.relay_bind) for host in host.split("=")]
        return [*machine_addresses(), *(host for host in told if is_address(host))]

    def _redirect(self) -> None:
        alternates = tuple(Alternate(split_place(text)) for text in self.config.alternates)
        self.server.redirect(alternates, draining=self.draining, above=self.config.redirect_above or None)

    # -- life --

    async def start(self) -> None:
        """Listen. The application server need not be there yet. Raises LocalError if an address or port cannot be had."""
        self._build()
        config, relay = self.config, self._relay
        assert relay is not None
        for thread, made in udp_sockets(self.bind, config.udp_port, relay.config.threads):
            self.udp_port = int(made.getsockname()[1])
            relay.listen(made.fileno(), thread)
            made.detach()
        self.certificates.look()
        relay.start()
        asyncio.get_running_loop().add_reader(relay.fileno(), self._pump)
        if config.tcp_listen:
            await self.door.listen(self.bind, config.tcp_port)
        if config.handover_dir is not None:
            await self._be_handed(config.handover_dir)
        self.listener = await Listener.start(self.http.app, config.http_host, config.http_port)
        self._tasks.spawn(self.certificates.watch(), name="certificates")
        self._tasks.spawn(follow_secrets(self.secrets, self._rotate), name="secrets")
        if follows(self.bind, config.relay_bind):
            self._tasks.spawn(follow_addresses(self.bind, self.ports), name="addresses")
        self._tasks.spawn(self.membership.keep(self.appserver), name="membership")
        self.http.set_ready(True)

    async def _be_handed(self, folder: Path) -> None:
        """Clients whom a front door lets in."""

        def take(connection: socket.socket, kind: str, client: Address, flags: Flags) -> None:
            self.door.take(connection)

        uids = self.config.handover_uids
        self._receiver = await receive(folder / "turn.sock", take, uids=uids, mode=0o660 if uids else 0o600)

    def _rotate(self) -> None:
        self._accounts.rotate(self.secrets.taken)

    def _pump(self) -> None:
        self.bridge.pump()
        self._arm()

    def _wake(self) -> None:
        self._timer = None
        self.bridge.wake()
        self._arm()

    def _arm(self) -> None:
        """One timer, for the earliest that is due."""
        if self._relay is None:
            return
        due = self.bridge.timer()
        if due is None or (self._timer is not None and self._timer_at <= due):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = due
        self._timer = asyncio.get_running_loop().call_later(max(0.0, due - self._relay.now()), self._wake)

    def start_draining(self) -> None:
        """No new allocations here: clients are sent elsewhere, and browsers hear of us no more."""
        if self.draining:
            return
        self.draining = True
        log.info("draining", allocations=self.server.allocations)
        self._redirect()
        self.http.set_ready(False)
        self._tasks.spawn(self.membership.say(self.appserver), name="word of draining")

    async def drain(self) -> None:
        """Returns when the last allocation has gone."""
        self.start_draining()
        while self.server.allocations:  # noqa: ASYNC110 - they end in many ways; a look now and then is enough
            await asyncio.sleep(0.1)

    async def stop(self) -> None:
        """Ends everything. Idempotent."""
        relay, self._relay = self._relay, None
        if relay is None:
            return
        if self._built:
            await self._close(relay)
        relay.close()

    async def _close(self, relay: Relay) -> None:
        self.door.close()
        self.bridge.streams.close()
        if self._receiver is not None:
            self._receiver.close()
        if self.listener is not None:
            await self.listener.close()
        await self._tasks.close()
        await self.appserver.close()
        asyncio.get_running_loop().remove_reader(relay.fileno())
        if self._timer is not None:
            self._timer.cancel()
        self.https.close()
        self.ports.close()

    # -- what others are told --

    def _registration(self) -> TurnRegister:
        return TurnRegister(
            id=self.id,
            boot=self.boot,
            listeners=[self._heard(*one) for one in self._listeners()],
            trusted_names=self.certificates.trusted_names[:64],
        )

    def _listeners(self) -> list[tuple[TurnTransport, str | None, int]]:
        hosts: list[str | None] = [*self.config.advertise]
        hosts = hosts or [None if ip_address(one).is_unspecified else one for one in self.bind]
        ports: list[tuple[TurnTransport, int]] = [("udp", self.udp_port)]
        if tcp := self.tcp_port:
            ports.append(("tcp", tcp))
            ports += [("tls", tcp)] if self.certificates.there else []
        return [(transport, host, port) for transport, port in ports for host in dict.fromkeys(hosts)]

    def _heard(self, transport: TurnTransport, host: str | None, port: int) -> TurnListener:
        return TurnListener(transport=transport, host=host, port=port)

    @property
    def tcp_port(self) -> int:
        """Where TCP and TLS are reached; 0: they are not."""
        if self.config.front_url and self.config.handover_dir is not None:
            return urlsplit(self.config.front_url).port or 443
        return self.door.port

    def _heartbeat(self) -> TurnHeartbeat:
        return TurnHeartbeat(boot=self.boot, allocations=self.server.allocations, draining=self.draining)


def relay_config(config: TurnConfig, threads: int) -> RelayConfig:
    """What the data path is sized for: clients are not spread evenly over threads, so each could hold them all."""
    return RelayConfig(
        threads=threads,
        allocations=config.max_allocations,
        connections=config.max_connections,
        bytes_per_second=config.max_total_bytes_per_s,
    )


def turn_settings(config: TurnConfig, families: frozenset[int]) -> Settings:
    return Settings(
        realm=config.realm,
        families=families,
        default_lifetime_s=config.lifetime_s,
        max_lifetime_s=config.max_lifetime_s,
        tcp=config.tcp_allocations,
        connections=config.max_peer_connections,
        allocations=config.max_allocations,
        allocations_per_user=config.max_allocations_per_user,
        bytes_per_s=config.max_bytes_per_s,
    )


def turn_secrets(config: TurnConfig, secret: bytes, clock: Clock) -> TurnSecrets:
    """Those that sign names and passwords; ``secret``: of the installation."""
    own = config.turn_secret.get_secret_value().encode() if config.turn_secret is not None else turn_secret(secret)
    earlier = [one.get_secret_value().encode() for one in config.earlier_turn_secrets]
    return TurnSecrets(config.state_dir / TURN_SECRETS, own, clock.wall, earlier)


def stored_id(folder: Path) -> str:
    """The name of this server, made once and kept in ``folder``. Raises ConfigError if the file cannot be used."""
    path = folder / "turn-id"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            path.write_text(new_id("turn") + "\n")
        found = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise ConfigError([Fault(str(path), reason)], service="turn") from error
    if not ID.fullmatch(found):
        raise ConfigError([Fault(str(path), "is not a name of 1 to 64 of A-Z a-z 0-9 _ -")], service="turn")
    return found
