"""What the parts of a session share: its dialogs, its requests under way, its deadlines, and the way out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from ..build import RandomBytes, new_tag, response_to
from ..dialog import Dialog, tag_of
from ..errors import SipError
from ..headers import Headers
from ..message import Request, Response
from .actions import Action, By, Ended, Key, Respond, SendAck, SendRequest
from .alarms import Alarms
from .bodies import SDP, sdp_of
from .config import SessionConfig
from .offers import Offers

Phase = Literal["early", "established", "ended"]
HeaderList = Iterable[tuple[str, str]]
Done = Callable[[Request, Response, float], None]
"""Told of each response to a request, the final one last; a time-out is a 408 and a broken transport a 503 (section 8.1.3.1)."""
Authorize = Callable[[Request, Response], HeaderList | None]
"""Credentials for a request that was answered with 401 or 407; None: not for this peer, or there are none."""

MOST_CREDENTIALS = 2
"""Tries with credentials for one request: the second is for a nonce that has become stale."""
NOT_TO_BE_LOST = ("BYE", "PRACK", "INFO", "NOTIFY")
"""Small requests that are sent without waiting for one another, so that the network may reorder them."""
MOST_OVERTAKEN = 3
"""Then the peer has another reason for its 500."""
MOST_CLIENTS = 64
"""Requests under way at a time. Beyond it no INFO is sent and no provisional response acknowledged; BYE always goes out."""
MOST_ACKS = 64
"""ACKs that are kept for repeated 2xx; the oldest is forgotten. More than phones that may answer one call."""
CARRY_CONTACT = ("INVITE", "UPDATE", "REFER", "NOTIFY")
"""RFC 3261 table 2 and its successors: the requests that must have, or refresh, a Contact."""
CARRY_ALLOW = ("INVITE", "UPDATE")


class Random(RandomBytes, Protocol):
    """A source of numbers: ``random.SystemRandom()`` outside of tests."""

    def getrandbits(self, k: int, /) -> int: ...

    def uniform(self, a: float, b: float, /) -> float: ...


class Counter(Protocol):
    """Where a request's number came from, and its next ones."""

    local_seq: int

    def next_seq(self) -> int: ...


class Whole(Protocol):
    """The call, as its parts know it: what has to be decided above each of them."""

    def refresh(self, now: float) -> None:
        """The session timer asks for a sign of life."""
        ...

    def unacknowledged(self, now: float) -> None:
        """No ACK came for a 2xx of ours."""
        ...

    def lose(self, status: int, why: str, now: float) -> None:
        """The call cannot go on."""
        ...

    def wind_up(self, now: float) -> None:
        """The call is over: each part ends what it has under way."""
        ...


class Nobody:
    """In place of a call that is over, and of which nothing is to be expected any more."""

    def refresh(self, now: float) -> None: ...
    def unacknowledged(self, now: float) -> None: ...
    def lose(self, status: int, why: str, now: float) -> None: ...
    def wind_up(self, now: float) -> None: ...


NOBODY = Nobody()


def no_credentials(request: Request, response: Response) -> HeaderList | None:
    return None


@dataclass
class Peer:
    """One dialog of the session with what is agreed in it; a forked call has several until one is answered."""

    dialog: Dialog
    offers: Offers = field(default_factory=Offers)
    rseq: int | None = None
    """RSeq of the last reliable provisional response that was taken."""
    preview: str = ""
    """A description in a provisional response that was not reliable: the answer, unless a better one comes."""
    held: tuple[Request, Response] | None = None
    """Our INVITE and the response with an offer in it, whose PRACK or ACK waits for our answer."""

    @property
    def fork(self) -> str:
        return self.dialog.remote_tag


@dataclass(frozen=True)
class Asked:
    """A re-INVITE or UPDATE of the peer that the owner has not answered yet."""

    key: Key
    request: Request


@dataclass
class Client:
    """A request of ours under way."""

    request: Request
    counter: Counter
    done: Done
    credentials: int = 0
    overtaken: int = 0
    """How often it has come after its successor."""


