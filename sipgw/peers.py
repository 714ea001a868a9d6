"""The services that the gateway calls: the application server's dial plan, and MCUs by their URL."""

from __future__ import annotations

from urllib.parse import quote

from confero.clock import Clock
from confero.errors import Refused
from confero.models import (
    CollectRequest,
    DigitsSend,
    LegPatch,
    LegReply,
    LegSdp,
    LegStats,
    OwnerDigits,
    OwnerLegs,
    Participant,
    Playing,
    PlayRequest,
    RoomSpec,
    RoomState,
    RtpLegCreate,
)
from confero.models.sip import (
    SipCallRecords,
    SipConfigReply,
    SipCredentials,
    SipCredentialsAsk,
    SipDecision,
    SipGivenUp,
    SipHand,
    SipHandReply,
    SipPinAsk,
    SipPinReply,
    SipPlace,
    SipPlaceAsk,
    SipRouteAsk,
)
from confero.runtime.client import ServiceClient
from confero.runtime.clients import ServiceClients

CALLER = "sipgw"
MAX_REPLY = 8 << 20
"""Bytes; 10,000 accounts are some 2 MB."""
PREFIX = "/internal/v1/sip"


class AppServerPeer:
    """The application server's internal API. All raise Refused, Unavailable."""

    def __init__(self, url: str, *, secret: bytes, clock: Clock) -> None:
        self._client = ServiceClient(CALLER, "appserver", url, secret=secret, clock=clock, max_reply=MAX_REPLY)

    async def config(self, version: int, wait_s: float) -> SipConfigReply:
        """Trunks and accounts; waits for another version for up to ``wait_s`` seconds."""
        return await self._client.call(
            "GET", f"{PREFIX}/config?version={version}&wait_s={wait_s}", reply=SipConfigReply, timeout_s=wait_s + 5
        )

    async def credentials(self, ask: SipCredentialsAsk) -> SipCredentials:
        return await self._client.call("POST", f"{PREFIX}/credentials", body=ask, reply=SipCredentials, idempotent=True)

    async def route(self, ask: SipRouteAsk) -> SipDecision:
        """What is to become of a call. The same call asked for again counts once."""
        return await self._client.call("POST", f"{PREFIX}/route", body=ask, reply=SipDecision, idempotent=True)

    async def pin(self, ask: SipPinAsk) -> SipPinReply:
        return await self._client.call("POST", f"{PREFIX}/pin", body=ask, reply=SipPinReply)

    async def place(self, ask: SipPlaceAsk) -> SipPlace:
        return await self._client.call("POST", f"{PREFIX}/places", body=ask, reply=SipPlace)

    async def given_up(self, told: SipGivenUp) -> None:
        await self._client.call("POST", f"{PREFIX}/places/given-up", body=told, idempotent=True)

    async def hand(self, hand: SipHand) -> SipHandReply:
        return await self._client.call("POST", f"{PREFIX}/hands", body=hand, reply=SipHandReply)

    async def record(self, records: SipCallRecords) -> None:
        await self._client.call("POST", f"{PREFIX}/calls", body=records, idempotent=True)

    async def close(self) -> None:
        await self._client.close()


class McuPeer:
    """One MCU's control API, as far as telephones need it. All raise Refused, Unavailable."""

    def __init__(self, client: ServiceClient) -> None:
        self._client = client

    async def ensure_room(self, room: str, spec: RoomSpec) -> RoomState:
        return await self._client.call("PUT", f"/v1/rooms/{quote(room)}", body=spec, reply=RoomState)

    async def remove_room(self, room: str) -> None:
        await self._client.call("DELETE", f"/v1/rooms/{quote(room)}")

    async def open_leg(self, room: str, spec: RoomSpec, body: RtpLegCreate) -> LegReply:
        """A leg in a room that is made if it is not there: mostly it is, so that is not asked first."""
        try:
            return await self.create_leg(room, body)
        except Refused as error:
            if error.code != "room-unknown":
                raise
        await self.ensure_room(room, spec)
        return await self.create_leg(room, body)

    async def create_leg(self, room: str, body: RtpLegCreate) -> LegReply:
        return await self._client.call("POST", f"/v1/rooms/{quote(room)}/legs", body=body, reply=LegReply)

    async def answer_offer(self, leg: str, sdp: str) -> LegReply:
        """The peer's offer; the reply has our answer. Another leg may take this one's place: the reply names it."""
        return await self._client.call("PUT", f"/v1/legs/{quote(leg)}/offer", body=LegSdp(sdp=sdp), reply=LegReply)

    async def ask(self, leg: str) -> LegReply:
        """An offer of ours."""
        return await self._client.call("POST", f"/v1/legs/{quote(leg)}/offer", reply=LegReply)

    async def withdraw(self, leg: str) -> None:
        """Our offer was not taken."""
        await self._client.call("DELETE", f"/v1/legs/{quote(leg)}/offer")

    async def take_answer(self, leg: str, sdp: str) -> None:
        await self._client.call("PUT", f"/v1/legs/{quote(leg)}/answer", body=LegSdp(sdp=sdp))

    async def leg(self, leg: str) -> Participant:
        return await self._client.call("GET", f"/v1/legs/{quote(leg)}", reply=Participant)

    async def patch(self, leg: str, patch: LegPatch) -> Participant:
        return await self._client.call("PATCH", f"/v1/legs/{quote(leg)}", body=patch, reply=Participant)

    async def delete_leg(self, leg: str, reason: str) -> LegStats:
        """Its last counters."""
        return await self._client.call("DELETE", f"/v1/legs/{quote(leg)}?reason={quote(reason)}", reply=LegStats)

    async def play(self, leg: str, request: PlayRequest) -> Playing:
        return await self._client.call("POST", f"/v1/legs/{quote(leg)}/play", body=request, reply=Playing)

    async def stop(self, leg: str, playing: int) -> None:
        await self._client.call("DELETE", f"/v1/legs/{quote(leg)}/play/{playing}")

    async def collect(self, leg: str) -> None:
        await self._client.call("POST", f"/v1/legs/{quote(leg)}/collect", body=CollectRequest())

    async def digits(self, owner: str, after: int, wait_s: float) -> OwnerDigits:
        """Of all legs of ``owner``; waits for one for up to ``wait_s`` seconds."""
        path = f"/v1/owners/{quote(owner)}/digits?after={after}&wait_s={wait_s}"
        return await self._client.call("GET", path, reply=OwnerDigits, timeout_s=wait_s + 5)

    async def send_digits(self, leg: str, digits: DigitsSend) -> None:
        await self._client.call("POST", f"/v1/legs/{quote(leg)}/digits", body=digits)

    async def renew(self, owner: str) -> OwnerLegs:
        """The owner is there; the legs that it has."""
        return await self._client.call("PUT", f"/v1/owners/{quote(owner)}", reply=OwnerLegs, timeout_s=2.0)


class McuPeers:
    """MCUs by their URL."""

    def __init__(self, *, secret: bytes, clock: Clock) -> None:
        self._clients = ServiceClients(CALLER, "mcu", secret=secret, clock=clock)

    def at(self, url: str) -> McuPeer:
        return McuPeer(self._clients.at(url))

    async def close(self) -> None:
        await self._clients.close()
