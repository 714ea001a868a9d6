"""The services that the notifier calls: the application server, and MCUs by their URL."""

from __future__ import annotations

from urllib.parse import quote

from pydantic import TypeAdapter

from confero.clock import Clock
from confero.models import (
    LegPatch,
    LegReply,
    LegSdp,
    Participant,
    RoomOrders,
    RoomOrdersDone,
    RoomSpec,
    RoomState,
    SessionNotices,
    SessionsSnapshot,
    TokenCheck,
    TokenGrant,
    UserGrant,
    WebRtcLegCreate,
)
from confero.runtime.client import ServiceClient
from confero.runtime.clients import ServiceClients

CALLER = "notifier"
GRANT = TypeAdapter[TokenGrant | UserGrant](TokenGrant | UserGrant)
ROSTER_S = 2.0
"""Seconds: a welcome does not wait longer for the roster."""


class AppServerPeer:
    """The application server's internal API."""

    def __init__(self, url: str, *, secret: bytes, clock: Clock) -> None:
        self._client = ServiceClient(CALLER, "appserver", url, secret=secret, clock=clock)

    async def validate(self, token: str) -> TokenGrant | UserGrant:
        """What the token allows. Raises Refused or Unavailable."""
        return await self._client.call(
            "POST", "/internal/v1/tokens/validate", body=TokenCheck(token=token), reply=GRANT, idempotent=True
        )

    async def notices(self, notices: SessionNotices) -> None:
        await self._client.call("POST", "/internal/v1/sessions", body=notices)

    async def snapshot(self, snapshot: SessionsSnapshot) -> None:
        await self._client.call("PUT", "/internal/v1/sessions", body=snapshot)

    async def close(self) -> None:
        await self._client.close()


class McuPeers:
    """Every MCU's control API; ``url`` says which one."""

    def __init__(self, *, secret: bytes, clock: Clock) -> None:
        self._clients = ServiceClients(CALLER, "mcu", secret=secret, clock=clock)

    async def roster(self, url: str, room: str) -> list[Participant]:
        state = await self._clients.at(url).call("GET", f"/v1/rooms/{quote(room)}", reply=RoomState, timeout_s=ROSTER_S)
        return state.participants

    async def ensure_room(self, url: str, room: str, spec: RoomSpec) -> RoomState:
        return await self._clients.at(url).call("PUT", f"/v1/rooms/{quote(room)}", body=spec, reply=RoomState)

    async def create_leg(self, url: str, room: str, body: WebRtcLegCreate) -> LegReply:
        return await self._clients.at(url).call("POST", f"/v1/rooms/{quote(room)}/legs", body=body, reply=LegReply)

    async def reoffer(self, url: str, leg: str, sdp: str) -> LegReply:
        return await self._clients.at(url).call(
            "PUT", f"/v1/legs/{quote(leg)}/offer", body=LegSdp(sdp=sdp), reply=LegReply
        )

    async def leg(self, url: str, leg: str) -> Participant:
        return await self._clients.at(url).call("GET", f"/v1/legs/{quote(leg)}", reply=Participant, timeout_s=ROSTER_S)

    async def patch_leg(self, url: str, leg: str, patch: LegPatch) -> Participant:
        return await self._clients.at(url).call("PATCH", f"/v1/legs/{quote(leg)}", body=patch, reply=Participant)

    async def order(self, url: str, room: str, orders: RoomOrders) -> RoomOrdersDone:
        path = f"/v1/rooms/{quote(room)}/participants"
        return await self._clients.at(url).call("PATCH", path, body=orders, reply=RoomOrdersDone)

    async def remove(self, url: str, room: str, participant: str, reason: str) -> None:
        """Ends the participant's leg, whichever it is."""
        path = f"/v1/rooms/{quote(room)}/participants/{quote(participant)}?reason={quote(reason)}"
        await self._clients.at(url).call("DELETE", path)

    async def end_room(self, url: str, room: str, reason: str) -> None:
        await self._clients.at(url).call("DELETE", f"/v1/rooms/{quote(room)}?reason={quote(reason)}")

    async def delete_leg(self, url: str, leg: str, reason: str) -> None:
        await self._clients.at(url).call("DELETE", f"/v1/legs/{quote(leg)}?reason={quote(reason)}")

    async def close(self) -> None:
        await self._clients.close()
