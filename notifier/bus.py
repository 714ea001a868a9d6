"""The bus: carries events from the notifier that was told to every notifier with listeners. In-process here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

Handler = Callable[[str, bytes], None]
"""Takes the topic and the message; does not wait and does not raise."""


class Bus(Protocol):
    """At most once, in order per publisher and topic."""

    async def publish(self, topic: str, message: bytes) -> None: ...

    async def subscribe(self, topic: str, handler: Handler) -> None:
        """``handler`` gets every message of the topic from now on; one handler per topic."""
        ...

    async def unsubscribe(self, topic: str) -> None:
        """Unknown topics are ignored."""
        ...


class LocalBus:
    """The bus of a single notifier: a publication is a call."""

    def __init__(self) -> None:
        self._handlers: dict[str, Handler] = {}

    @property
    def topics(self) -> frozenset[str]:
        return frozenset(self._handlers)

    async def publish(self, topic: str, message: bytes) -> None:
        handler = self._handlers.get(topic)
        if handler is not None:
            handler(topic, message)

    async def subscribe(self, topic: str, handler: Handler) -> None:
        self._handlers[topic] = handler

    async def unsubscribe(self, topic: str) -> None:
        self._handlers.pop(topic, None)
