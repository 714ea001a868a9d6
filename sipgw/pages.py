"""The pages of browsers, as far as calls are told to them: events for participants, through the notifier, in order."""

from __future__ import annotations

import asyncio

from confero.clock import Clock
from confero.errors import ConferoError
from confero.models import Publish
from confero.models.calls import CallEvent, IncomingCallEvent, RingStoppedEvent
from confero.runtime.client import ServiceClient
from confero.runtime.logging import get_logger

from .peers import CALLER

log = get_logger(__name__)

PageEvent = CallEvent | IncomingCallEvent | RingStoppedEvent
WAITING = 1024
"""Events that wait for the notifier; what comes beyond is lost. A ring is repeated, and the page of a call asks for its state."""
TIMEOUT_S = 2.0


class Pages:
    """``tell`` never waits; ``run`` it as a task."""

    def __init__(self, notifier_url: str, *, secret: bytes, clock: Clock) -> None:
        self._client = ServiceClient(CALLER, "notifier", notifier_url, secret=secret, clock=clock, timeout_s=TIMEOUT_S)
        self._queue: asyncio.Queue[Publish] = asyncio.Queue(WAITING)
        self.lost = 0

    def tell(self, room: str, participant: str, event: PageEvent) -> None:
        """For one participant, wherever its page is."""
        try:
            self._queue.put_nowait(Publish(room=room, participant=participant, events=[event]))
        except asyncio.QueueFull:
            self.lost += 1

    async def run(self) -> None:
        while True:
            message = await self._queue.get()
            try:
                await self._client.call("POST", "/internal/v1/publish", body=message)
            except ConferoError as error:
                self.lost += 1
                log.info("a page was not told", participant=message.participant, reason=str(error))

    async def close(self) -> None:
        await self._client.close()
