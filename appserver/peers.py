"""The services that the application server calls: the notifier, and the SIP gateway."""

from __future__ import annotations

from urllib.parse import quote

from confero.clock import Clock
from confero.models import DigitsSend, Publish, RoomEndReason, RoomOrdersAt, RoomOrdersDone, RoomPlacement
from confero.models.calls import CallEnd, CallInfo, SipCallOut, SipRingAnswer
from confero.models.sip import SipMove
from confero.runtime.client import ServiceClient


class NotifierPeer:
    """The notifier's internal API."""

    def __init__(self, url: str, *, secret: bytes, clock: Clock) -> None:
        self._client = ServiceClient("appserver", "notifier", url, secret=secret, clock=clock)

    async def place(self, room: str, placement: RoomPlacement) -> None:
        """Make the room at its MCU and tell its sessions. Raises Refused or Unavailable."""
        await self._client.call("PUT", f"/internal/v1/rooms/{quote(room)}", body=placement)

    async def publish(self, message: Publish) -> None:
        """Send events to a room or to one participant. Raises Refused or Unavailable."""
        await self._client.call("POST", "/internal/v1/publish", body=message)

    async def order(self, room: str, orders: RoomOrdersAt) -> list[str]:
        """What is wanted of participants; who has a leg and is so. Raises Refused or Unavailable."""
        path = f"/internal/v1/rooms/{quote(room)}/participants"
        return (await self._client.call("PATCH", path, body=orders, reply=RoomOrdersDone, idempotent=True)).done

    async def send_away(self, room: str, participant: str, mcu_url: str, reason: RoomEndReason) -> None:
        """Close a participant's session and end their leg. Raises Refused or Unavailable."""
        path = f"/internal/v1/rooms/{quote(room)}/participants/{quote(participant)}"
        await self._client.call("DELETE", f"{path}?{_ending(mcu_url, reason)}", idempotent=True)

    async def end_room(self, room: str, mcu_url: str, reason: RoomEndReason) -> None:
        """Close everybody's session and end the room at its MCU. Raises Refused or Unavailable."""
        await self._client.call(
            "DELETE", f"/internal/v1/rooms/{quote(room)}?{_ending(mcu_url, reason)}", idempotent=True
        )

    async def close(self) -> None:
        await self._client.close()


def _ending(mcu_url: str, reason: RoomEndReason) -> str:
    return f"reason={reason}&mcu_url={quote(mcu_url, safe='')}"


class SipgwPeer:
    """The SIP gateway's control API. All raise Refused, Unavailable."""

    def __init__(self, url: str, *, secret: bytes, clock: Clock) -> None:
        self._client = ServiceClient("appserver", "sipgw", url, secret=secret, clock=clock)

    async def call_out(self, wish: SipCallOut) -> CallInfo:
        """Not repeated: a telephone rings once."""
        return await self._client.call("POST", "/v1/calls", body=wish, reply=CallInfo, timeout_s=10.0)

    async def call(self, call: str) -> CallInfo:
        return await self._client.call("GET", f"/v1/calls/{quote(call, safe='')}", reply=CallInfo)

    async def end(self, call: str, words: CallEnd) -> None:
        path = f"/v1/calls/{quote(call, safe='')}/end"
        await self._client.call("POST", path, body=words, idempotent=True)

    async def digits(self, call: str, digits: DigitsSend) -> None:
        await self._client.call("POST", f"/v1/calls/{quote(call, safe='')}/digits", body=digits)

    async def move(self, participant: str, move: SipMove) -> None:
        """A telephone into another room, by its name as a participant."""
        await self._client.call("PUT", f"/v1/calls/{quote(participant, safe='')}/place", body=move, idempotent=True)

    async def answer(self, call: str, answer: SipRingAnswer) -> None:
        """Said twice, it is said once."""
        path = f"/v1/calls/{quote(call, safe='')}/answer"
        await self._client.call("POST", path, body=answer, idempotent=True)

    async def close(self) -> None:
        await self._client.close()
