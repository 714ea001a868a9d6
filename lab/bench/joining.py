"""How the generator's members get in: a thin front joins each through the services, and tells it where to send.

Browser legs go the way of a browser: REST join, WebSocket ``hello``, offer, answer. The generator has the keys: the offer
carries its fingerprint. Plain RTP legs are asked of the MCU, as a gateway does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import aiohttp

from confero.errors import RemoteError
from confero.lab.stack import Stack
from confero.models import JoinReply, LegReply, RoomSpec, RtpLegCreate
from confero.runtime.client import ServiceClient
from confero.runtime.tasks import TaskBag

from .case import Case
from .generator import Generator

AT_ONCE = 24
"""Joins under way: enough to keep the services busy, few enough that none times out."""
PASSWORD = "benchmarkMembersPassword"  # also in native/bench/load/peers.c
LEVEL_ID = 1
LEVEL_URI = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
RTPMAPS = {
    "opus": (111, "opus/48000/2", "a=fmtp:111 minptime=10;useinbandfec=0{dtx}"),
    "pcmu": (0, "PCMU/8000", "a=ptime:20"),
}
REPLY_S = 60.0
RETRIES, RETRY_S = 10, 1.0
ROOM_MAX = 8000
"""What ``RoomCreate.max_participants`` takes."""


def offer_of(case: Case, member: int, port: int, fingerprint: str) -> str:
    """What the member offers; ``m%05d`` is also its name in native/bench/load/peers.c.

    Members want DTX where somebody always talks to them: so a room in which all are still joining costs no packets.
    """
    pt, rtpmap, fmtp = RTPMAPS[case.codec]
    fmtp = fmtp.format(dtx=";usedtx=1" if case.talking > 1 else "")
    kind = "UDP/TLS/RTP/SAVPF" if case.secure else "RTP/AVP"
    lines = [
        *("v=0", f"o=- {member + 1} 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0"),
        *(f"m=audio {port} {kind} {pt}", f"a=rtpmap:{pt} {rtpmap}", fmtp, "a=rtcp-mux", "a=sendrecv"),
        f"a=extmap:{LEVEL_ID} {LEVEL_URI}",
    ]
    if case.secure:
        lines += [
            *("a=mid:0", f"a=ice-ufrag:m{member:05d}", f"a=ice-pwd:{PASSWORD}"),
            f"a=candidate:1 1 udp 2130706431 127.0.0.1 {port} typ host",
            *(f"a=fingerprint:sha-256 {fingerprint}", "a=setup:active"),
        ]
    return "\r\n".join([*lines, ""])


def target_of(answer: str) -> str:
    """Where the answer wants packets, as the generator takes it. Raises RemoteError for an answer without audio."""
    found = {"ufrag": "-", "pwd": "-", "fingerprint": "-", "ext": "0"}
    prefixes = {"a=ice-ufrag:": "ufrag", "a=ice-pwd:": "pwd", "a=fingerprint:sha-256 ": "fingerprint"}
    for line in answer.splitlines():
        for prefix, name in prefixes.items():
            if line.startswith(prefix):
                found[name] = line.removeprefix(prefix)
        if line.startswith("c=IN IP4 "):
            found["host"] = line.split()[2]
        elif line.startswith("m=audio "):
            _, found["port"], _, found["pt"], *_ = line.split()
        elif line.startswith("a=extmap:") and LEVEL_URI in line:
            found["ext"] = line.removeprefix("a=extmap:").split()[0].partition("/")[0]
    if not {"host", "port", "pt"} <= found.keys() or found["port"] == "0":
        raise RemoteError("the answer names no address and port for audio")
    return "{host} {port} {ufrag} {pwd} {fingerprint} {pt} {ext}".format(**found)


@dataclass
class Front:
    """Joins members one by one, and keeps their sessions as far as the case wants it; ``close`` it."""

    stack: Stack
    case: Case
    generator: Generator
    progress: Callable[[int], None]

    def __post_init__(self) -> None:
        self._tasks = TaskBag(limit=20_000)
        self._rooms: list[str] = []
        self._joined = 0
        tcp = aiohttp.TCPConnector(ssl=self.stack.tls(), limit=0)
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=REPLY_S, sock_read=None)
        self._http = aiohttp.ClientSession(connector=tcp, timeout=timeout)
        self._mcu: ServiceClient = self.stack.client("mcu")
        self.closed_sessions = 0

    async def join_all(self) -> None:
        """Returns when every member can talk. Raises what the first failure was."""
        await self._make_rooms()
        members = iter(range(self.case.members))
        await asyncio.gather(*(self._tasks.spawn(self._join_from(members), name="bench join") for _ in range(AT_ONCE)))

    async def close(self) -> None:
        await self._tasks.close()
        await self._http.close()
        await self._mcu.close()

    async def _make_rooms(self) -> None:
        for number in range(self.case.rooms):
            room = f"bench-{number}"
            if self.case.secure:
                body = {"name": room, "max_participants": ROOM_MAX, "talkers": self.case.mixed, **self.case.room}
                async with self._http.post(f"{self.stack.page_url}/api/v1/rooms", json=body) as response:
                    room = (await _good(response, 201))["id"]
            else:
                spec = RoomSpec(name=room, max_participants=ROOM_MAX, talkers=self.case.mixed)
                await self._mcu.call("PUT", f"/v1/rooms/{room}", body=spec)
            self._rooms.append(room)

    async def _join_from(self, members: Iterator[int]) -> None:
        for member in members:
            await (self._join_browser(member) if self.case.secure else self._join_phone(member))
            self._joined += 1
            self.progress(self._joined)

    async def _join_phone(self, member: int) -> None:
        sdp = offer_of(self.case, member, self.generator.ports[member], "")
        body = RtpLegCreate(
            kind="rtp", participant=f"phone-{member}", display_name=f"Phone {member}", sdp=sdp, media_timeout_s=0
        )
        room = self._rooms[member // self.case.room_size]
        reply = await self._mcu.call("POST", f"/v1/rooms/{room}/legs", body=body, reply=LegReply)
        assert reply is not None
        await self.generator.join(member, target_of(reply.sdp))

    async def _join_browser(self, member: int) -> None:
        room = self._rooms[member // self.case.room_size]
        grant = await self._grant(f"{self.stack.page_url}/api/v1/rooms/{room}/join", f"Member {member}")
        notifier = self.stack.url("notifier")
        socket = await self._http.ws_connect(f"{notifier}/events", origin=notifier, max_msg_size=0, compress=0)
        await socket.send_json({"type": "hello", "token": grant.token})
        await _until(socket, "welcome")
        sdp = offer_of(self.case, member, self.generator.ports[member], self.generator.fingerprint)
        answer = await _negotiated(socket, sdp)
        reading = self._tasks.spawn(self._read(socket), name=f"bench session {member}")
        await self.generator.join(member, target_of(answer["sdp"]))
        if not self.case.keeps_sessions:
            reading.cancel()
            await socket.close()

    async def _grant(self, url: str, name: str) -> JoinReply:
        """A place in the room. Where the services are too busy to answer for one another it is asked for again, as pages do."""
        for _ in range(RETRIES):
            async with self._http.post(url, json={"display_name": name}) as response:
                if response.status != 503:
                    return JoinReply.model_validate(await _good(response, 200))
            await asyncio.sleep(RETRY_S)
        raise RemoteError(f"{name} got no place after {RETRIES} tries")

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Takes what a session is told, as every page does, and throws it away."""
        async for _ in socket:
            pass
        self.closed_sessions += 1


