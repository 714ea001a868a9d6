"""What all transactions of a layer share: what goes out, what is told, when who is due, and who depends on which target."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .deadlines import Deadlines
from .events import ClientKey, Event, ServerKey
from .message import Request
from .target import Target
from .timers import Timers, waits
from .transaction import AnyMessage, Pace, Transaction

AnyTransaction = Transaction[ClientKey] | Transaction[ServerKey]


@dataclass(frozen=True)
class Refusal:
    """How a request is turned away of which nothing is kept."""

    status: int | None
    """None: not a word."""
    retry_after: int | None = None
    """Seconds."""
    fields: tuple[tuple[str, str], ...] = ()
    """Header fields of the response, such as a challenge."""


Gate = Callable[[Request, Target, float], Refusal | None]
"""The owner's word on a new request before anything is kept of it (drain, rates, blocked sources); None lets it in."""


@dataclass(slots=True)
class Tally:
    """What has been counted since the start."""

    sent_again: int = 0
    """Messages that a timer or a repeated message made us send once more."""
    absorbed: int = 0
    """Repeated requests and responses that the user did not see."""
    refused: int = 0
    """New requests turned away for want of room, or by the gate."""
    merged: int = 0
    """... as they came by two ways, or from ourselves."""
    malformed: int = 0
    unmatched: int = 0
    """Responses to nothing."""
    forgotten: int = 0
    """Answered requests of which the memory was given up early, for want of room."""


class Hub:
    """A ``Sink`` for transactions; a message and an event each go in once and are taken out in order."""

    def __init__(self, timers: Timers) -> None:
        self._paces = {reliable: Pace(waits(timers, reliable=reliable), timers.t2) for reliable in (False, True)}
        self._by_target: dict[Target, dict[AnyTransaction, None]] = {}
        self.deadlines: Deadlines[AnyTransaction] = Deadlines()
        self.outgoing: list[tuple[AnyMessage, Target]] = []
        self.events: list[Event] = []
        self.tally = Tally()

    def pace(self, target: Target) -> Pace:
        return self._paces[target.transport != "udp"]

    def send(self, message: AnyMessage, target: Target) -> None:
        self.outgoing.append((message, target))

    def send_again(self, message: AnyMessage, target: Target) -> None:
        self.tally.sent_again += 1
        self.outgoing.append((message, target))

    def emit(self, event: Event) -> None:
        self.events.append(event)

    def schedule(self, at: float, item: AnyTransaction) -> None:
        self.deadlines.schedule(at, item)

    def join(self, transaction: AnyTransaction) -> None:
        """It depends on its target from now on."""
        self._by_target.setdefault(transaction.target, {})[transaction] = None

    def leave(self, transaction: AnyTransaction) -> None:
        """... no longer."""
        there = self._by_target[transaction.target]
        del there[transaction]
        if not there:
            del self._by_target[transaction.target]

    def dependants(self, target: Target) -> list[AnyTransaction]:
        return list(self._by_target.get(target, ()))

    def take_events(self) -> list[Event]:
        events, self.events = self.events, []
        return events

    def take_outgoing(self) -> list[tuple[AnyMessage, Target]]:
        outgoing, self.outgoing = self.outgoing, []
        return outgoing
