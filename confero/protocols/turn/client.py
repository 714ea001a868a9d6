"""A client of STUN and TURN servers: requests with their credentials out; responses, peers' data and time in (RFC 8656, 6062).

For tests, probes and the doctor. It asks what it is told to and refreshes nothing by itself. ``data_to_send`` gives datagrams,
or pieces of a stream; afterwards as well as ``receive`` look for events and for the next timer.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from confero.protocols.stun import (
    MD5,
    PASSWORD_ALGORITHMS_BIT,
    SHA256,
    USERNAME_ANONYMITY_BIT,
    Address,
    Algorithm,
    ErrorCode,
    Integrity,
    Kind,
    Message,
    Method,
    StunError,
    build,
    features_of,
    make_key,
    opaque_string,
    proves,
    user_hash,
)
from confero.protocols.stun import attributes as a
from confero.protocols.stun.attributes import Row

from .framing import StreamFramer, channel_data, read_channel_data
from .transactions import Transaction, Transactions
from .types import UDP, Random

TRIES = 3
"""How often one request is made: without credentials, with them, with a fresh nonce."""
MAX_EVENTS = 1024
"""Events that wait; of data that comes above them the oldest is dropped."""


@dataclass(frozen=True)
class Answered:
    """A success response. Its attributes are read by ``reply.get``."""

    method: int
    transaction_id: bytes
    reply: Message


@dataclass(frozen=True)
class Failed:
    """An error response, or none in time."""

    method: int
    transaction_id: bytes
    code: int
    """0: no response, or none that could be believed."""
    detail: str
    reply: Message | None = None


@dataclass(frozen=True)
class Data:
    """A peer's data: of an indication, a channel, or a joined connection."""

    peer: Address | None
    """None: of the joined connection's peer."""
    data: bytes


@dataclass(frozen=True)
class Attempted:
    """A peer has connected to the relayed address; ``connection_bind`` on a new connection takes it."""

    peer: Address
    connection: int


Event = Answered | Failed | Data | Attempted


@dataclass(frozen=True)
class Challenge:
    """What a server wants credentials to be made of."""

    realm: str
    nonce: bytes
    algorithms: tuple[Algorithm, ...]
    """As they were listed; nothing by servers before RFC 8489."""

    @property
    def features(self) -> int:
        return features_of(self.nonce) or 0

    @property
    def chosen(self) -> Algorithm:
        """The first on the list that we know."""
        return next((one for one in self.algorithms if one in (SHA256, MD5)), MD5)


