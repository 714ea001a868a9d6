"""The gateway's own metrics: calls, how they end and how long they take to come about, messages, and who is turned away."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from confero.runtime.metrics import Metrics

from .calls.book import CallBook
from .calls.call import Call
from .endpoint import Endpoint, figures
from .guard import Guard
from .journal import Journal
from .load import Load
from .records import Records

SETUP_S = (0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""From an INVITE to its 200: from a call that comes in to one that rings for long."""
STATES = ("early", "established", "ended")
DIRECTIONS = ("in", "out")

MESSAGES = {
    "sent_again": "Messages sent again because no answer came",
    "absorbed": "Messages that had come before",
    "refused": "Requests refused before anything was kept of them",
    "merged": "Requests that came by two ways (RFC 3261 section 8.2.2.2)",
    "malformed": "Messages that were not understood",
    "unmatched": "Responses that belong to no request",
}


class Measures:
    """``ended`` is told of each call that is over; all else is read when it is asked for."""

    def __init__(
        self,
        metrics: Metrics,
        book: CallBook,
        endpoint: Endpoint,
        guard: Guard,
        load: Load,
        records: Records,
        journal: Journal,
    ) -> None:
        self._ended = metrics.counter("sipgw_calls", "Calls that are over", ("direction", "outcome"))
        self._setup = metrics.histogram(
            "sipgw_setup_seconds", "From the INVITE to its answer", ("direction",), buckets=SETUP_S
        )
        self._read_calls(metrics, book)
        self._read_messages(metrics, endpoint)
        self._read_refusals(metrics, guard, load)
        metrics.gauge("sipgw_records_waiting", "Calls' records that wait").set_function(lambda: len(records))
        metrics.gauge("sipgw_records_dropped", "Calls' records given up").set_function(lambda: records.dropped)
        metrics.gauge("sipgw_journal_calls", "Calls in the journal").set_function(lambda: len(journal))
        metrics.gauge("sipgw_journal_failures", "Writes that the disk did not take").set_function(
            lambda: journal.failures
        )

    def _read_calls(self, metrics: Metrics, book: CallBook) -> None:
        gauge = metrics.gauge("sipgw_calls_running", "Calls now", ("direction", "state"))
        for direction in DIRECTIONS:
            for state in STATES:
                gauge.labels(direction, state).set_function(_counter(book, direction, state))

    def _read_refusals(self, metrics: Metrics, guard: Guard, load: Load) -> None:
        asked = metrics.gauge("sipgw_guard", "Requests from outside of calls, by what became of them", ("verdict",))
        for verdict in guard.counts:
            asked.labels(verdict).set_function(_item(lambda: guard.counts, verdict))
        blocked = metrics.gauge("sipgw_sources_blocked", "Sources that are not answered")
        blocked.set_function(lambda: len(guard.blocked()))
        shed = metrics.gauge("sipgw_calls_refused", "Calls that were answered 503 at the door", ("reason",))
        for reason in load.counts:
            shed.labels(reason).set_function(_item(lambda: load.counts, reason))
        metrics.gauge("sipgw_late_seconds", "How late this process is").set_function(lambda: load.late_s)

    def _read_messages(self, metrics: Metrics, endpoint: Endpoint) -> None:
        layer = endpoint.layer
        transactions = metrics.gauge("sipgw_transactions", "Transactions now", ("side",))
        transactions.labels("client").set_function(lambda: layer.clients)
        transactions.labels("server").set_function(lambda: layer.servers)
        for name, text in MESSAGES.items():
            metrics.gauge(f"sipgw_messages_{name}", text).set_function(_item(lambda: figures(endpoint), name))

    def ended(self, call: Call) -> None:
        about = call.about
        self._ended.labels(about.direction, outcome_of(about.status, answered=about.answered_at is not None)).inc()
        if about.answered_at is not None:
            self._setup.labels(about.direction).observe(max(0.0, about.answered_at - about.started_at))


def outcome_of(status: int, *, answered: bool) -> str:
    """``answered``, or why not: the statuses that say something of their own, else their class."""
    if answered:
        return "answered"
    named = {
        486: "busy",
        600: "busy",
        487: "cancelled",
        603: "declined",
        480: "no-answer",
        408: "no-answer",
        404: "unknown",
    }
    return named.get(status, f"{status // 100}xx" if status >= 300 else "failed")


def _counter(book: CallBook, direction: str, state: str) -> Callable[[], float]:
    def fits(call: Call) -> bool:
        return call.about.direction == direction and call.driver.session.phase == state

    return lambda: sum(1 for call in book if fits(call))


def _item(read: Callable[[], Mapping[Any, int]], name: str) -> Callable[[], float]:
    return lambda: read()[name]
