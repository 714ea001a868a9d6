"""The two services that an MCU calls, as the rest of it sees them."""

from __future__ import annotations

from confero import models
from confero.runtime.client import ServiceClient

REGISTER_TIMEOUT_S = 2.0
"""Less than the 4 s of silence after which an MCU counts as lost: heartbeats wait for it."""


class NotifierPeer:
    """The notification server's internal API. All raise Refused, Unavailable."""

    def __init__(self, client: ServiceClient) -> None:
        self._client = client

    async def publish(self, publish: models.Publish) -> None:
        # Said twice, the same roster is the same roster.
        await self._client.call("POST", "/internal/v1/publish", body=publish, idempotent=True)

    async def started(self, mcu: str, started: models.McuStarted) -> None:
        await self._client.call("POST", f"/internal/v1/mcus/{mcu}/started", body=started, idempotent=True)

    async def close(self) -> None:
        await self._client.close()


class AppServerPeer:
    """The application server's internal API. All raise Refused, Unavailable."""

    def __init__(self, client: ServiceClient) -> None:
        self._client = client

    async def register(self, register: models.McuRegister) -> None:
        await self._client.call(
            "POST", "/internal/v1/mcus", body=register, idempotent=True, timeout_s=REGISTER_TIMEOUT_S
        )

    async def heartbeat(self, mcu: str, heartbeat: models.McuHeartbeat) -> None:
        await self._client.call("PUT", f"/internal/v1/mcus/{mcu}/heartbeat", body=heartbeat)

    async def record(self, records: models.LegRecords) -> None:
        await self._client.call("POST", "/internal/v1/records", body=records)

    async def close(self) -> None:
        await self._client.close()
