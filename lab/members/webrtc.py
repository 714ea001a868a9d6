"""A browser without a browser: joins by REST and WebSocket like the page does, its media made and heard by aiortc."""

from __future__ import annotations

import asyncio
import contextlib
import fractions
import itertools
import ssl
import time
from collections.abc import Callable
from typing import Any

import aiohttp
import av
import numpy as np
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCIceServer,
    RTCIceTransportPolicy,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError

from confero.errors import RemoteError, Unavailable
from confero.lab.signals.sources import RATE, Signal, from_pcm16, to_pcm16
from confero.models import IceServer, JoinReply
from confero.runtime.tasks import TaskBag

from .base import Recording

FRAME = 960
FRAME_S = FRAME / RATE
ANSWER_TIMEOUT_S = 10.0
HOLE_LIMIT = 10 * RATE
"""A larger jump of timestamps is a new stream, not a loss."""


class SpeakingTrack(MediaStreamTrack):
    """Says a signal over and over, one 20 ms frame each 20 ms."""

    kind = "audio"

    def __init__(self, said: Signal) -> None:
        super().__init__()
        self._pcm = to_pcm16(said[: said.size // FRAME * FRAME]).reshape(-1, FRAME)
        self._index = 0
        self.started_at: float | None = None

    async def recv(self) -> av.AudioFrame:
        if self.started_at is None:
            self.started_at = time.monotonic()
        due = self.started_at + self._index * FRAME_S
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        samples = self._pcm[self._index % len(self._pcm)]
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = RATE
        frame.pts = self._index * FRAME
        frame.time_base = fractions.Fraction(1, RATE)
        self._index += 1
        return frame


class WebRtcMember:
    """One participant over real ICE, DTLS-SRTP and Opus."""

    def __init__(
        self,
        name: str,
        said: Signal,
        *,
        page_url: str,
        room: str,
        tls: ssl.SSLContext | None = None,
        alter: Callable[[str], str] = str,
        relay: IceServer | None = None,
        origin: str = "",
        joined: JoinReply | None = None,
    ) -> None:
        """``alter``: what becomes of its offers on their way, for members that do not play by the rules.

        ``relay``: a TURN server of one URL, through which all its media goes; without one it speaks to the MCU itself.
        ``origin``: the page's, where ``page_url`` is only the address at which it answers. ``joined``: the reply to a join that
        somebody else has asked for; without one it asks itself.
        """
        self.name = name
        self.said = said
        self.heard = Recording()
        self.participant = ""
        self.leg = ""
        self.roster: dict[str, dict[str, Any]] = {}
        self.events: list[dict[str, Any]] = []
        self._url, self._room, self._tls = page_url.rstrip("/"), room, tls
        self._alter = alter
        self._relay = relay
        self._origin = origin or self._url
        self._joined = joined
        self._track = SpeakingTrack(said)
        self._peer: RTCPeerConnection | None = None
        self._http: aiohttp.ClientSession | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._ids = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._tasks = TaskBag()
        self._hearing = asyncio.Event()

    @property
    def said_at(self) -> float | None:
        """A frame is handed over when a microphone would have filled it: its first sample was said 20 ms before."""
        started = self._track.started_at
        return None if started is None else started - FRAME_S

    async def join(self) -> None:
        """REST join, WebSocket hello, offer and answer; returns when the first frame is heard (10 s)."""
        await self.enter()
        await self.negotiate()
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            await self._hearing.wait()

    async def enter(self) -> None:
        """REST join and WebSocket hello: in the room's sessions, without media so far."""
        headers = {"Origin": self._origin, "Host": self._origin.partition("//")[2]}
        connector = aiohttp.TCPConnector(ssl=self._tls or True)
        self._http = aiohttp.ClientSession(connector=connector, headers=headers)
        grant = self._joined or await self._ask_to_join()
        self._socket = await self._http.ws_connect(self._url + grant.events_path)
        await self._socket.send_json({"type": "hello", "token": grant.token})
        welcome = await self._socket.receive_json(timeout=ANSWER_TIMEOUT_S)
        if welcome.get("type") != "welcome":
            raise RemoteError(f"the notifier answered hello with {welcome.get('type')}")
        self.participant = welcome["participant"]
        self._tasks.spawn(self._listen(), name=f"lab-browser-{self.name}")

    async def request(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Sends one message and waits for its answer. Raises RemoteError for a problem, TimeoutError for silence."""
        if self._socket is None:
            raise Unavailable("the WebSocket is closed")
        number = next(self._ids)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        try:
            await self._socket.send_json({"type": kind, "id": number, **fields})
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                reply: dict[str, Any] = await answer
        finally:
            del self._answers[number]
        if reply["type"] == "error":
            problem = reply["problem"]
            code = problem["type"].rpartition(":")[2]
            raise RemoteError(problem.get("detail") or problem["title"], status=problem["status"], code=code)
        return reply

    async def mute(self, muted: bool) -> None:
        await self.request("mute", muted=muted)

    async def leave(self) -> None:
        """Idempotent: says goodbye if it can, then closes everything."""
        if self._socket is not None and not self._socket.closed:
            # leaving needs nobody's consent
            with contextlib.suppress(RemoteError, Unavailable, TimeoutError, ConnectionError):
                await self.request("leave")
            await self._socket.close()
        self._socket = None
        await self._tasks.close()
        if self._peer is not None:
            await self._peer.close()
            self._peer = None
        if self._http is not None:
            await self._http.close()
            self._http = None

    async def _ask_to_join(self) -> JoinReply:
        assert self._http is not None
        url = f"{self._url}/api/v1/rooms/{self._room}/join"
        async with self._http.post(url, json={"display_name": self.name}) as response:
            body = await response.json(content_type=None)
            if response.status != 200:
                raise RemoteError(body.get("detail") or body.get("title", ""), status=response.status)
            return JoinReply.model_validate(body)

    async def negotiate(self) -> None:
        """Offer and answer; media follows by itself. Raises RemoteError for a refused offer."""
        peer = self._peer = RTCPeerConnection(_configuration(self._relay))
        peer.addTrack(self._track)
        peer.on("track", lambda track: self._tasks.spawn(self._hear(track), name=f"lab-ear-{self.name}"))
        await peer.setLocalDescription(await peer.createOffer())
        reply = await self.request("offer", sdp=self._alter(peer.localDescription.sdp))
        self.leg = reply["leg"]
        await peer.setRemoteDescription(RTCSessionDescription(sdp=reply["sdp"], type="answer"))

    async def _hear(self, track: MediaStreamTrack) -> None:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
        due: int | None = None
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            now = time.monotonic()
            if not isinstance(frame, av.AudioFrame):
                continue
            # what the receiver has dropped leaves a hole of its length, so that the recording keeps its time
            missing = 0 if due is None or frame.pts is None else frame.pts - due
            if 0 < missing < HOLE_LIMIT:
                self.heard.add(np.zeros(missing), now)
            due = (frame.pts or 0) + frame.samples
            for part in resampler.resample(frame):
                self.heard.add(from_pcm16(np.asarray(part.to_ndarray(), dtype=np.int16).reshape(-1)), now)
            self._hearing.set()

    async def _listen(self) -> None:
        assert self._socket is not None
        async for message in self._socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                return
            event = message.json()
            waiting = self._answers.get(event.get("id", -1))
            if waiting is not None and not waiting.done():
                waiting.set_result(event)
            else:
                self._note(event)

    def _note(self, event: dict[str, Any]) -> None:
        self.events = [*self.events[-199:], event]
        if event["type"] == "roster":
            self.roster = {p["id"]: p for p in event["participants"]}
        elif event["type"] == "participant":
            self.roster[event["participant"]["id"]] = event["participant"]
        elif event["type"] == "left":
            self.roster.pop(event["participant"], None)


def _configuration(relay: IceServer | None) -> RTCConfiguration:
    """No server, as the MCU is its own; or nothing but one TURN server."""
    if relay is None:
        return RTCConfiguration(iceServers=[])
    server = RTCIceServer(urls=relay.urls, username=relay.username, credential=relay.credential)
    return RTCConfiguration(iceServers=[server], iceTransportPolicy=RTCIceTransportPolicy.RELAY)
