"""The service that the application server calls: the notifier."""

from __future__ import annotations

from urllib.parse import quote

from confero.clock import Clock
from confero.models import RoomPlacement
from confero.runtime.client import ServiceClient


class NotifierPeer:
    """The notifier's internal API."""

    def __init__(self, url: str, *, secret: bytes, clock: Clock) -> None:
        self._client = ServiceClient("appserver", "notifier", url, secret=secret, clock=clock)

    async def place(self, room: str, placement: RoomPlacement) -> None:
        """Make the room at its MCU and tell its sessions. Raises Refused or Unavailable."""
        await self._client.call("PUT", f"/internal/v1/rooms/{quote(room)}", body=placement)

    async def close(self) -> None:
        await self._client.close()
