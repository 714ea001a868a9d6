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
from .calls.call import About, Call, Means
from .calls.inbound import InboundCall
from .calls.lease import Leases
from .calls.media import Terms
from .calls.parties import Parties
from .calls.transfers import Transfers
from .config import SipgwConfig
from .endpoint import Endpoint
from .guard import Guard
from .outbound import Sender
from .peers import AppServerPeer, McuPeers
from .resolve import Resolver, SystemDns
from .trace import Trace
from .transports.base import CONNECTIONS, PER_SOURCE
from .transports.stream import StreamTransport
from .transports.udp import UdpTransport

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
        self.guard = Guard(clock, Rate(config.request_burst, config.requests_per_s))
        self.layer = TransactionLayer(random=random.SystemRandom(), gate=self._gate)
        addresses = OwnAddresses(clock, parse_advertised(config.sip_advertise))
        self.endpoint = Endpoint(clock, self.layer, addresses, self.trace)
        resolver = Resolver(SystemDns(config.nameservers), supported=SUPPORTED)
        self.sender = Sender(self.endpoint, resolver, self._tasks)
        self.appserver = AppServerPeer(config.appserver_url, secret=self._secret, clock=clock)
        self.mcus = McuPeers(secret=self._secret, clock=clock)
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
            transfers=Transfers(self.book, self.parties),
        )
        self.book.handlers |= {"INVITE": self._invite, "OPTIONS": self._options}
        self.http = HttpApp("sipgw", self._routes(), secret=self._secret, clock=clock)

    def _routes(self) -> list[Route]:
        return []

    async def start(self) -> None:
        """Listen. Neither application server nor MCU need be there yet. Raises LocalError if an address cannot be used."""
        config = self.config
        self.endpoint.serve(self.book)
        addresses = config.sip_bind or every_address()
        connections = Connections(CONNECTIONS, PER_SOURCE)
        udp, tcp = UdpTransport(self.endpoint), StreamTransport("tcp", self.endpoint, connections)
        await udp.start(addresses, config.sip_port)
        await tcp.start(addresses, config.sip_port or udp.locals[0].port)
        self.endpoint.carriers |= {"udp": udp, "tcp": tcp}
        tls = self._tls(connections)
        if tls is not None:
            await tls.start(addresses, config.sips_port)
            self.endpoint.carriers["tls"] = tls
        self._tasks.spawn(self.leases.run(), name="leases")
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

    def _invite(self, event: RequestIn) -> None:
        request, source = event.request, event.source
        from_ = request.from_
        caller = SipCaller(source=source.host, from_user=from_.uri.username[:128], from_name=(from_.name or "")[:256])
        about = About("in", str(from_.uri)[:256], request.uri[:256], self._clock.wall(), caller=caller)
        call = InboundCall(self.means, about, Terms(self.owner), event.key, request, source)
        self.book.incoming(event.key, call)

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
        self._draining = True
        self.http.set_ready(False)
        await self.book.empty()

    async def stop(self) -> None:
        """End everything. Idempotent."""
        self.book.hang_up_all("the gateway stops")
        await asyncio.sleep(0)
        if self.listener is not None:
            await self.listener.close()
        await self._tasks.close()
        for carrier in self.endpoint.carriers.values():
            await carrier.close()
        self.endpoint.close()
        await self.mcus.close()
        await self.appserver.close()


def every_address() -> list[str]:
    """Wildcards of the families that this machine has."""
    try:
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).close()
    except OSError:
        return ["0.0.0.0"]
    return ["0.0.0.0", "::"]
