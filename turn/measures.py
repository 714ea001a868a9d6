"""The TURN server's own metrics: what the machine has granted and refused, and what the data path has relayed and dropped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from confero.protocols.turn import REASONS, Server
from confero.relay import DROPS, TRANSPORTS, RelayStats
from confero.runtime.metrics import Metrics

from .bridge import Bridge
from .https import HttpsInside
from .listening import TcpDoor
from .news import LoggedNews, method_name
from .peerstreams import PeerStreams
from .ports import RelayPorts

FLOWS = {
    "to_peer_packets": "Packets relayed to peers",
    "to_peer_bytes": "Bytes of payload relayed to peers",
    "to_client_packets": "Packets relayed to clients",
    "to_client_bytes": "Bytes of payload relayed to clients",
}
PATH = {
    "requests": "STUN requests handed to the machine",
    "replies": "Replies sent",
    "connections": "TCP and TLS connections that have said something",
    "accepted": "TCP connections taken",
    "refused": "TCP connections not taken, for want of room",
    "timed_out": "TCP connections that were silent for too long",
    "handshakes": "TLS handshakes",
    "handshakes_failed": "TLS handshakes that failed",
    "joined": "Connections whose bytes go to another socket",
    "receive_drops": "Datagrams dropped by the kernel at full buffers of listening sockets",
    "turns": "Times that a thread woke up",
}
"""Counters of ``RelayStats`` that stand for themselves."""
PEERS = ("connected", "failed", "accepted", "refused")
"""Counters of ``PeerStreams``."""
SILENCES = ("malformed", "no request", "unknown method", "too many", "too large", "guesses")
METHODS = ("binding", "allocate", "refresh", "create-permission", "channel-bind", "connect", "connection-bind")


class StatsSource(Protocol):
    """What of ``confero.relay.Relay`` is used here."""

    def stats(self, thread: int | None = None) -> RelayStats: ...


class Snapshot:
    """One look at the data path's counters serves all gauges of one rendering."""

    def __init__(self, source: StatsSource, now: Callable[[], float]) -> None:
        self._source = source
        self._now = now
        self._at = -1.0
        self._stats: RelayStats | None = None

    def read(self) -> RelayStats:
        now = self._now()
        if self._stats is None or now - self._at > FRESH_S:
            self._stats, self._at = self._source.stats(), now
        return self._stats


FRESH_S = 0.2


def measure(
    metrics: Metrics,
    server: Server,
    snapshot: Snapshot,
    ports: RelayPorts,
    bridge: Bridge,
    door: TcpDoor,
    https: HttpsInside,
    news: LoggedNews,
) -> None:
    """Registers gauges that are read when they are asked for."""

    def gauge(name: str, text: str, read: Callable[[], float]) -> None:
        metrics.gauge(f"turn_{name}", text).set_function(read)

    gauge("allocations", "Allocations", lambda: server.allocations)
    gauge("reservations", "Relayed addresses that wait for who has their token", lambda: server.reservations)
    gauge("relayed_addresses", "Relayed addresses in use", lambda: len(ports))
    gauge("relayed_addresses_exhausted", "Times that there was no relayed address left", lambda: ports.exhausted)
    gauge("orders_refused", "Orders that the data path had no room for", lambda: bridge.refused)
    gauge("connections_refused", "TCP connections that the data path had no room for", lambda: door.refused)
    gauge("https_given", "HTTP in TLS, handed to the application server", lambda: https.given)
    gauge("not_stun_ended", "Connections that were neither STUN nor such HTTP", lambda: https.ended)
    _measure_peers(metrics, bridge.streams)
    for name, text in PATH.items():
        gauge(name, text, _field(snapshot, name))
    _measure_traffic(metrics, snapshot)
    _measure_replies(metrics, server)
    failures = metrics.gauge("turn_authentication_failures", "Requests with a name or password that is wrong or over")
    failures.set_function(lambda: news.wrong)


def _measure_peers(metrics: Metrics, streams: PeerStreams) -> None:
    """TCP allocations."""
    metrics.gauge("turn_peer_connections", "TCP connections to peers").set_function(lambda: len(streams))
    gauge = metrics.gauge(
        "turn_peer_connections_made", "TCP connections to and of peers, by what came of them", ("how",)
    )
    for how in PEERS:
        gauge.labels(how).set_function(_made(streams, how))


def _measure_traffic(metrics: Metrics, snapshot: Snapshot) -> None:
    for flow, text in FLOWS.items():
        gauge = metrics.gauge(f"turn_{flow}", text, ("transport",))
        for transport in TRANSPORTS:
            gauge.labels(transport).set_function(_flow(snapshot, transport, flow))
    drops = metrics.gauge("turn_drops", "Packets that were not relayed", ("reason",))
    for reason in DROPS:
        drops.labels(reason).set_function(_drop(snapshot, reason))


def _measure_replies(metrics: Metrics, server: Server) -> None:
    replies = metrics.gauge("turn_answers", "Requests answered; code 0 is success", ("method", "code"))
    for method in METHODS:
        for code in (0, *REASONS):
            replies.labels(method, str(code)).set_function(_answered(server, method, code))
    silent = metrics.gauge("turn_unanswered", "Messages that were not answered", ("reason",))
    for reason in SILENCES:
        silent.labels(reason).set_function(_unanswered(server, reason))


def _field(snapshot: Snapshot, name: str) -> Callable[[], float]:
    return lambda: float(getattr(snapshot.read(), name))


def _made(streams: PeerStreams, how: str) -> Callable[[], float]:
    return lambda: float(getattr(streams, how))


def _flow(snapshot: Snapshot, transport: str, flow: str) -> Callable[[], float]:
    return lambda: float(getattr(snapshot.read().by_transport[transport], flow))


def _drop(snapshot: Snapshot, reason: str) -> Callable[[], float]:
    return lambda: snapshot.read().drops[reason]


def _answered(server: Server, method: str, code: int) -> Callable[[], float]:
    return lambda: sum(n for (number, c), n in server.replies.items() if c == code and method_name(number) == method)


def _unanswered(server: Server, reason: str) -> Callable[[], float]:
    return lambda: server.silent[reason]
