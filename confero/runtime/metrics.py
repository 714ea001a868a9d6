"""Prometheus metrics: a registry of its own for each service, names with one prefix, labels with a bounded set of values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from confero.errors import LocalError

PREFIX = "confero_"
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Bounds of histograms of time: from a cached answer to a time-out."""
Kind = TypeVar("Kind", Counter, Gauge, Histogram)


class Metrics:
    """Makes metrics and renders them; the same name always gives the same metric, so that parts of a service can share one.

    A label takes values of a small fixed set (route, status, codec), never ids: each combination lives as long as the process.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        self._made: dict[str, Any] = {}
        ProcessCollector(registry=self.registry)

    def counter(self, name: str, help: str, labels: Sequence[str] = ()) -> Counter:
        """``confero_<name>_total``"""
        return self._make(Counter, name, help, labels)

    def gauge(self, name: str, help: str, labels: Sequence[str] = ()) -> Gauge:
        """``confero_<name>``; ``set_function`` reads a value when it is asked for."""
        return self._make(Gauge, name, help, labels)

    def histogram(
        self, name: str, help: str, labels: Sequence[str] = (), buckets: Sequence[float] = SECONDS
    ) -> Histogram:
        """``confero_<name>``; name the unit last, e.g. ``answer_seconds``."""
        return self._make(Histogram, name, help, labels, buckets=tuple(buckets))

    def _make(self, kind: type[Kind], name: str, help: str, labels: Sequence[str], **options: Any) -> Kind:
        made = self._made.get(name)
        if made is None:
            made = self._made[name] = kind(PREFIX + name, help, tuple(labels), registry=self.registry, **options)
        if type(made) is not kind:
            raise LocalError(f"metric {name} is a {type(made).__name__.lower()} already")
        return made

    def render(self) -> tuple[bytes, str]:
        """The exposition text and its content type."""
        return generate_latest(self.registry), CONTENT_TYPE_LATEST
