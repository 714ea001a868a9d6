"""The transaction layer: messages to transactions, transactions to events, and bounds on all of it (RFC 3261 section 17).

Every call takes ``now`` in seconds of a clock that never goes back. After any call ``take_outgoing`` has what is to be sent,
and ``next_deadline`` when ``poll`` is due. A call puts in at most a few messages, ``poll`` at most one for each transaction.
"""

from __future__ import annotations

from .admission import TransactionLimits
from .build import RandomBytes
from .errors import SipError
from .events import ClientKey, Event, ServerKey
from .hub import Gate, Hub, Refusal, Tally
from .incoming import Incoming
from .matching import server_key
from .message import Request, Response
from .outgoing import Outgoing
from .replies import mark
from .target import Target
from .timers import Timers
from .transaction import AnyMessage

DEFAULT_TIMERS = Timers()
DEFAULT_LIMITS = TransactionLimits()


class TransactionLayer:
    """All transactions of one endpoint.

    ``random`` makes the secret of the To tags of refusals: ``random.SystemRandom()`` outside of tests. ``gate`` is asked
    about each new request before anything is kept of it.
    """

    def __init__(
        self,
        timers: Timers = DEFAULT_TIMERS,
        limits: TransactionLimits = DEFAULT_LIMITS,
        *,
        random: RandomBytes,
        gate: Gate | None = None,
    ) -> None:
        self._hub = Hub(timers)
        self._outgoing = Outgoing(self._hub, limits.clients)
        self._incoming = Incoming(self._hub, limits, random, self._outgoing.met_ourselves, gate)

    # -- the network's side --

    def receive(self, message: Request | Response, source: Target, now: float) -> list[Event]:
        """A message from ``source``. The top Via of a new request is completed by where it came from (section 18.2.1)."""
        try:
            if isinstance(message, Response):
                self._outgoing.receive(message, source, now)
            else:
                self._incoming.receive(message, source, now)
        except SipError as error:
            error.message = message
            self.turn_away(error, source)
        return self._hub.take_events()

    def turn_away(self, error: SipError, source: Target) -> None:
        """Answers a request that was not understood, as far as it can be answered; nothing is kept of it."""
        self._hub.tally.malformed += 1
        request = error.message
        if not isinstance(request, Request) or request.method == "ACK":
            return
        try:
            key = server_key(request, request.method)
            self._incoming.refuse(Refusal(error.status), key, request, mark(request, source))
        except SipError:
            return

    def transport_error(self, target: Target, now: float) -> list[Event]:
        """What was sent to ``target`` may not have arrived, or the connection that it names is gone."""
        for transaction in self._hub.dependants(target):
            if not self._incoming.reroute(transaction):
                transaction.take("connection lost" if target.reliable else "not sent", now)
        return self._hub.take_events()

    def poll(self, now: float) -> list[Event]:
        """Fires the timers that are due."""
        for transaction in self._hub.deadlines.due(now):
            transaction.tick(now)
        return self._hub.take_events()

    def next_deadline(self) -> float | None:
        """When ``poll`` is to be called at the latest; None while nothing waits."""
        return self._hub.deadlines.next()

    def take_outgoing(self) -> list[tuple[AnyMessage, Target]]:
        """What is to be sent, in order; it is taken out once."""
        return self._hub.take_outgoing()

    # -- the user's side --

    def request(self, request: Request, target: Target, now: float) -> ClientKey:
        """Sends a request of ours, which has a branch of its own in its Via.

        Ends in exactly one of: ResponseIn with a final, TimedOut, TransportFailed. Raises LocalError for an ACK or a branch
        that is in use, Unavailable when there are ``TransactionLimits.clients`` already.
        """
        return self._outgoing.start(request, target, now)

    def respond(self, key: ServerKey, response: Response, now: float) -> None:
        """Answers a request. Without effect once it has its final, but for further 2xx to an INVITE, which go out (RFC 6026)."""
        self._incoming.respond(key, response, now)

    def dismiss(self, key: ServerKey, refusal: Refusal, now: float) -> None:
        """Refuses an unanswered request by one response, and keeps nothing of it: section 26.3.2.4 asks for challenges to be
        given so. A request forged in somebody's name would else bring him the response up to eleven times.

        The request is told again if it comes again, and the ACK as one that belongs to nothing.
        """
        self._incoming.dismiss(key, refusal)

    def send(self, message: AnyMessage, target: Target) -> None:
        """Sends without a transaction: the ACK for a 2xx."""
        self._hub.send(message, target)

    def cancel(self, key: ClientKey, now: float) -> ClientKey:
        """Cancels an INVITE, as soon as it has been heard of (section 9.1): it ends by 487, by whatever final was faster, or by
        TimedOut. Returns the key of the CANCEL; its own responses need no attention. Raises LocalError for other methods."""
        return self._outgoing.cancel(key, now)

    def unwilling_until(self, target: Target, now: float) -> float | None:
        """Until when ``target`` asked not to be bothered, by a 503 with Retry-After (section 21.5.4); None if it did not."""
        return self._outgoing.hold_off.until(target, now)

    # -- figures --

    @property
    def tally(self) -> Tally:
        return self._hub.tally

    @property
    def clients(self) -> int:
        """Requests of ours that are under way or kept for repeated responses."""
        return len(self._outgoing)

    @property
    def servers(self) -> int:
        """Requests of peers, answered or not."""
        return len(self._incoming)

    @property
    def waiting(self) -> int:
        """Requests of peers that the user has not answered."""
        return self._incoming.waiting
