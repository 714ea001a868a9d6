"""Requests of ours on their way: where they go, and where next if nobody is there (RFC 3263 section 4.3, RFC 3261 18.1.1)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from confero.errors import ConferoError
from confero.protocols.sip.errors import SipError
from confero.protocols.sip.events import ClientKey, ResponseIn, TimedOut
from confero.protocols.sip.locate import Destination, Hop, is_address
from confero.protocols.sip.message import Request, Response
from confero.protocols.sip.target import DEFAULT_PORTS, Target, Transport
from confero.protocols.sip.uri import URI
from confero.runtime.logging import get_logger
from confero.runtime.tasks import TaskBag

from .endpoint import Endpoint, Listener, Outcome
from .resolve import Resolver
from .transports.stream import StreamTransport

log = get_logger(__name__)

LARGEST_DATAGRAM = 1300
"""Bytes of a request that goes by UDP if it can go by TCP too (RFC 3261 section 18.1.1), with the Via that is still to come."""
VIA_BYTES = 120
TRANSPORTS: tuple[Transport, ...] = ("udp", "tcp", "tls", "ws", "wss")
UNWILLING = 503
"""RFC 3263 section 4.3: the only answer after which the next server is asked."""


class Watcher(Protocol):
    """Who wants to know what becomes of a request."""

    def responded(self, response: Response, source: Target) -> None: ...

    def unanswered(self, *, sent: bool) -> None:
        """No hop gave a final response. ``sent``: it may have reached somebody."""
        ...


class Errand(Protocol):
    """A request that is under way."""

    def cancel(self) -> None:
        """CANCEL, or not another hop if nothing was sent yet (RFC 3261 section 9.1)."""
        ...


class Sender:
    """Finds hops and tries them; ACKs for 2xx go the same ways."""

    def __init__(self, endpoint: Endpoint, resolver: Resolver, tasks: TaskBag) -> None:
        self.endpoint = endpoint
        self._resolver = resolver
        self._tasks = tasks

    def start(
        self,
        request: Request,
        watcher: Watcher,
        *,
        flow: Target | None = None,
        servers: Sequence[Destination] = (),
        patience_s: float | None = None,
    ) -> Errand:
        """Sends ``request``, which has no Via yet.

        ``flow``: where its peer is known to be, in place of what the URI says. ``servers``: where it is to be sent instead, one
        after the other (8.1.2 leaves that to local policy). ``patience_s``: a hop that is silent for so long is given up.
        """
        sending = Sending(self, request, watcher, patience_s)
        if servers:
            self._go(sending.tries, request, servers)
        else:
            self._begin(sending.tries, request, flow)
        return sending

    async def near(self, uri: URI) -> Target | None:
        """Where a request to this SIP URI would go first; None: its host is not found."""
        return next(iter(await self.locate([destination(uri)])), None)

    def acknowledge(self, ack: Request, *, flow: Target | None = None) -> None:
        """Sends an ACK for a 2xx to the first hop."""
        self._begin(lambda targets: self._ack(ack, targets), ack, flow)

    def _ack(self, ack: Request, targets: Sequence[Target]) -> None:
        if targets:
            self.endpoint.acknowledge(ack, targets[0])

    async def locate(self, destinations: Sequence[Destination]) -> list[Target]:
        """Where requests to these go, in the order of trying; nothing is sent or opened."""
        found = [hop for one in destinations for hop in await self._hops(one)]
        return [Target(hop.transport, hop.address, hop.port) for hop in found]

    def _begin(self, go: Go, request: Request, flow: Target | None) -> None:
        """At once where nothing has to be looked up: then requests keep their order."""
        if flow is not None and "Route" not in request.headers:
            go([flow])
            return
        try:
            destination = destination_of(request)
        except SipError as error:
            log.info("a request leads nowhere", reason=str(error))
            go([])
            return
        self._go(go, request, [destination])

    def _go(self, go: Go, request: Request, destinations: Sequence[Destination]) -> None:
        if all(is_address(one.host) for one in destinations):
            go([target for one in destinations for target in self._targets(request, one, direct(one))])
        else:
            self._tasks.spawn(self._look_up(go, request, destinations), name="sip resolve")

    async def _look_up(self, go: Go, request: Request, destinations: Sequence[Destination]) -> None:
        go([target for one in destinations for target in self._targets(request, one, await self._hops(one))])

    async def _hops(self, destination: Destination) -> list[Hop]:
        return direct(destination) if is_address(destination.host) else await self._resolver.hops(destination)

    def _targets(self, request: Request, destination: Destination, hops: Sequence[Hop]) -> list[Target]:
        """18.1.1: a large request goes by TCP first where UDP was only our guess."""
        large = len(bytes(request)) + VIA_BYTES > LARGEST_DATAGRAM and destination.transport != "udp"
        targets = []
        for hop in hops:
            if large and hop.transport == "udp" and "tcp" in self.endpoint.carriers:
                targets.append(self._target(hop, "tcp"))
            targets.append(self._target(hop, hop.transport))
        return targets

    def _target(self, hop: Hop, transport: Transport) -> Target:
        target = Target(transport, hop.address, hop.port)
        carrier = self.endpoint.carriers.get(transport)
        return carrier.open(target, hop.name) if transport == "tls" and isinstance(carrier, StreamTransport) else target


class Go(Protocol):
    def __call__(self, targets: Sequence[Target], /) -> None: ...


class Sending:
    """One request over its hops, until somebody has answered."""

    def __init__(self, sender: Sender, request: Request, watcher: Watcher, patience_s: float | None = None) -> None:
        self._endpoint = sender.endpoint
        self._request = request
        self._watcher = watcher
        self._patience_s = patience_s
        self._left: list[Target] = []
        self._key: ClientKey | None = None
        self._cancelled = False
        self._heard = False
        """A provisional response has come: no other hop may be asked."""

    def tries(self, targets: Sequence[Target]) -> None:
        self._left = list(targets)
        self._next(sent=False)

    def cancel(self) -> None:
        """CANCEL, or not another hop if nothing was sent yet (RFC 3261 section 9.1)."""
        self._cancelled = True
        if self._key is not None:
            self._endpoint.cancel(self._key)

    def _next(self, *, sent: bool) -> None:
        self._key = None
        while self._left and not self._cancelled:
            target = self._left.pop(0)
            request = copy_of(self._request)
            try:
                self._key = self._endpoint.request(request, target, self._hop())
                return
            except ConferoError as error:
                log.warning("not sent", method=request.method, to=target.host, reason=str(error))
        self._watcher.unanswered(sent=sent)

    def _hop(self) -> Listener:
        """A listener of its own for each hop: one that was given up may still be heard of."""
        hop = Hearing(self)
        if self._patience_s is not None:
            hop.timer = asyncio.get_running_loop().call_later(self._patience_s, self._give_up, hop)
        return hop.heard

    def _give_up(self, hop: Hearing) -> None:
        hop.timer = None
        hop.key, self._key = self._key, None
        if self._left or self._request.method != "INVITE":
            log.info("a server is silent", method=self._request.method, uri=self._request.uri)
        self._next(sent=True)

    def heard_of(self, event: Outcome) -> None:
        """Of the hop that is being tried."""
        if not isinstance(event, ResponseIn):
            if self._heard:
                self._watcher.unanswered(sent=True)
            else:
                self._next(sent=isinstance(event, TimedOut))
            return
        self._heard = True
        if event.response.status == UNWILLING and self._left and not self._cancelled:
            self._heard = False
            self._next(sent=True)
            return
        self._watcher.responded(event.response, event.source)

    def heard_late(self, key: ClientKey, event: Outcome) -> None:
        """Of one that was given up: it is not wanted any more (9.1); a 2xx is the session's to acknowledge and hang up on."""
        if not isinstance(event, ResponseIn) or key.method != "INVITE":
            return
        if event.response.status < 200:
            self._endpoint.cancel(key)
        elif event.response.status < 300:
            self._endpoint.strayed(event.response, event.source)


