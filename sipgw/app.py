"""The SIP gateway put together: everything is made from the configuration and a clock."""

from __future__ import annotations

import asyncio
import random
import socket
import ssl

from confero import __version__
from confero.clock import Clock, SystemClock
from confero.config import service_secret
from confero.errors import LocalError
from confero.ids import new_id
from confero.models.sip import SipCaller
from confero.protocols.sip.build import response_to
from confero.protocols.sip.errors import SipError
from confero.protocols.sip.events import RequestIn
from confero.protocols.sip.hub import Refusal
from confero.protocols.sip.layer import TransactionLayer
from confero.protocols.sip.message import Request
from confero.protocols.sip.session import SessionConfig
from confero.protocols.sip.target import Target, Transport
from confero.ratelimit import Rate
from confero.runtime.accepting import Connections
from confero.runtime.http import HttpApp, Listener, Route
from confero.runtime.logging import get_logger
from confero.runtime.tasks import TaskBag

from .addresses import OwnAddresses, parse_advertised
from .calls.book import CallBook
from .calls.call import Call, Means
from .calls.desk import Desk
from .calls.entrance import Entrance
from .calls.lease import Leases
from .calls.parties import Parties
from .calls.transfers import Transfers
from .config import SipgwConfig
from .control import CallsApi, TrunksApi
from .endpoint import Endpoint
from .guard import Guard
from .outbound import Sender
from .pages import Pages
from .peers import AppServerPeer, McuPeers
from .resolve import Resolver, SystemDns
from .trace import Trace
from .transports.base import CONNECTIONS, PER_SOURCE
from .transports.stream import StreamTransport
from .transports.udp import UdpTransport
from .transports.websocket import Forwarded, WebSocketTransport, websocket_route
from .who import Who

log = get_logger(__name__)

SUPPORTED: tuple[Transport, ...] = ("udp", "tcp", "tls")
BUSY = Refusal(503, 5)