class TurnClient:
    """One 5-tuple. ``reliable``: TCP or TLS. Without a username only what needs no credentials is answered."""

    def __init__(self, random: Random, *, username: str = "", password: str = "", reliable: bool = False) -> None:
        self._random = random
        self._username = opaque_string(username) if username else ""
        self._password = opaque_string(password) if password else ""
        self._framer = StreamFramer() if reliable else None
        self._transactions = Transactions(reliable)
        self._out: list[bytes] = []
        self._events: deque[Event] = deque(maxlen=MAX_EVENTS)
        self._challenge: Challenge | None = None
        self._joined = False
        self.mapped: Address | None = None
        """Where the server sees us."""
        self.relayed: tuple[Address, ...] = ()
        self.lifetime = 0
        """Seconds, as the server said it last."""
        self.channels: dict[int, Address] = {}

    # -- requests; each returns its transaction id until a 401 or 438 gives it another --

    def binding(self, now: float) -> bytes:
        """Asks for our address."""
        return self._begin(Method.BINDING, (), now)

    def allocate(self, now: float, *rows: Row, protocol: int = UDP) -> bytes:
        """Asks for a relayed address; ``rows`` are further attributes, such as ``EVEN_PORT.of(True)``."""
        return self._begin(Method.ALLOCATE, (a.REQUESTED_TRANSPORT.of(protocol), *rows), now)

    def refresh(self, now: float, lifetime: int = 600, *rows: Row) -> bytes:
        """Sets the allocation's life to so many seconds; 0 ends it."""
        return self._begin(Method.REFRESH, (a.LIFETIME.of(lifetime), *rows), now)

    def create_permission(self, now: float, *peers: Address) -> bytes:
        return self._begin(Method.CREATE_PERMISSION, tuple(a.XOR_PEER_ADDRESS.of(peer) for peer in peers), now)

    def bind_channel(self, now: float, channel: int, peer: Address) -> bytes:
        return self._begin(Method.CHANNEL_BIND, (a.CHANNEL_NUMBER.of(channel), a.XOR_PEER_ADDRESS.of(peer)), now)

    def connect(self, now: float, peer: Address) -> bytes:
        """Asks for a TCP connection to a peer (RFC 6062); the answer has its CONNECTION-ID."""
        return self._begin(Method.CONNECT, (a.XOR_PEER_ADDRESS.of(peer),), now)

    def connection_bind(self, now: float, connection: int) -> bytes:
        """Makes this connection the peer's. After ``Answered`` it carries the peer's data alone."""
        return self._begin(Method.CONNECTION_BIND, (a.CONNECTION_ID.of(connection),), now)

    def _begin(self, method: int, rows: tuple[Row, ...], now: float, tries: int = 1) -> bytes:
        transaction_id = self._random.randbytes(12)
        credentials, integrity = self._credentials() if method != Method.BINDING else ((), None)
        data = build(method, Kind.REQUEST, transaction_id, (*rows, *credentials), integrity=integrity)
        self._transactions.begin(
            Transaction(transaction_id, method, rows, data, now, tries=tries, proven=integrity is not None), now
        )
        self._out.append(data)
        return transaction_id

    def _credentials(self) -> tuple[tuple[Row, ...], Integrity | None]:
        """RFC 8489 section 9.2.5: what the last challenge asks for; nothing before there was one (9.2.3.1)."""
        challenge = self._challenge
        if challenge is None or not self._username:
            return (), None
        if challenge.features & USERNAME_ANONYMITY_BIT:
            name: Row = a.USERHASH.of(user_hash(self._username, challenge.realm))
        else:
            name = a.USERNAME.of(self._username)
        rows: list[Row] = [name, a.REALM.of(challenge.realm), a.NONCE.of(challenge.nonce)]
        if challenge.algorithms:
            rows.append(a.PASSWORD_ALGORITHMS.of(challenge.algorithms))
            rows.append(a.PASSWORD_ALGORITHM.of(challenge.chosen))
        key = make_key(self._username, challenge.realm, self._password, challenge.chosen)
        return tuple(rows), Integrity(key, sha256=bool(challenge.algorithms))

    # -- data --

    def send(self, peer: Address, data: bytes, *, dont_fragment: bool = False) -> None:
        """To a peer, by an indication."""
        rows: list[Row] = [a.XOR_PEER_ADDRESS.of(peer), a.DATA.of(data)]
        if dont_fragment:
            rows.append(a.DONT_FRAGMENT.of(True))
        self._out.append(build(Method.SEND, Kind.INDICATION, self._random.randbytes(12), rows))

    def send_on(self, channel: int, data: bytes) -> None:
        """To a channel's peer."""
        self._out.append(channel_data(channel, data, padded=self._framer is not None))

    def data_to_send(self) -> list[bytes]:
        """Once, in order."""
        out, self._out = self._out, []
        return out

    def next_event(self) -> Event | None:
        return self._events.popleft() if self._events else None

    def get_timer(self) -> float | None:
        """When ``handle_timer`` is to be called."""
        return self._transactions.next()

    def handle_timer(self, now: float) -> None:
        """Sends again, and gives up."""
        again, lost = self._transactions.due(now)
        self._out += again
        for one in lost:
            doubt = f"no response but an unproven {one.doubtful}" if one.doubtful else "no response"
            self._events.append(Failed(one.method, one.id, 0, doubt))

    # -- what comes --

    def receive(self, data: bytes, now: float) -> None:
        """A datagram, or the next bytes of the connection. Raises StunError for a stream that cannot be read any more."""
        if self._joined:
            self._events.append(Data(None, data))
        elif self._framer is None:
            self._take(data, now)
        else:
            self._framer.push(data)
            while not self._joined and (message := self._framer.pop()) is not None:
                self._take(message, now)
            # What comes after the answer to ConnectionBind is no message of ours.
            if self._joined and (rest := self._framer.rest()):
                self._events.append(Data(None, rest))

    def _take(self, data: bytes, now: float) -> None:
        """What cannot be read or was not asked for is dropped."""
        try:
            if data[:1] >= b"\x40":
                channel, content = read_channel_data(data)
                if channel in self.channels:
                    self._events.append(Data(self.channels[channel], content))
                return
            message = Message.parse(data)
            if message.kind == Kind.INDICATION:
                self._take_indication(message)
            elif message.kind != Kind.REQUEST:
                self._take_response(message, now)
        except StunError:
            return

    def _take_indication(self, message: Message) -> None:
        peer = message.get(a.XOR_PEER_ADDRESS)
        content, connection = message.get(a.DATA), message.get(a.CONNECTION_ID)
        if peer is not None and message.method == Method.DATA and content is not None:
            self._events.append(Data(peer, content))
        elif peer is not None and message.method == Method.CONNECTION_ATTEMPT and connection is not None:
            self._events.append(Attempted(peer, connection))

    def _take_response(self, message: Message, now: float) -> None:
        one = self._transactions.under_way.get(message.transaction_id)
        if one is None or one.method != message.method:
            return
        error = message.get(a.ERROR_CODE) or ErrorCode(0, "an error response without a code")
        if message.kind == Kind.SUCCESS:
            error = ErrorCode(0, "")
        if error.code in (401, 438):
            del self._transactions.under_way[one.id]
            self._again(one, message, error, now)
        elif one.proven and not self._is_proven(message):
            # 9.2.5: over UDP as if it had never come, over a connection the end.
            one.doubtful = error.code
            if self._framer is not None:
                del self._transactions.under_way[one.id]
                self._events.append(Failed(one.method, one.id, error.code, "an unproven response", message))
        else:
            del self._transactions.under_way[one.id]
            self._settle(one, message, error)

    def _is_proven(self, message: Message) -> bool:
        _, integrity = self._credentials()
        attribute = a.MESSAGE_INTEGRITY_SHA256 if integrity and integrity.sha256 else a.MESSAGE_INTEGRITY
        return integrity is not None and attribute in message and proves(message, integrity.key)

    def _again(self, one: Transaction, message: Message, error: ErrorCode, now: float) -> None:
        """9.2.5: once more with what the challenge asks for, unless that was no help, or somebody bids down."""
        realm, nonce = message.get(a.REALM), message.get(a.NONCE)
        algorithms = message.get(a.PASSWORD_ALGORITHMS) or ()
        bid_down = bool((features_of(nonce or b"") or 0) & PASSWORD_ALGORITHMS_BIT) and not algorithms
        unknown = bool(algorithms) and not {SHA256, MD5} & set(algorithms)
        refused = error.code == 401 and one.proven
        if realm is None or nonce is None or not self._username or refused or one.tries == TRIES:
            self._events.append(Failed(one.method, one.id, error.code, error.reason, message))
        elif bid_down or unknown:
            self._events.append(Failed(one.method, one.id, error.code, "password algorithms were taken away", message))
        else:
            self._challenge = Challenge(realm, nonce, algorithms)
            self._begin(one.method, one.rows, now, one.tries + 1)

    def _settle(self, one: Transaction, message: Message, error: ErrorCode) -> None:
        if message.kind == Kind.ERROR:
            self._events.append(Failed(one.method, one.id, error.code, error.reason, message))
            return
        self._note(one, message)
        self._events.append(Answered(one.method, one.id, message))

    def _note(self, one: Transaction, message: Message) -> None:
        """What a success tells of our state."""
        self.mapped = message.get(a.XOR_MAPPED_ADDRESS) or self.mapped
        lifetime = message.get(a.LIFETIME)
        if lifetime is not None:
            self.lifetime = lifetime
        if one.method == Method.ALLOCATE:
            self.relayed = tuple(message.all(a.XOR_RELAYED_ADDRESS))
        elif one.method == Method.CHANNEL_BIND:
            asked = dict(one.rows)
            self.channels[asked[a.CHANNEL_NUMBER]] = asked[a.XOR_PEER_ADDRESS]
        elif one.method == Method.CONNECTION_BIND:
            self._joined = True