class Core:
    """The session's state, and how messages are made in it."""

    def __init__(
        self, config: SessionConfig, random: Random, authorize: Authorize, whole: Whole, *, we_called: bool
    ) -> None:
        self.config = config
        self.random = random
        self.authorize = authorize
        self.whole = whole
        self._we_called = we_called
        self.phase: Phase = "early"
        self.peers: dict[str, Peer] = {}
        """By the peer's tag."""
        self.peer: Peer | None = None
        """The one that counts: the callee's only one, the caller's once a 2xx has come."""
        self.peer_allows: frozenset[str] = frozenset()
        self.peer_supports: frozenset[str] = frozenset()
        self.inviting = False
        """A re-INVITE of ours is under way."""
        self.asked: Asked | None = None
        self.alarms = Alarms()
        self._clients: dict[int, Client] = {}
        self._acks: dict[tuple[str, int], Request] = {}
        self._ref = 0
        self._out: list[Action] = []

    # -- out --

    def emit(self, action: Action) -> None:
        self._out.append(action)

    def take(self) -> list[Action]:
        """All that was emitted since the last call."""
        out, self._out = self._out, []
        return out

    @property
    def busy(self) -> bool:
        """Whether requests of ours are under way."""
        return bool(self._clients)

    @property
    def crowded(self) -> bool:
        """Whether there are as many of them as there may be."""
        return len(self._clients) >= MOST_CLIENTS

    # -- requests --

    def compose(self, peer: Peer, method: str, headers: HeaderList = (), sdp: str | None = None) -> Request:
        """A request within a dialog, with the headers that each of its kind has."""
        return self.fill(peer.dialog.request(method), headers, sdp)

    def fill(self, request: Request, headers: HeaderList = (), sdp: str | None = None) -> Request:
        """Adds what does not depend on the dialog."""
        if request.method in CARRY_CONTACT:
            request.headers.add("Contact", self.config.contact)
        if request.method in CARRY_ALLOW:
            self._introduce(request.headers)
        if self.config.user_agent:
            request.headers.add("User-Agent", self.config.user_agent)
        add_all(request.headers, headers)
        put_sdp(request, sdp)
        return request

    def _introduce(self, headers: Headers) -> None:
        """What we can do (section 13.2.1)."""
        headers.add("Allow", self.config.allow)
        headers.add("Supported", ", ".join(self.config.extensions))

    def send(self, request: Request, counter: Counter, done: Done) -> int:
        """Starts a transaction; its ``ref``."""
        self._ref += 1
        self._start(self._ref, Client(request, counter, done))
        return self._ref

    def _start(self, ref: int, client: Client) -> None:
        self._clients[ref] = client
        self.emit(SendRequest(ref, client.request))

    def send_within(self, peer: Peer, method: str, done: Done, headers: HeaderList = (), sdp: str | None = None) -> int:
        """Composes and sends a request within a dialog."""
        return self.send(self.compose(peer, method, headers, sdp), peer.dialog, done)

    def response(self, ref: int, response: Response, now: float) -> None:
        """Passes a response to whoever sent the request; a challenge is met if there are credentials for it."""
        client = self._clients.get(ref)
        if client is None:
            return
        if response.status >= 200:
            del self._clients[ref]
            if response.status in (401, 407) and self._again_with_credentials(ref, client, response):
                return
            if response.status == 500 and self._again_in_order(ref, client):
                return
        client.done(client.request, response, now)

    def _again_with_credentials(self, ref: int, client: Client, response: Response) -> bool:
        """22.2: the same request, with a new number and a transaction of its own, under the same ``ref``."""
        if client.credentials >= MOST_CREDENTIALS or (self.phase == "ended" and client.request.method != "BYE"):
            return False
        credentials = self.authorize(client.request, response)
        if credentials is None:
            return False
        again = self._renumbered(client)
        for name, value in credentials:
            again.headers.set(name, value)
        self._start(ref, replace(client, request=again, credentials=client.credentials + 1))
        return True

    def _again_in_order(self, ref: int, client: Client) -> bool:
        """12.2.2: a request that its successor has overtaken gets 500. What must not be lost is sent anew."""
        late = client.request.cseq.number < client.counter.local_seq
        if not late or client.request.method not in NOT_TO_BE_LOST or client.overtaken >= MOST_OVERTAKEN:
            return False
        self._start(ref, replace(client, request=self._renumbered(client), overtaken=client.overtaken + 1))
        return True

    def _renumbered(self, client: Client) -> Request:
        again = copy_of(client.request)
        again.headers.remove("Via")
        again.headers.set("CSeq", f"{client.counter.next_seq()} {again.method}")
        return again

    def acknowledge(self, peer: Peer, invite: Request, sdp: str | None = None) -> None:
        """Sends the ACK for a 2xx, with the INVITE's number and credentials (13.2.2.4), and keeps it."""
        number = invite.cseq.number
        ack = self.fill(peer.dialog.request("ACK", number), credentials_of(invite), sdp)
        self._acks[peer.fork, number] = ack
        while len(self._acks) > MOST_ACKS:
            del self._acks[next(iter(self._acks))]
        self.emit(SendAck(copy_of(ack)))

    def acknowledge_again(self, response: Response) -> bool:
        """A 2xx has come once more. False if it is a new one."""
        ack = self._acks.get((tag_of(response.to), response.cseq.number))
        if ack is None:
            return False
        self.emit(SendAck(copy_of(ack)))
        return True

    def bye(self, peer: Peer, headers: HeaderList = ()) -> None:
        """Whatever is answered: the dialog is over when BYE is sent (15.1.1)."""
        self.send_within(peer, "BYE", ignore, headers)

    # -- responses --

    def reply(
        self,
        key: Key,
        request: Request,
        status: int,
        reason: str | None = None,
        headers: HeaderList = (),
        sdp: str | None = None,
    ) -> Response:
        """Answers a request of the peer (8.2.6); the response, should it be needed again."""
        peer = self.peer_of(request) or self.peer
        tag = peer.dialog.local_tag if peer is not None else new_tag(self.random)
        response = response_to(request, status, reason, to_tag=tag if status > 100 else None)
        if status // 100 in (1, 2) and status > 100 and request.method in CARRY_ALLOW:
            response.headers.set("Contact", self.config.contact)
            self._introduce(response.headers)
        if self.config.user_agent:
            response.headers.add("Server", self.config.user_agent)
        add_all(response.headers, headers)
        put_sdp(response, sdp)
        self.emit(Respond(key, response))
        return response

    def peer_of(self, request: Request) -> Peer | None:
        """The dialog that a request belongs to."""
        peer = self.peers.get(tag_of(request.from_))
        return peer if peer is not None and peer.dialog.local_tag == tag_of(request.to) else None

    def learn(self, message: Request | Response) -> None:
        """What the peer says that it can do."""
        if "Allow" in message.headers:
            self.peer_allows = frozenset(message.tokens("Allow"))
        if "Supported" in message.headers:
            self.peer_supports = options(message, "Supported")

    def unsupported(self, request: Request) -> list[str]:
        """Options that the peer requires and we do not have (8.2.2.3)."""
        return sorted(options(request, "Require") - set(self.config.extensions))

    # -- the end --

    def end(self, by: By, status: int, reason: str, now: float, message: Request | Response | None = None) -> None:
        """The call is over. What the parts have under way is wound up; messages that may still come are answered for a while."""
        if self.phase == "ended":
            return
        lingers = self._lingers(by)
        self.phase = "ended"
        self.whole.wind_up(now)
        if lingers:
            self.alarms.set("linger", now + self.config.timers.lifetime, lambda now: None)
        self.emit(Ended(by, status, reason, message))

    def _lingers(self, by: By) -> bool:
        """Whether something may come that no transaction answers.

        The peer's BYE or refusal, and our refusal, are the last word of a call: what is repeated of them, the transaction layer
        answers. But a BYE may cross ours (RFC 5407 section 3.3.1), and a 2xx may come again (13.2.2.4), or too late."""
        if self._acks or self.inviting:
            return True
        return by != "peer" and (self._we_called or self.phase == "established")

    def let_go(self) -> None:
        """The parts know the core, and from now on it knows neither them nor its owner: no knot is left for the collector."""
        self.whole, self.authorize = NOBODY, no_credentials


