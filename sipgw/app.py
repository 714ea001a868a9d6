"""The SIP gateway put together: everything is made from the configuration and a clock."""

from __future__ import annotations

import asyncio
import random
import socket
from contextlib import suppress

from confero import __version__
from confero.clock import Clock, SystemClock
from confero.config import service_secret
from confero.errors import LocalError
from confero.models.sip import SipCaller
from confero.protocols.sip.admission import TransactionLimits
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

from .addresses import OwnAddresses, advertised
from .calls.book import CallBook
from .calls.call import Call
from .calls.desk import Desk
from .calls.entrance import Entrance
from .calls.keyfeed import KeyFeed
from .calls.lease import Leases
from .calls.means import Credentials, Means
from .calls.memo import memo_of
from .calls.parties import Parties
from .calls.record import record_of
from .calls.resume import Resumption
from .calls.transfers import Transfers
from .calls.unproven import Unproven
from .certificates import Certificates
from .config import SipgwConfig, split_address
from .control import CallsApi, TrunksApi
from .endpoint import Endpoint
from .guard import Guard
from .journal import Journal
from .load import RETRY_AFTER_S, Load
from .measures import Measures
from .outbound import Sender
from .owner import kept_owner
from .pages import Pages
from .peers import AppServerPeer, McuPeers
from .records import Records
from .resolve import Resolver, SystemDns
from .trace import HepMirror, Trace
from .transports.base import CONNECTIONS, PER_SOURCE
from .transports.stream import StreamTransport
from .transports.udp import UdpTransport
from .transports.websocket import Forwarded, WebSocketTransport, websocket_route
from .watching import TraceApi
from .who import Who

log = get_logger(__name__)

SUPPORTED: tuple[Transport, ...] = ("udp", "tcp", "tls")
BUSY = Refusal(503, RETRY_AFTER_S)
GOODBYES_S = 3.0
"""For all calls to end, before what is left of them is dropped: less than a process has for its end."""


