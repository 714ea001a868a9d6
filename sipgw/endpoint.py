"""The gateway's SIP endpoint: transports, the transaction layer and the event loop's clock tied together."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from typing import Protocol

from confero.clock import Clock
from confero.protocols.sip.build import new_branch
from confero.protocols.sip.errors import SipError
from confero.protocols.sip.events import (
    AckIn,
    CancelIn,
    ClientKey,
    Event,
    RequestIn,
    ResponseIn,
    ServerKey,
    StrayResponse,
    TimedOut,
    TransportFailed,
)
from confero.protocols.sip.hub import Refusal
from confero.protocols.sip.layer import TransactionLayer
from confero.protocols.sip.message import Request, Response
from confero.protocols.sip.parser import parse
from confero.protocols.sip.target import DEFAULT_PORTS, Target, Transport
from confero.runtime.logging import get_logger

from .addresses import OwnAddresses
from .trace import Seen, Trace
from .transports.base import Local, authority

log = get_logger(__name__)

Message = Request | Response
IN_VIA: dict[Transport, str] = {"udp": "UDP", "tcp": "TCP", "tls": "TLS", "ws": "WS", "wss": "WSS"}
IN_URI: dict[Transport, str] = {
    "udp": "",
    "tcp": ";transport=tcp",
    "tls": ";transport=tls",
    "ws": ";transport=ws",
    "wss": ";transport=ws",
}


class Carrier(Protocol):
    """What sends for a kind of transport."""

    def send(self, data: bytes, target: Target) -> None: ...

    def local(self, target: Target) -> Local:
        """Where we listen, for a peer at ``target``."""
        ...

    async def close(self) -> None: ...


class User(Protocol):
    """Whom the endpoint tells of requests; each is called in the event loop and returns at once."""

    def request(self, event: RequestIn) -> None: ...
    def acknowledged(self, event: AckIn) -> None: ...
    def cancelled(self, event: CancelIn) -> None: ...
    def stray(self, event: StrayResponse) -> None: ...
    def server_ended(self, event: TimedOut | TransportFailed) -> None:
        """A server transaction that ended without ACK, or could not be answered."""
        ...


Outcome = ResponseIn | TimedOut | TransportFailed
Listener = Callable[[Outcome], None]
"""Told of each response of a request of ours, or how it ended without one."""


class Endpoint:
    """Receives, sends, keeps time. ``carriers`` is filled in by whoever starts the transports."""

    def __init__(self, clock: Clock, layer: TransactionLayer, addresses: OwnAddresses, trace: Trace) -> None:
        self.layer = layer
        self.carriers: dict[Transport, Carrier] = {}
        self.random = random.SystemRandom()
        self._clock = clock
        self._addresses = addresses
        self._trace = trace
        self.lost: list[Callable[[Target], None]] = []
        """Told where something could not be sent, or which connection has ended."""
        self._user: User | None = None
        self._listeners: dict[ClientKey, Listener] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._closed = False

    def serve(self, user: User) -> None:
        """From now on ``user`` is told of requests; before it they are lost as on a network."""
        self._user = user

    # -- from transports --

    def received(self, data: bytes, source: Target) -> None:
        if not data.strip(b"\r\n\x00"):
            return  # RFC 5626 section 4.4: keep-alive
        try:
            message = parse(data)
        except SipError as error:
            log.debug("not SIP", source=source.host, transport=source.transport, reason=str(error))
            self._note(data, source, "", came=True)
            self.layer.turn_away(error, source)
            self._flush()
            return
        self._note(data, source, call_id(message), came=True)
        self._dispatch(self.layer.receive(message, source, self._clock.monotonic()))

    def failed(self, target: Target, reason: str) -> None:
        log.debug("not sent", to=target.host, transport=target.transport, reason=reason)
        for told in self.lost:
            told(target)
        self._dispatch(self.layer.transport_error(target, self._clock.monotonic()))

    # -- for users --

    def request(self, request: Request, target: Target, listener: Listener) -> ClientKey:
        """Sends a request of ours under a new Via. ``listener`` hears of it until it ends. Raises Unavailable when too many run."""
        request.headers.prepend("Via", self.via(target))
        key = self.layer.request(request, target, self._clock.monotonic())
        self._listeners[key] = listener
        self._flush()
        return key

    def respond(self, key: ServerKey, response: Response) -> None:
        self.layer.respond(key, response, self._clock.monotonic())
        self._flush()

    def dismiss(self, key: ServerKey, refusal: Refusal) -> None:
        """One response, of which nothing is kept: for challenges and for whoever has proved nothing (26.3.2.4)."""
        self.layer.dismiss(key, refusal, self._clock.monotonic())
        self._flush()

    def acknowledge(self, ack: Request, target: Target) -> None:
        """Sends an ACK for a 2xx under a new Via (13.2.2.4)."""
        ack.headers.prepend("Via", self.via(target))
        self.layer.send(ack, target)
        self._flush()

    def cancel(self, key: ClientKey) -> None:
        self.layer.cancel(key, self._clock.monotonic())
        self._flush()

    def strayed(self, response: Response, source: Target) -> None:
        """A 2xx to an INVITE that nobody waits for any more: its call, if there is one, has to acknowledge it."""
        self._dispatch([StrayResponse(response, source)])

    def via(self, target: Target) -> str:
        """A Via for a request to ``target``, with a branch of its own."""
        host, port = self.sent_by(target)
        branch = new_branch(self.random)
        return f"SIP/2.0/{IN_VIA[target.transport]} {authority(host, port)};rport;branch={branch}"

    def contact(self, target: Target, user: str = "confero") -> str:
        """The URI under which the peer at ``target`` reaches us for requests within a dialog."""
        host, port = self.sent_by(target)
        return f"sip:{user}@{authority(host, port)}{IN_URI[target.transport]}"

    def sent_by(self, target: Target) -> tuple[str, int]:
        """Address and port that peers are told, for one at ``target``."""
        carrier = self.carriers.get(target.transport)
        local = carrier.local(target) if carrier is not None else Local("", DEFAULT_PORTS[target.transport])
        return self._addresses.towards(target.host, local.address), local.port

    # -- inside --

    def _dispatch(self, events: list[Event]) -> None:
        self._flush()
        for event in events:
            self._tell(event)
        self._flush()

    def _tell(self, event: Event) -> None:
        user = self._user
        match event:
            case ResponseIn():
                self._tell_listener(event.key, event, ended=event.response.status >= 200)
            case TimedOut(key=ClientKey() as key) | TransportFailed(key=ClientKey() as key):
                self._tell_listener(key, event, ended=True)
            case _ if user is None:
                return
            case RequestIn():
                user.request(event)
            case AckIn():
                user.acknowledged(event)
            case CancelIn():
                user.cancelled(event)
            case StrayResponse():
                user.stray(event)
            case TimedOut() | TransportFailed():
                user.server_ended(event)

    def _tell_listener(self, key: ClientKey, event: Outcome, *, ended: bool) -> None:
        listener = self._listeners.pop(key, None) if ended else self._listeners.get(key)
        if listener is not None:
            listener(event)

    def _flush(self) -> None:
        for message, target in self.layer.take_outgoing():
            data = bytes(message)
            self._note(data, target, call_id(message), came=False)
            carrier = self.carriers.get(target.transport)
            if carrier is None:
                asyncio.get_running_loop().call_soon(self.failed, target, "no such transport here")
            else:
                carrier.send(data, target)
        self._keep_time()

    def _keep_time(self) -> None:
        due = self.layer.next_deadline()
        if due is None or self._closed or (self._timer is not None and self._due <= due):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._due = due
        self._timer = asyncio.get_running_loop().call_later(max(0.0, due - self._clock.monotonic()), self._poll)

    def _poll(self) -> None:
        self._timer = None
        self._dispatch(self.layer.poll(self._clock.monotonic()))

    def _note(self, data: bytes, peer: Target, call_id: str, *, came: bool) -> None:
        self._trace.saw(Seen(self._clock.wall(), came, peer, data, call_id, self.sent_by))

    def close(self) -> None:
        """No timer runs any more. Idempotent; transports are closed by who made them."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def call_id(message: Message) -> str:
    return message.headers.get("Call-ID") or ""


def figures(endpoint: Endpoint) -> Mapping[str, int]:
    """Counters for metrics, by name."""
    layer = endpoint.layer
    tally = layer.tally
    return {
        "sent_again": tally.sent_again,
        "absorbed": tally.absorbed,
        "refused": tally.refused,
        "merged": tally.merged,
        "malformed": tally.malformed,
        "unmatched": tally.unmatched,
    }
