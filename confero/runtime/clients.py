"""Clients of services of one kind, by the URL of each: kept as long as they are used."""

from __future__ import annotations

from collections import OrderedDict

from confero.clock import Clock
from confero.runtime.client import ServiceClient
from confero.runtime.tasks import TaskBag

KEPT = 64
"""To which connections are kept open; the one unused for longest is closed."""


class ServiceClients:
    """``close`` them all."""

    def __init__(self, caller: str, audience: str, *, secret: bytes, clock: Clock) -> None:
        """As ``ServiceClient``."""
        self._caller, self._audience = caller, audience
        self._secret, self._clock = secret, clock
        self._clients: OrderedDict[str, ServiceClient] = OrderedDict()
        self._closing = TaskBag()

    def at(self, url: str) -> ServiceClient:
        """Of the service there."""
        client = self._clients.get(url)
        if client is None:
            client = ServiceClient(self._caller, self._audience, url, secret=self._secret, clock=self._clock)
            self._clients[url] = client
            if len(self._clients) > KEPT:
                _, oldest = self._clients.popitem(last=False)
                self._closing.spawn(oldest.close(), name=f"close {self._audience} client")
        self._clients.move_to_end(url)
        return client

    async def close(self) -> None:
        await self._closing.close()
        for client in self._clients.values():
            await client.close()
        self._clients.clear()