class Hearing:
    """What is heard of one hop."""

    def __init__(self, sending: Sending) -> None:
        self.timer: asyncio.TimerHandle | None = None
        self.key: ClientKey | None = None
        """It was given up."""
        self._sending = sending

    def heard(self, event: Outcome) -> None:
        if self.key is not None:
            self._sending.heard_late(self.key, event)
            return
        if self.timer is not None:
            self.timer.cancel()
        self._sending.heard_of(event)


def destination_of(request: Request) -> Destination:
    """8.1.2: the first Route, or the Request-URI. Raises SipError for what is no SIP URI."""
    routes = request.routes
    uri = routes[0].uri if routes else request.target
    if uri.scheme not in ("sip", "sips"):
        raise SipError(f"{uri.scheme} is no scheme that requests go to", status=416)
    return destination(uri)


def destination(uri: URI) -> Destination:
    """What of a SIP URI says where to send. ``maddr`` is followed: it is our own peer's URI."""
    parameters = uri.parameters
    asked = (parameters.get("transport") or "").lower()
    transport = next((one for one in TRANSPORTS if one == asked), None)
    host = (parameters.get("maddr") or uri.host).strip("[]")
    return Destination(host, uri.port, transport, uri.scheme == "sips")


def direct(destination: Destination) -> list[Hop]:
    """The hop of a destination that is an address: no name is looked up."""
    transport: Transport = destination.transport or "udp"
    if destination.secure:
        transport = "wss" if transport in ("ws", "wss") else "tls"
    port = destination.port or DEFAULT_PORTS[transport]
    return [Hop(transport, destination.host, port, destination.host)]


def copy_of(request: Request) -> Request:
    """One that may be given a Via of its own."""
    return Request(request.method, request.uri, request.headers.copy(), request.body)