def options(message: Request | Response, name: str) -> frozenset[str]:
    """The option tags of a list such as Require, in lower case. Raises SipError."""
    return frozenset(tag.lower() for tag in message.tokens(name))


def ignore(request: Request, response: Response, now: float) -> None:
    """For requests whose outcome changes nothing."""


def add_all(headers: Headers, more: HeaderList) -> None:
    for name, value in more:
        headers.add(name, value)


def put_sdp(message: Request | Response, sdp: str | None) -> None:
    """Gives the message a description as its body."""
    if sdp is not None:
        message.headers.set("Content-Type", SDP)
        message.body = sdp.encode()


def copy_of(request: Request) -> Request:
    """One that may be given a Via of its own."""
    return Request(request.method, request.uri, request.headers.copy(), request.body)


def credentials_of(request: Request) -> list[tuple[str, str]]:
    names = ("authorization", "proxy-authorization")
    return [(name, value) for name, value in request.headers.items() if name.lower() in names]


def unheard(response: Response) -> bool:
    """Whether a final stands for a time-out or a broken transport: the peer did not say it."""
    return "CSeq" not in response.headers


def description_in(response: Response) -> str | None:
    """The SDP of a response; None for one that cannot be read: the peer's other messages may still be good."""
    try:
        return sdp_of(response)
    except SipError:
        return None
