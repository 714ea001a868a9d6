"""Requests of peers: recognised when they come again, turned away when there are too many, and answered."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2s

from .admission import Admission, Remembered, TransactionLimits, source_name
from .build import RandomBytes, response_to
from .events import AckIn, CancelIn, RequestIn, ServerKey
from .hub import AnyTransaction, Gate, Hub, Refusal
from .inspection import METHODS
from .matching import Fork, fork_of, is_old, old_ack_key, server_key
from .message import Request, Response
from .replies import mark, second_choice
from .server import INVITE_SERVER, NON_INVITE_SERVER, Server
from .target import Target
from .transaction import BY_CLASS, Transaction

TAG_SIZE = 8
"""Bytes of the To tags that we make: 64 bits (RFC 3261 section 19.3 asks for 32 at least)."""
CANCELLABLE = tuple(sorted(METHODS - {"INVITE", "ACK", "CANCEL"}))
"""Methods besides INVITE that a CANCEL may name, to no effect (section 9.2)."""


class Incoming:
    """The server transactions of a layer."""

    def __init__(
        self,
        hub: Hub,
        limits: TransactionLimits,
        random: RandomBytes,
        is_ours: Callable[[Request], bool],
        gate: Gate | None,
    ) -> None:
        self._hub = hub
        self._limits = limits
        self._secret = random.randbytes(16)
        self._is_ours = is_ours
        self._gate = gate
        self._servers: dict[tuple[str, str, str], Server] = {}
        self._answered = Remembered(limits)
        self._forks: dict[Fork, Server] = {}
        self._old_acks: dict[ServerKey, Server] = {}
        self._admission = Admission(limits)

    def __len__(self) -> int:
        return len(self._servers)

    @property
    def waiting(self) -> int:
        """Requests that the user has not answered."""
        return self._admission.waiting

    def receive(self, request: Request, source: Target, now: float) -> None:
        """Raises SipError."""
        if request.method == "ACK":
            self._acknowledge(request, source, now)
            return
        key = server_key(request, request.method)
        server = self._servers.get(key)
        if server is not None:
            server.take("request", now)
            self._hub.tally.absorbed += 1
            return
        reply_to = mark(request, source)
        if request.method == "CANCEL":
            self._cancel(key, request, reply_to, now)
            return
        fork = fork_of(request)
        refusal = self._refusal(fork, request, source, now)
        if refusal is not None:
            self.refuse(refusal, key, request, reply_to)
            return
        server = self._open(key, request, reply_to, now)
        if fork is not None:
            server.fork = fork
            self._forks[fork] = server
        self._hub.emit(RequestIn(key, request, source))

    def _refusal(self, fork: Fork | None, request: Request, source: Target, now: float) -> Refusal | None:
        """Why the request gets no transaction, if so."""
        # 8.2.2.2: a request that has come by another way already; and our own.
        if fork is not None and (fork in self._forks or self._is_ours(request)):
            self._hub.tally.merged += 1
            return Refusal(482)
        refusal = self._gate(request, source, now) if self._gate else None
        if refusal is None and not self._admission.admits(source_name(source.host)):
            refusal = Refusal(503, self._limits.retry_after)
        self._hub.tally.refused += refusal is not None
        return refusal

    def refuse(self, refusal: Refusal, key: ServerKey, request: Request, reply_to: Target) -> None:
        """8.2.7: an answer of which nothing is remembered; repeated, the request gets it once more, with the same tag."""
        if refusal.status is None:
            return
        response = response_to(request, refusal.status, to_tag=self._tag(key))
        if refusal.retry_after is not None:
            response.headers.set("Retry-After", str(refusal.retry_after))
        for name, value in refusal.fields:
            response.headers.add(name, value)
        self._hub.send(response, reply_to)

    def _open(self, key: ServerKey, request: Request, reply_to: Target, now: float) -> Server:
        figure = INVITE_SERVER if request.method == "INVITE" else NON_INVITE_SERVER
        server = Transaction(key, request, reply_to, figure, self._hub, self._ended)
        server.source = source_name(reply_to.host)
        self._servers[key] = server
        self._admission.came(server.source)
        server.second = second_choice(request, reply_to)
        self._hub.join(server)
        server.start(now)
        return server

    def respond(self, key: ServerKey, response: Response, now: float) -> None:
        """The user's answer; without effect when the transaction has had its final, or is gone."""
        server = self._servers.get(key)
        cause = BY_CLASS.get(response.status // 100)
        if server is None or cause is None:
            return
        if cause != "1xx" and server.request is not None:
            self._settle(server, response)
        server.take(cause, now, response)

    def dismiss(self, key: ServerKey, refusal: Refusal) -> None:
        """Refuses a request that is still unanswered, and forgets it."""
        server = self._servers.get(key)
        if server is not None and server.request is not None:
            self.refuse(refusal, key, server.request, server.target)
            server.drop()

    def _settle(self, server: Server, response: Response) -> None:
        """It is answered with this final: from now on it is only remembered."""
        self._admission.went(server.source)
        oldest = self._answered.add(server.key, server.source)
        if oldest is not None:
            # Whoever repeats that one now has taken longest.
            self._hub.tally.forgotten += 1
            self._servers[oldest].drop()
        if is_old(server.key) and server.key.method == "INVITE" and response.status >= 300:
            server.alias = old_ack_key(server.key, response.to.tag)
            self._old_acks[server.alias] = server

    def _acknowledge(self, request: Request, source: Target, now: float) -> None:
        """17.2.3: an ACK for a final that was not 2xx has the INVITE's branch; all others are the user's."""
        key = server_key(request, "INVITE")
        server = self._old_acks.get(server_key(request, "ACK")) if is_old(key) else self._servers.get(key)
        if server is None or server.state == "accepted":
            self._hub.emit(AckIn(request, source))
        elif not server.take("ack", now):
            self._hub.tally.absorbed += 1

    def _cancel(self, key: ServerKey, request: Request, reply_to: Target, now: float) -> None:
        """9.2. The CANCEL is answered here, whatever becomes of the INVITE."""
        invite = self._servers.get(key._replace(method="INVITE"))
        found = invite is not None or any(key._replace(method=method) in self._servers for method in CANCELLABLE)
        if not found:
            self.refuse(Refusal(481), key, request, reply_to)
            return
        self._open(key, request, reply_to, now)
        # The To tag is that of the INVITE's responses, if it has had any.
        last = invite.last if invite is not None else None
        tag = last.to.tag if last is not None else None
        self.respond(key, response_to(request, 200, to_tag=tag or self._tag(key)), now)
        if invite is not None and invite.state == "proceeding" and not invite.cancelling:
            invite.cancelling = True
            self._hub.emit(CancelIn(invite.key, request))

    def reroute(self, transaction: AnyTransaction) -> bool:
        """Its connection is gone: what is still to be said goes by a new one, if there is another way. True if so."""
        if transaction.second is None:
            return False
        self._hub.leave(transaction)
        transaction.target, transaction.second = transaction.second, None
        self._hub.join(transaction)
        return True

    def _tag(self, key: ServerKey) -> str:
        """The same for the same request (8.2.7), and not to be guessed."""
        text = "\n".join(key).encode(errors="backslashreplace")
        return blake2s(text, key=self._secret, digest_size=TAG_SIZE).hexdigest()

    def _ended(self, server: Server) -> None:
        key = server.key
        del self._servers[key]
        self._hub.leave(server)
        if not self._answered.remove(key):
            self._admission.went(server.source)
        if server.fork is not None:
            del self._forks[server.fork]
        # Another INVITE, which had our To tag from the start, may have the same ACK.
        if server.alias is not None and self._old_acks.get(server.alias) is server:
            del self._old_acks[server.alias]
