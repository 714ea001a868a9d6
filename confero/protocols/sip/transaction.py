"""What the four transactions of RFC 3261 section 17 share: a table of arrows is walked, and at most two timers run.

A figure of the RFC is a table: from a state and a cause to the next state and what is done on the way. What has no arrow is
absorbed. A transaction knows nothing of others: it speaks to a ``Sink``, which is the transaction layer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, Literal, Protocol, TypeVar

from .events import ClientKey, Event, ServerKey
from .matching import Fork
from .message import Request, Response
from .target import Target
from .timers import TimerName, Waits

State = Literal["calling", "trying", "proceeding", "accepted", "completed", "confirmed", "terminated"]
Cause = Literal["request", "ack", "1xx", "2xx", "3xx-6xx", "not sent", "connection lost"] | TimerName
Key = TypeVar("Key", ClientKey, ServerKey)
AnyMessage = Request | Response

BY_CLASS: Mapping[int, Cause] = {1: "1xx", 2: "2xx", 3: "3xx-6xx", 4: "3xx-6xx", 5: "3xx-6xx", 6: "3xx-6xx"}
"""The cause that a response is, by the first digit of its status."""


class Sink(Protocol):
    """Whom a transaction speaks to."""

    def send(self, message: AnyMessage, target: Target) -> None: ...

    def send_again(self, message: AnyMessage, target: Target) -> None:
        """The same, for what has been sent before."""
        ...

    def emit(self, event: Event) -> None: ...

    def pace(self, target: Target) -> Pace: ...

    def schedule(self, at: float, item: Transaction[ClientKey] | Transaction[ServerKey]) -> None:
        """``tick`` is to be called at ``at``."""
        ...


@dataclass(frozen=True)
class Pace:
    """How fast timers run over the transport of a transaction."""

    waits: Waits
    t2: float


@dataclass(frozen=True)
class Figure(Generic[Key]):
    """One machine of section 17."""

    first: State
    arrows: Mapping[State, Mapping[Cause, tuple[State, tuple[Action[Key], ...]]]]
    timers: Mapping[State, tuple[TimerName | None, TimerName | None]]
    """Started on entering a state: the one that sends again, the one that ends it. Where a state is missing, what runs goes on."""


class Transaction(Generic[Key]):
    """A walk through a figure. ``last`` is what is sent again: the request or its ACK, or the latest response."""

    __slots__ = (
        *("again", "again_at", "alias", "arrived_from", "cancelling", "ends", "ends_at", "figure", "fork", "interval"),
        *("key", "last", "on_end", "pace", "request", "second", "sink", "source", "state", "target"),
    )

    def __init__(
        self, key: Key, request: Request, target: Target, figure: Figure[Key], sink: Sink, on_end: OnEnd[Key]
    ) -> None:
        self.key: Key = key
        self.request: Request | None = request
        """Until a final response: there is nothing to be made of it afterwards."""
        self.target = target
        self.figure: Figure[Key] = figure
        self.pace = sink.pace(target)
        self.sink = sink
        self.on_end: OnEnd[Key] = on_end
        """Called once, in the terminated state."""
        self.state: State = "terminated"
        self.last: AnyMessage | None = None
        self.arrived_from: Target | None = None
        """Where the message came from that is being worked on."""
        self.again: TimerName | None = None
        self.again_at: float | None = None
        self.ends: TimerName | None = None
        self.ends_at: float | None = None
        self.interval = 0.0
        """Seconds that ``again`` was started with last."""
        # What the tables of the layer note on it.
        self.cancelling = False
        self.source = ""
        self.second: Target | None = None
        self.fork: Fork | None = None
        self.alias: ServerKey | None = None

    def start(self, now: float) -> None:
        """Enters the first state; sending the request is the caller's."""
        self._enter(self.figure.first, now)

    def take(self, cause: Cause, now: float, message: AnyMessage | None = None) -> bool:
        """Follows the arrow of ``cause``; False where there is none, and nothing was done."""
        arrow = self.figure.arrows[self.state].get(cause)
        if arrow is None:
            return False
        state, actions = arrow
        for action in actions:
            action(self, message, now)
        if state != self.state:
            self._enter(state, now)
        return True

    def tick(self, now: float) -> None:
        """Fires what is due. The timer that ends goes first: nothing is sent again at the moment of giving up."""
        if self.ends is not None and self.ends_at is not None and self.ends_at <= now:
            self.ends_at = None
            self.take(self.ends, now)
        elif self.again is not None and self.again_at is not None and self.again_at <= now:
            self.again_at = None
            self.take(self.again, now)

    def send_again_in(self, seconds: float, now: float) -> None:
        """Starts ``again`` anew."""
        self.interval = seconds
        self.again_at = now + seconds
        self.sink.schedule(self.again_at, self)

    def end_by(self, timer: TimerName, now: float) -> None:
        """Starts the timer that ends this state, in place of the one that may run. One of no time fires at once."""
        wait = self.pace.waits[timer]
        if not wait:
            self.take(timer, now)
            return
        self.ends = timer
        self.ends_at = now + wait
        self.sink.schedule(self.ends_at, self)

    def _enter(self, state: State, now: float) -> None:
        if state == "terminated":
            self.drop()
            return
        self.state = state
        timers = self.figure.timers.get(state)
        if timers is None:
            return
        self.again, ends = timers
        self.again_at = self.ends_at = None
        wait = self.pace.waits[self.again] if self.again else None
        if wait is not None:
            self.send_again_in(wait, now)
        if ends is not None:
            self.end_by(ends, now)

    def drop(self) -> None:
        """Ends it without a word."""
        self.state = "terminated"
        self.again_at = self.ends_at = self.request = self.last = None
        self.on_end(self)


OnEnd = Callable[[Transaction[Key]], None]
Action = Callable[[Transaction[Key], AnyMessage | None, float], None]
"""What is done on an arrow; the message is the one that caused it, None for timers and failures."""


def resend(transaction: Transaction[Key], message: AnyMessage | None, now: float) -> None:
    """The latest message once more, if there is any yet."""
    if transaction.last is not None:
        transaction.sink.send_again(transaction.last, transaction.target)


def double(transaction: Transaction[Key], message: AnyMessage | None, now: float) -> None:
    """17.1.1.2: timer A doubles without a bound; B ends it."""
    transaction.send_again_in(2 * transaction.interval, now)


def double_to_t2(transaction: Transaction[Key], message: AnyMessage | None, now: float) -> None:
    """17.1.2.2, 17.2.1: timers E and G double up to T2."""
    transaction.send_again_in(min(2 * transaction.interval, transaction.pace.t2), now)


def rest_at_t2(transaction: Transaction[Key], message: AnyMessage | None, now: float) -> None:
    """17.1.2.2: E in Proceeding."""
    transaction.send_again_in(transaction.pace.t2, now)