class SipgwApp:
    """Service ``sipgw``; ports in the configuration may be 0, then the transports' ``locals`` have those in use."""

    name = "sipgw"

    def __init__(self, config: SipgwConfig, clock: Clock | None = None) -> None:
        self.config = config
        self._clock = clock or SystemClock()
        self._secret = service_secret(config)
        self._tasks = TaskBag()
        self._draining = False
        self.listener: Listener | None = None
        self._build()

    def _build(self) -> None:
        config, clock = self.config, self._clock
        self.trace = Trace(clock)
        self.guard = Guard(clock, Rate(config.request_burst, config.requests_per_s), self._is_trunk)
        self.layer = TransactionLayer(random=random.SystemRandom(), gate=self._gate)
        addresses = OwnAddresses(clock, parse_advertised(config.sip_advertise))
        self.endpoint = Endpoint(clock, self.layer, addresses, self.trace)
        resolver = Resolver(SystemDns(config.nameservers), supported=SUPPORTED)
        self.sender = Sender(self.endpoint, resolver, self._tasks)
        self.appserver = AppServerPeer(config.appserver_url, secret=self._secret, clock=clock)
        self.mcus = McuPeers(secret=self._secret, clock=clock)
        self.pages = Pages(config.notifier_url, secret=self._secret, clock=clock)
        self.connections = Connections(CONNECTIONS, PER_SOURCE)
        self.websockets = WebSocketTransport(self.endpoint, self.connections, Forwarded(self._secret, clock).source_of)
        self.book = CallBook(self.endpoint, self._tasks)
        self.parties = Parties(self.sender)
        self.owner = f"sipgw-{new_id('gw')}"
        self.leases = Leases(self.book, self.mcus, clock, self.owner)
        self.means = Means(
            sender=self.sender,
            appserver=self.appserver,
            mcus=self.mcus,
            clock=clock,
            trace=self.trace,
            owner=self.owner,
            user_agent=f"confero/{__version__}",
            begun=self.book.begun,
            write=self._write,
            over=self.book.over,
            start=self.book.start,
            parties=self.parties,
            missed=self._missed,
            pages=self.pages,
            ring_s=config.ring_s,
            pass_headers=config.pass_headers,
            transfers=Transfers(self.book, self.parties),
        )
        self.who = Who(config, self._secret, clock, self.sender, self.appserver, self.guard, addresses, self._tasks)
        self.who.add_ways(self.parties)
        entrance = Entrance(self.means, self.book, self.who.identity, self.who.trunks, clock, self._tasks)
        self.desk = Desk(self.means, self.book, self.parties, config.max_calls)
        self.book.handlers |= {
            "INVITE": entrance.handle,
            "OPTIONS": self._options,
            "REGISTER": self.who.registrar.handle,
        }
        self.http = HttpApp("sipgw", self._routes(), secret=self._secret, clock=clock)
        self.who.measure(self.http.metrics)

    def _routes(self) -> list[Route]:
        return [websocket_route(self.websockets), *CallsApi(self.desk).routes(), *TrunksApi(self.who.trunks).routes()]

    async def start(self) -> None:
        """Listen. Neither application server nor MCU need be there yet. Raises LocalError if an address cannot be used."""
        config = self.config
        self.endpoint.serve(self.book)
        addresses = config.sip_bind or every_address()
        connections = self.connections
        udp, tcp = UdpTransport(self.endpoint), StreamTransport("tcp", self.endpoint, connections)
        await udp.start(addresses, config.sip_port)
        await tcp.start(addresses, config.sip_port or udp.locals[0].port)
        self.endpoint.carriers |= {"udp": udp, "tcp": tcp, "ws": self.websockets, "wss": self.websockets}
        tls = self._tls(connections)
        if tls is not None:
            await tls.start(addresses, config.sips_port)
            self.endpoint.carriers["tls"] = tls
        await self.who.start()
        self._tasks.spawn(self.leases.run(), name="leases")
        self._tasks.spawn(self.pages.run(), name="pages")
        self.listener = await Listener.start(self.http.app, config.http_host, config.http_port)
        self.http.set_ready(True)

    def _tls(self, connections: Connections) -> StreamTransport | None:
        config = self.config
        folder = config.state_dir / "tls"
        certificate = config.certificate or folder / "leaf.pem"
        key = config.certificate_key or folder / "leaf.key"
        if config.certificate is None and not certificate.exists():
            log.info("no certificate yet: no SIP over TLS", file=str(certificate))
            return None
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        client = ssl.create_default_context(cafile=str(config.peer_ca) if config.peer_ca else None)
        try:
            server.load_cert_chain(certificate, key)
            client.load_cert_chain(certificate, key)
        except (OSError, ssl.SSLError) as error:
            raise LocalError(f"certificate {certificate} with key {key}: {error}") from error
        return StreamTransport("tls", self.endpoint, connections, server=server, client=client)

    # -- requests outside of dialogs --

    def _gate(self, request: Request, source: Target, now: float) -> Refusal | None:
        """Before anything is kept of a request."""
        try:
            inside = request.to.tag is not None
        except SipError:
            inside = False
        if inside:
            return None
        if self.guard.judge(source.host, request.headers.get("User-Agent") or "") != "welcome":
            return Refusal(None)
        if request.method == "INVITE" and (self._draining or len(self.book) >= self.config.max_calls):
            return BUSY
        return None

    def _is_trunk(self, address: str) -> bool:
        return self.who.trunks.trusts(address)

    def _missed(self, caller: SipCaller, status: int) -> None:
        """Strangers that ask for what is not there may be looking for what is."""
        if status in (403, 404) and not caller.account and not caller.trunk:
            self.guard.failed(caller.source)

    def _options(self, event: RequestIn) -> None:
        """11.2: what we can do; also how trunks see that we are there."""
        config = SessionConfig(contact="<sip:confero@invalid>")
        response = response_to(
            event.request, 503 if self._draining else 200, to_tag=self.endpoint.random.randbytes(8).hex()
        )
        for name, value in (
            ("Allow", config.allow),
            ("Accept", "application/sdp"),
            ("Supported", ", ".join(config.extensions)),
        ):
            response.headers.add(name, value)
        self.endpoint.respond(event.key, response)

    def _write(self, call: Call) -> None:
        """The call's record to the application server."""

    async def drain(self) -> None:
        """No new calls; those that run may finish."""
        self._draining = self.desk.closed = True
        self.http.set_ready(False)
        await self.book.empty()

    async def stop(self) -> None:
        """End everything. Idempotent."""
        self.book.hang_up_all("the gateway stops")
        await asyncio.sleep(0)
        if self.listener is not None:
            await self.listener.close()
        await self.who.close()
        await self._tasks.close()
        await self.who.registrar.close()
        for carrier in self.endpoint.carriers.values():
            await carrier.close()
        self.endpoint.close()
        await self.mcus.close()
        await self.pages.close()
        await self.appserver.close()


def every_address() -> list[str]:
    """Wildcards of the families that this machine has."""
    try:
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).close()
    except OSError:
        return ["0.0.0.0"]
    return ["0.0.0.0", "::"]
