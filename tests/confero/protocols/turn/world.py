"""A server machine with a fake clock, ports that are numbers, and a data path that is the tables which it was told."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from confero.protocols.stun import (
    IPV4,
    IPV6,
    MD5,
    Address,
    Algorithm,
    ErrorCode,
    Integrity,
    Kind,
    Message,
    build,
    family_of,
    make_key,
)
from confero.protocols.stun import attributes as a
from confero.protocols.stun.attributes import Row
from confero.protocols.turn import (
    UDP,
    Accounts,
    Client,
    PeerPolicy,
    PortRanges,
    Relay,
    Server,
    Settings,
    TurnClient,
    actions,
)
from confero.protocols.turn.client import Answered, Event, Failed

USERS = {"ann": "password of ann", "bob": "password of bob"}
SECRET = b"a secret of the application server"
SERVER: Address = ("198.51.100.1", 14049)
RELAYS = {IPV4: "198.51.100.1", IPV6: "2001:db8::1"}
PEER: Address = ("8.8.4.4", 4444)
PEER6: Address = ("2606:4700::1111", 4444)
BOTH = frozenset({IPV4, IPV6})


class FakePorts:
    """Ports of a small range; what is taken and given back is counted."""

    def __init__(self, low: int = 49152, high: int = 49999) -> None:
        self.low, self.high = low, high
        self.taken: dict[tuple[int, int, int], Relay] = {}
        self.reserved = self.released = 0

    def reserve(
        self, family: int, protocol: int = UDP, *, even: bool = False, pair: bool = False
    ) -> tuple[Relay, ...] | None:
        for port in range(self.low, self.high + 1):
            wanted = (port, port + 1) if pair else (port,)
            free = all((family, protocol, one) not in self.taken and one <= self.high for one in wanted)
            if free and not ((even or pair) and port % 2):
                return tuple(self._take(family, protocol, one) for one in wanted)
        return None

    def _take(self, family: int, protocol: int, port: int) -> Relay:
        self.reserved += 1
        relay = Relay(self.reserved, protocol, (RELAYS[family], port))
        self.taken[family, protocol, port] = relay
        return relay

    def release(self, relay: Relay) -> None:
        self.released += 1
        assert self.taken.pop((relay.family, relay.protocol, relay.address[1])) is relay


@dataclass
class Entry:
    """An allocation as the data path has it."""

    client: Client
    until: dict[int, float]
    permits: dict[str, tuple[float, PortRanges]] = field(default_factory=dict)
    channels: dict[int, tuple[Address, float]] = field(default_factory=dict)
    relays: tuple[Relay, ...] = ()


class DataPath:
    """Does what it is told, and passes what its tables allow: the rules that the C side keeps."""

    def __init__(self) -> None:
        self.entries: dict[int, Entry] = {}
        self.replies: list[tuple[Client, bytes]] = []
        self.events: list[actions.Event] = []
        self.told: list[actions.Action] = []
        self.now = 0.0

    def do(self, todo: Sequence[actions.Action], now: float = 0.0) -> None:
        self.now = max(self.now, now)
        for one in todo:
            self._do(one)

    def _do(self, one: actions.Action) -> None:
        match one:
            case actions.Reply(client, data):
                self.replies.append((client, data))
            case actions.Open(number, client, relays, until):
                assert number not in self.entries and all(entry.client != client for entry in self.entries.values())
                self.entries[number] = Entry(client, {relay.family: until for relay in relays}, relays=relays)
            case actions.Refresh(number, family, until, longest):
                assert family in self.entries[number].until
                self.entries[number].until[family] = until
                assert longest == max(self.entries[number].until.values())
            case actions.Drop(number, family):
                self._drop(self.entries[number], family)
            case actions.Join(client, data=data):
                self.replies.append((client, data))
                self.told.append(one)
            case actions.Close(number, _):
                del self.entries[number]
            case actions.Permit(number, ip, until, ports):
                self.entries[number].permits[ip] = (until, ports)
            case actions.Bind(number, channel, peer, until):
                assert peer[0] in self.entries[number].permits
                self.entries[number].channels[channel] = (peer, until)
            case actions.Told(event):
                self.events.append(event)
            case _:
                self.told.append(one)

    def _drop(self, entry: Entry, family: int) -> None:
        del entry.until[family]
        entry.permits = {ip: value for ip, value in entry.permits.items() if family_of(ip) != family}
        entry.channels = {n: value for n, value in entry.channels.items() if family_of(value[0][0]) != family}

    def entry_of(self, client: Client, now: float) -> Entry | None:
        for entry in self.entries.values():
            if entry.client == client and any(until > now for until in entry.until.values()):
                return entry
        return None

    def passes(self, client: Client, peer: Address, now: float) -> bool:
        """May a packet go between this client and this peer, either way?"""
        entry = self.entry_of(client, now)
        if entry is None or entry.until.get(family_of(peer[0]), 0.0) <= now:
            return False
        until, ports = entry.permits.get(peer[0], (0.0, ()))
        return until > now and (not ports or any(low <= peer[1] <= high for low, high in ports))

    def channel(self, client: Client, channel: int, now: float) -> Address | None:
        """Whom a channel means now."""
        entry = self.entry_of(client, now)
        peer, until = entry.channels.get(channel, (("", 0), 0.0)) if entry else (("", 0), 0.0)
        return peer if until > now and self.passes(client, peer, now) else None


class World:
    """One server, its data path, and clients whose requests it hears."""

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        policy: PeerPolicy | None = None,
        users: Mapping[str, str] = USERS,
        secrets: Sequence[bytes] = (),
        ports: FakePorts | None = None,
        seed: int = 1,
    ) -> None:
        self.now = 1000.0
        self.wall = 1_800_000_000.0
        self.random = random.Random(seed)
        self.ports = ports or FakePorts()
        self.settings = settings or Settings()
        self.accounts = Accounts(self.settings.realm, lambda: self.wall, users=users, secrets=secrets)
        self.server = Server(self.settings, self.accounts, policy or PeerPolicy(), self.ports, self.random)
        self.path = DataPath()
        self._callers = 0

    def tell(self, client: Client, data: bytes) -> list[bytes]:
        """A message to the server; its replies to this client."""
        self.path.do(self.server.receive(client, data, self.now), self.now)
        replies = [data for to, data in self.path.replies if to == client]
        self.path.replies = [(to, data) for to, data in self.path.replies if to != client]
        return replies

    def wait(self, seconds: float) -> None:
        """Time passes; what comes due is done at its moment."""
        end = self.now + seconds
        while (at := self.server.timer()) is not None and at <= end:
            self._pass(at)
            self.path.do(self.server.expire(self.now), self.now)
        self._pass(end)

    def _pass(self, at: float) -> None:
        self.wall += max(0.0, at - self.now)
        self.now = max(self.now, at)

    def caller(self, username: str = "ann", password: str | None = None, **client: Any) -> Caller:
        """A client of its own 5-tuple."""
        self._callers += 1
        where = {"transport": "udp", "peer": ("192.0.2.1", 10_000 + self._callers), "local": SERVER, **client}
        if where["transport"] != "udp":
            where.setdefault("connection", self._callers)
        secret = USERS.get(username, "") if password is None else password
        return Caller(self, Client(**where), TurnClient(self.random, username=username, password=secret))


class Caller:
    """A client whose requests are answered at once."""

    def __init__(self, world: World, client: Client, turn: TurnClient) -> None:
        self.world = world
        self.client = client
        self.turn = turn
        self.said: list[bytes] = []

    def run(self) -> Event | None:
        """Lets both speak until there is nothing more to say; the last event."""
        while pending := self.turn.data_to_send():
            for data in pending:
                self.said.append(data)
                for reply in self.world.tell(self.client, data):
                    self.turn.receive(reply, self.world.now)
        event = found = None
        while (event := self.turn.next_event()) is not None:
            found = event
        return found

    def result(self) -> int:
        """0 for success, or the error code of the last request. Fails if it was not answered."""
        event = self.run()
        assert isinstance(event, Answered | Failed), event
        return event.code if isinstance(event, Failed) else 0

    def failure(self) -> Failed:
        event = self.run()
        assert isinstance(event, Failed), event
        return event

    def allocate(self, *rows: Any, protocol: int = UDP) -> int:
        self.turn.allocate(self.world.now, *rows, protocol=protocol)
        return self.result()

    def refresh(self, lifetime: int = 600, *rows: Any) -> int:
        self.turn.refresh(self.world.now, lifetime, *rows)
        return self.result()

    def permit(self, *peers: Address) -> int:
        self.turn.create_permission(self.world.now, *peers)
        return self.result()

    def bind(self, channel: int, peer: Address) -> int:
        self.turn.bind_channel(self.world.now, channel, peer)
        return self.result()

    def reaches(self, peer: Address) -> bool:
        return self.world.path.passes(self.client, peer, self.world.now)

    def silence(self, data: bytes) -> bool:
        return self.world.tell(self.client, data) == []

    def ask(self, data: bytes) -> tuple[int, Message]:
        """Code and whole of the one reply to a message made by hand."""
        (reply,) = self.world.tell(self.client, data)
        message = Message.parse(reply)
        return (message.get(a.ERROR_CODE) or ErrorCode(0, ""))[0], message

    def challenge(self, method: int = 0x003) -> tuple[str, bytes]:
        """Realm and nonce of a 401."""
        code, reply = self.ask(build(method, Kind.REQUEST, self.world.random.randbytes(12), [UDP_ROW]))
        realm, nonce = reply.get(a.REALM), reply.get(a.NONCE)
        assert code == 401 and realm is not None and nonce is not None
        return realm, nonce


UDP_ROW = a.REQUESTED_TRANSPORT.of(UDP)


def signed(
    caller: Caller,
    method: int,
    *rows: Row,
    nonce: bytes | None = None,
    username: str = "ann",
    password: str | None = None,
    algorithm: Algorithm | None = None,
    sha256: bool = False,
    without: Sequence[int] = (),
    more: Sequence[Row] = (),
    fingerprint: bool = False,
) -> bytes:
    """A request with credentials, made by hand: without some attributes, with others, by an algorithm that is named or not."""
    realm = caller.world.settings.realm
    nonce = caller.challenge()[1] if nonce is None else nonce
    password = USERS.get(username, "") if password is None else password
    credentials = [a.USERNAME.of(username), a.REALM.of(realm), a.NONCE.of(nonce), *more]
    credentials = [one for one in credentials if one[0].number not in without]
    return build(
        method,
        Kind.REQUEST,
        caller.world.random.randbytes(12),
        [*rows, *credentials],
        integrity=Integrity(make_key(username, realm, password, algorithm or MD5), sha256),
        fingerprint=fingerprint,
    )
