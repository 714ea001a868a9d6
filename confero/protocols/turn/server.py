"""The server: requests, time and news of the data path in; replies, table entries and news out (RFC 8656, 8489, 6062).

It sees no relayed data. The data path answers for indications and ChannelData, by the tables that it is given here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from confero.protocols.stun import Address, ErrorCode, Kind, Message, Method, StunError, build
from confero.protocols.stun import attributes as a
from confero.protocols.stun.attributes import ATTRIBUTES, Row
from confero.ratelimit import RateLimiter

from . import connections
from .accounts import Accounts
from .actions import Action, Denied, Disconnect, Reason, Reply, Told
from .allocate import allocate, refresh
from .allocation import Allocation
from .auth import Authenticator, Proven, WrongCredentials, source_name
from .connections import PeerConnection
from .peers import PeerPolicy
from .permissions import channel_bind, create_permission
from .refusals import REASONS, TOLD, Refusal, Silence
from .requests import Desk, Request
from .settings import PACKET_HEAD, REPLY_FACTOR, Alternate, Settings
from .table import Reservation, Table
from .types import Client, Ports, Random

Handler = Callable[[Desk, Request, float], bytes | None]
HANDLERS: Mapping[int, Handler] = {
    Method.ALLOCATE: allocate,
    Method.REFRESH: refresh,
    Method.CREATE_PERMISSION: create_permission,
    Method.CHANNEL_BIND: channel_bind,
}
TCP_HANDLERS: Mapping[int, Handler] = {
    Method.CONNECT: connections.connect,
    Method.CONNECTION_BIND: connections.connection_bind,
}
"""With RFC 6062. A handler that returns None answers itself, or later."""
UNKNOWN_HERE = {a.PRIORITY.number, a.USE_CANDIDATE.number}
"""Those of ICE: who sends them takes us for somebody else."""
KNOWN = frozenset(ATTRIBUTES) - UNKNOWN_HERE
MAX_REQUEST = 1500
"""Bytes: what the data path hands up. CreatePermission names 50 peers of IPv6 in it, beside its credentials."""


class Server:
    """A TURN server's mind. Each call returns what is to be done, in order."""

    def __init__(
        self, settings: Settings, accounts: Accounts, policy: PeerPolicy, ports: Ports, random: Random
    ) -> None:
        self._moment = _Moment()
        self._desk = Desk(settings, policy, Table(settings, ports), random)
        self._auth = Authenticator(settings, accounts, random, RateLimiter(settings.failures, self._moment))
        self._strangers = RateLimiter(settings.strangers, self._moment)
        self._handlers = {**HANDLERS, **TCP_HANDLERS} if settings.tcp else HANDLERS
        self.silent: Counter[str] = Counter()
        """Messages that were not answered, by the reason."""

    # -- what the operator sees and says --

    @property
    def replies(self) -> Counter[tuple[int, int]]:
        """How many there were, by method and code; 0 is success."""
        return self._desk.replies

    @property
    def allocations(self) -> int:
        return len(self._desk.table.by_id)

    @property
    def reservations(self) -> int:
        return len(self._desk.table.reservations)

    def listing(self) -> list[Allocation]:
        """All allocations, the oldest first; to be read."""
        return list(self._desk.table.by_id.values())

    def redirect(self, alternates: tuple[Alternate, ...], *, draining: bool = False, above: int | None = None) -> None:
        """New allocations go to ``alternates`` when draining, or from so many on; when draining without any they are refused."""
        self._desk.alternates, self._desk.draining, self._desk.redirect_above = alternates, draining, above

    def use(self, policy: PeerPolicy) -> None:
        """Which peers may be reached from now on. Permissions that were given last until their five minutes are over."""
        self._desk.policy = policy

    def close(self, allocation: int, now: float, reason: Reason = "closed by operator") -> list[Action]:
        """Ends an allocation, if it is there. ``relay failed``: its relayed address is of no use any more."""
        found = self._desk.table.by_id.get(allocation)
        if found is not None:
            self._desk.table.close(found, reason, now)
        return self._desk.table.take()

    # -- time --

    def timer(self) -> float | None:
        """When ``expire`` is to be called."""
        return self._desk.table.deadlines.next()

    def expire(self, now: float) -> list[Action]:
        """Ends what is over."""
        self._expire(now)
        return self._desk.table.take()

    def _expire(self, now: float) -> None:
        table = self._desk.table
        for item in table.deadlines.due(now):
            if isinstance(item, Allocation):
                table.tidy(item, now)
            elif isinstance(item, Reservation):
                table.lapse(item)
            elif isinstance(item, PeerConnection):
                connections.overdue(self._desk, item)

    # -- the data path's news --

    def closed(self, client: Client, now: float) -> list[Action]:
        """A client's TCP connection is gone, and its allocation with it."""
        table = self._desk.table
        allocation, joined = table.by_client.get(client), table.joined.get(client)
        if allocation is not None:
            table.close(allocation, "connection lost", now)
        if joined is not None:
            connections.ended(self._desk, joined)
        return table.take()

    def connected(self, connection: int, success: bool, now: float) -> list[Action]:
        """What came of a ``Connect``. One that comes too late is told to be closed."""
        if success and connection not in self._desk.table.connections:
            return [Disconnect(connection)]
        connections.connected(self._desk, connection, success, now)
        return self._desk.table.take()

    def accepted(self, allocation: int, peer: Address, now: float) -> tuple[int | None, list[Action]]:
        """A peer has connected to a relayed address: the number of the connection, or None if it is to be closed."""
        self._expire(now)
        found = self._desk.table.by_id.get(allocation)
        number = None if found is None else connections.accepted(self._desk, found, peer, now)
        return number, self._desk.table.take()

    def ended(self, connection: int, now: float) -> list[Action]:
        """A peer's connection is closed."""
        found = self._desk.table.connections.get(connection)
        if found is not None:
            connections.ended(self._desk, found)
        return self._desk.table.take()

    # -- requests --

    def receive(self, client: Client, data: bytes, now: float) -> list[Action]:
        """A STUN message that is no indication for a peer. What is not well formed gets no answer (RFC 8489 section 6.3)."""
        self._moment.at = now
        self._expire(now)
        try:
            message = Message.parse(data) if len(data) <= MAX_REQUEST else None
        except StunError:
            message = None
        if message is None:
            self.silent["malformed"] += 1
        elif message.kind != Kind.REQUEST:
            self.silent["no request"] += 1
        elif message.method == Method.BINDING:
            self._answer_binding(client, message)
        elif message.method in self._handlers:
            self._answer(client, message, now)
        else:
            self.silent["unknown method"] += 1
        return self._desk.table.take()

    def _answer_binding(self, client: Client, message: Message) -> None:
        """RFC 8489 section 12: a reflexive address for whoever asks, without credentials."""
        unknown = message.unknown(KNOWN)
        if unknown:
            refusal = Refusal(420, "unknown attributes", a.UNKNOWN_ATTRIBUTES.of(unknown))
            self._answer_stranger(client, message, refusal)
        else:
            rows = (a.XOR_MAPPED_ADDRESS.of(client.peer),)
            self._say_to_stranger(client, message, 0, lambda: _unproven(message, Kind.SUCCESS, rows))

    def _answer(self, client: Client, message: Message, now: float) -> None:
        holder = self._desk.table.by_client.get(client)
        proven: Proven | None = None
        try:
            # RFC 8489 section 6.3: who it is, then what is unknown, then what the method wants.
            proven = self._auth.check(client, message, now, holder.holder if holder else None)
            unknown = message.unknown(KNOWN)
            if unknown:
                raise Refusal(420, "unknown attributes", a.UNKNOWN_ATTRIBUTES.of(unknown))
            request = Request(client, message, proven, self._desk.settings.software)
            reply = self._handlers[message.method](self._desk, request, now)
            if reply is not None:
                self._desk.answer(request, 0, reply)
        except StunError as error:
            self._refuse(client, message, proven, error)

    def _refuse(self, client: Client, message: Message, proven: Proven | None, error: StunError) -> None:
        if isinstance(error, Silence):
            self.silent[error.detail] += 1
            return
        if error.status in TOLD and (proven is not None or isinstance(error, WrongCredentials)):
            user = proven.user if proven else ""
            event = Denied(client, message.method, error.status, error.detail, user)
            self._desk.table.out.append(Told(event))
        if proven is None:
            self._answer_stranger(client, message, error)
            return
        rows = error.rows if isinstance(error, Refusal) else ()
        request = Request(client, message, proven, self._desk.settings.software)
        self._desk.answer(request, error.status, request.error(error.status, rows))

    # -- what is said to who has proven nothing --

    def _answer_stranger(self, client: Client, message: Message, error: StunError) -> None:
        rows = error.rows if isinstance(error, Refusal) else ()

        def write() -> bytes:
            full = _error(message, error.status, REASONS[error.status], rows)
            # The phrase is for people; where it would make the reply too large it is left out.
            return full if _is_small(full, message) else _error(message, error.status, "", rows)

        self._say_to_stranger(client, message, error.status, write)

    def _say_to_stranger(self, client: Client, message: Message, code: int, write: Callable[[], bytes]) -> None:
        """Over UDP the source may be forged: replies are few and not much larger than what they answer."""
        if client.transport == "udp" and self._strangers.take(source_name(client.peer[0])) > 0:
            self.silent["too many"] += 1
            return
        reply = write()
        if client.transport == "udp" and not _is_small(reply, message):
            self.silent["too large"] += 1
            return
        self.replies[message.method, code] += 1
        self._desk.table.out.append(Reply(client, reply))


class _Moment:
    """A clock for the limiters that stands at the ``now`` of the call."""

    def __init__(self) -> None:
        self.at = 0.0

    def monotonic(self) -> float:
        return self.at

    def wall(self) -> float:
        return self.at


def _unproven(message: Message, kind: Kind, rows: tuple[Row, ...]) -> bytes:
    return build(message.method, kind, message.transaction_id, rows, fingerprint=a.FINGERPRINT in message)


def _error(message: Message, code: int, reason: str, rows: tuple[Row, ...]) -> bytes:
    return _unproven(message, Kind.ERROR, (a.ERROR_CODE.of(ErrorCode(code, reason)), *rows))


def _is_small(reply: bytes, message: Message) -> bool:
    return len(reply) + PACKET_HEAD <= REPLY_FACTOR * (len(message.raw) + PACKET_HEAD)