class SipgwApp:
    """Service ``sipgw``; ports in the configuration may be 0, then the transports' ``locals`` have those in use."""

    name = "sipgw"

    def __init__(self, config: SipgwConfig, clock: Clock | None = None) -> None:
        self.config = config
        self._clock = clock or SystemClock()
        self._secret = service_secret(config)
        self._tasks = TaskBag()
        self.listener: Listener | None = None
        self._build()

    def _build(self) -> None:
        config, clock = self.config, self._clock
        self.hep = hep_mirror(config)
        self.trace = Trace(clock, self.hep)
        self.guard = Guard(clock, Rate(config.request_burst, config.requests_per_s), self._is_trunk)
        limits = limits_of(config.max_transactions)
        self.layer = TransactionLayer(limits=limits, random=random.SystemRandom(), gate=self._gate)
        addresses = OwnAddresses(clock, advertised(config.sip_advertise))
        self.endpoint = Endpoint(clock, self.layer, addresses, self.trace)
        resolver = Resolver(SystemDns(config.nameservers), supported=SUPPORTED)
        self.sender = Sender(self.endpoint, resolver, self._tasks)
        self.appserver = AppServerPeer(config.appserver_url, secret=self._secret, clock=clock)
        self.mcus = McuPeers(secret=self._secret, clock=clock)
        self.records = Records(self.appserver, config.state_dir / "sipgw" / "records")
        self.pages = Pages(config.notifier_url, secret=self._secret, clock=clock)
        self.connections = Connections(CONNECTIONS, PER_SOURCE)
        self.websockets = WebSocketTransport(self.endpoint, self.connections, Forwarded(self._secret, clock).source_of)
        self.book = CallBook(self.endpoint, self._tasks)
        self.load = Load(clock, config.max_late_s, config.max_calls, lambda: len(self.book))
        self.parties = Parties(self.sender)
        self.owner = kept_owner(config.state_dir / "sipgw" / "owner")
        self.journal = Journal(config.state_dir / "sipgw" / "journal")
        self.leases = Leases(self.book, self.mcus, clock, self.owner)
        self.means = Means(
            sender=self.sender,
            appserver=self.appserver,
            mcus=self.mcus,
            clock=clock,
            trace=self.trace,
            owner=self.owner,
            user_agent=f"confero/{__version__}",
            unproven=Unproven(config.unproven_calls, self._is_trunk),
            begun=self.book.begun,
            write=self._write,
            remember=lambda call: self.journal.put(call.about.id, memo_of(call).model_dump_json()),
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
        self.resumption = Resumption(self.means, self.book, self.mcus, self.journal, self._proofs_for)
        who = self.who
        entrance = Entrance(self.means, self.book, who.identity, who.directory, who.trunks, clock, self._tasks)
        self.desk = Desk(self.means, self.book, self.parties, self.load)
        self.book.handlers |= {
            "INVITE": entrance.handle,
            "OPTIONS": self._options,
            "REGISTER": self.who.registrar.handle,
        }
        self.http = HttpApp("sipgw", self._routes(), secret=self._secret, clock=clock)
        self.who.measure(self.http.metrics)
        self.measures = Measures(
            self.http.metrics, self.book, self.endpoint, self.guard, self.load, self.records, self.journal
        )

    def _routes(self) -> list[Route]:
        return [
            websocket_route(self.websockets),
            *CallsApi(self.desk).routes(),
            *TrunksApi(self.who.trunks).routes(),
            *TraceApi(self.trace).routes(),
        ]

    async def start(self) -> None:
        """Listen. Neither application server nor MCU need be there yet. Raises LocalError if an address cannot be used."""
        config = self.config
        self.resumption.revive(self.journal.open())
        self.endpoint.serve(self.book)
        addresses = config.sip_bind or every_address()
        connections = self.connections
        udp, tcp = UdpTransport(self.endpoint), StreamTransport("tcp", self.endpoint, connections)
        await udp.start(addresses, config.sip_port)
        await tcp.start(addresses, config.sip_port or udp.locals[0].port)
        self.endpoint.carriers |= {"udp": udp, "tcp": tcp, "ws": self.websockets, "wss": self.websockets}
        await self._start_tls(addresses, connections)
        await self.who.start()
        self._tasks.spawn(self.resumption.finish(), name="resumption")
        self._tasks.spawn(self.records.run(), name="records")
        self._tasks.spawn(self.leases.run(), name="leases")
        self._tasks.spawn(KeyFeed(self.book, self.mcus, self.owner, self.resumption.mcus()).run(), name="keys")
        self._tasks.spawn(self.pages.run(), name="pages")
        self._tasks.spawn(self.load.run(), name="load")
        self.listener = await Listener.start(self.http.app, config.http_host, config.http_port)
        self.http.set_ready(True)

    async def _start_tls(self, addresses: list[str], connections: Connections) -> None:
        """Now, or when there is a certificate: the application server may make its own a little later."""
        config, folder = self.config, self.config.state_dir / "tls"
        certificate = config.certificate or folder / "leaf.pem"
        certificates = Certificates(certificate, config.certificate_key or folder / "leaf.key", config.peer_ca)

        async def listen() -> None:
            tls = StreamTransport(
                "tls", self.endpoint, connections, server=certificates.server, client=certificates.client
            )
            await tls.start(addresses, config.sips_port)
            self.endpoint.carriers["tls"] = tls

        if certificates.look():
            await listen()
        elif config.certificate is not None:
            raise LocalError(f"certificate {certificate}: there is no such file")
        else:
            log.info("no certificate yet: no SIP over TLS until there is", file=str(certificate))
        self._tasks.spawn(certificates.watch(listen), name="certificates")

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
        if request.method == "INVITE" and self.load.refuses():
            return BUSY
        return None

    def _is_trunk(self, address: str) -> bool:
        return self.who.trunks.trusts(address)

    def _proofs_for(self, trunk: str) -> Credentials | None:
        known = self.who.trunks.get(trunk)
        return known.credentials() if known is not None else None

    def _missed(self, caller: SipCaller, status: int) -> None:
        """Strangers that ask for what is not there may be looking for what is."""
        if status in (403, 404) and not caller.account and not caller.trunk:
            self.guard.failed(caller.source)

    def _options(self, event: RequestIn) -> None:
        """11.2: what we can do; also how trunks see that we are there."""
        config = SessionConfig(contact="<sip:confero@invalid>")
        response = response_to(
            event.request, 503 if self.load.closed else 200, to_tag=self.endpoint.random.randbytes(8).hex()
        )
        for name, value in (
            ("Allow", config.allow),
            ("Accept", "application/sdp"),
            ("Supported", ", ".join(config.extensions)),
        ):
            response.headers.add(name, value)
        self.endpoint.respond(event.key, response)

    def _write(self, call: Call) -> None:
        """The call's record to the application server; at its end the last."""
        call.about.revision += 1
        trace, call_id = self.trace, call.driver.session.call_id if call.driver.begun else ""
        ladder = trace.ladder(call_id) if call.about.ended_at is None else trace.take(call_id)
        if call.about.ended_at is not None:
            self.journal.drop(call.about.id)
            self.measures.ended(call)
        self.records.add(record_of(call.about, ladder))

    async def drain(self) -> None:
        """No new calls; those that run may finish."""
        self.load.closed = True
        self.http.set_ready(False)
        await self.book.empty()

    async def stop(self) -> None:
        """End everything. Idempotent."""
        self.book.hang_up_all("the gateway stops")
        with suppress(TimeoutError):
            async with asyncio.timeout(GOODBYES_S):
                await self.book.empty()
        if self.listener is not None:
            await self.listener.close()
        await self.who.close()
        await self._tasks.close()
        await self.records.finish()
        self.journal.close()
        await self.who.registrar.close()
        for carrier in self.endpoint.carriers.values():
            await carrier.close()
        self.endpoint.close()
        if self.hep is not None:
            self.hep.close()
        await self.mcus.close()
        await self.pages.close()
        await self.appserver.close()


def limits_of(transactions: int) -> TransactionLimits:
    """As the configuration says of them."""
    return TransactionLimits(waiting=transactions // 5, answered=transactions, clients=3 * transactions // 5)


def every_address() -> list[str]:
    """Wildcards of the families that this machine has."""
    try:
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).close()
    except OSError:
        return ["0.0.0.0"]
    return ["0.0.0.0", "::"]


def hep_mirror(config: SipgwConfig) -> HepMirror | None:
    """If one is configured."""
    if config.hep_server is None:
        return None
    key = config.hep_key.get_secret_value() if config.hep_key else ""
    return HepMirror(split_address(config.hep_server), agent=config.hep_agent, key=key)