async def _negotiated(socket: aiohttp.ClientWebSocketResponse, sdp: str) -> dict[str, Any]:
    """The answer; an offer is sent again where the MCU was too busy for it."""
    for number in range(RETRIES):
        await socket.send_json({"type": "offer", "id": number, "sdp": sdp})
        try:
            return await _until(socket, "answer")
        except RemoteError as error:
            if error.status != 503:
                raise
        await asyncio.sleep(RETRY_S)
    raise RemoteError(f"no answer to {RETRIES} offers")


async def _until(socket: aiohttp.ClientWebSocketResponse, kind: str) -> dict[str, Any]:
    """The next message of a kind. Raises RemoteError for an error, or the end."""
    async with asyncio.timeout(REPLY_S):
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.TEXT or not _is(message.data, kind):
                continue
            event: dict[str, Any] = message.json()
            if event["type"] == "error":
                problem = event["problem"]
                raise RemoteError(problem.get("detail") or problem["title"], status=problem["status"])
            return event
    raise RemoteError(f"the notifier closed a session (code {socket.close_code}) instead of {kind}")


def _is(text: str, kind: str) -> bool:
    """A look at the beginning: most of what comes during a mass join is for others, and long."""
    return f'"type":"{kind}"' in text[:100] or '"type":"error"' in text[:100]


async def _good(response: aiohttp.ClientResponse, status: int) -> dict[str, Any]:
    body: dict[str, Any] = await response.json(content_type=None)
    if response.status != status:
        raise RemoteError(body.get("detail") or body.get("title", ""), status=response.status)
    return body
