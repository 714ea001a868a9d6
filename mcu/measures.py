"""The MCU's own metrics: what the conference holds, and what the media threads count."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from confero.runtime.metrics import Metrics

from .conference import Conference
from .feed import Feed
from .records import Records

THREAD_GAUGES = {
    "packets_in": "Packets taken in",
    "packets_out": "Packets sent",
    "packets_unknown": "Packets that belong to no leg",
    "ticks": "Ticks of 20 ms done",
    "late_ticks": "Ticks that began more than a tick late",
    "frames_decoded": "Frames heard by a decoder",
    "frames_skipped": "Frames passed over as silent or outranked",
    "frames_mixed": "Frames mixed",
    "frames_encoded": "Frames encoded",
    "frames_shared": "Frames sent from another's encoding",
    "send_failures": "Packets that the kernel did not take",
    "receive_drops": "Packets dropped by the kernel at full buffers of shared sockets",
    "tcp_open": "Media connections over TCP",
    "tcp_refused": "Connections closed before they were a leg's",
    "decode_ns": "Time of decoding, ns",
    "mix_ns": "Time of mixing, ns",
    "encode_ns": "Time of encoding, ns",
    "crypto_ns": "Time of SRTP, ns, sampled",
    "io_ns": "Time of system calls that send and receive, ns, sampled",
    "tick_ns_sum": "Time of ticks, ns",
    "rooms_asleep": "Rooms in which nobody talks",
    "events_lost": "Events lost because nobody read them in time",
    "tick_ns_max": "Longest tick, ns",
}
"""Fields of ``cf_core_stats``, summed over the media threads but for the last, of which the greatest counts."""


class ThreadStats(Protocol):
    threads: int

    def thread_stats(self, thread: int) -> dict[str, int]: ...


def measure(metrics: Metrics, engine: ThreadStats, conference: Conference, feed: Feed, records: Records) -> None:
    """Registers gauges that are read when they are asked for."""
    registry = conference.registry
    metrics.gauge("mcu_rooms", "Rooms").set_function(lambda: registry.rooms)
    metrics.gauge("mcu_legs", "Legs").set_function(lambda: registry.legs)
    metrics.gauge("mcu_news_dropped", "News for the notifier given up").set_function(lambda: feed.dropped)
    metrics.gauge("mcu_records_dropped", "Call records given up").set_function(lambda: records.dropped)
    for name, text in THREAD_GAUGES.items():
        metrics.gauge(f"mcu_{name}", text).set_function(_reader(engine, name))


def _reader(engine: ThreadStats, name: str) -> Callable[[], float]:
    def read() -> float:
        values = [engine.thread_stats(thread)[name] for thread in range(engine.threads)]
        return max(values) if name.endswith("_max") else sum(values)

    return read
