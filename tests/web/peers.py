"""The media server of the tests: aiortc, or a page of the same browser where ICE restarts are to succeed."""

from __future__ import annotations

import asyncio
from fractions import Fraction
from typing import Protocol

import numpy as np
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame
from playwright.async_api import Page

from confero.runtime.tasks import spawn

from .relay import LOOPBACK, Relay

RATE = 48_000
FRAME = 960
SAID_HZ = 440
"""What the browser's microphone hears."""
PLAYED_HZ = 660
"""What the media server sends."""


LOOPBACK_FLAG = "--allow-loopback-in-peer-connection"


class Peer(Protocol):
    """The far end of one browser's media."""

    relay: Relay

    async def answer(self, offer: str) -> str: ...

    async def close(self) -> None: ...


class Tone(MediaStreamTrack):
    """20 ms frames of a tone at their pace."""

    kind = "audio"

    def __init__(self, hz: float) -> None:
        super().__init__()
        self._hz = hz
        self._sent = 0
        self._start: float | None = None

    async def recv(self) -> AudioFrame:
        loop = asyncio.get_running_loop()
        self._start = self._start or loop.time()
        await asyncio.sleep(max(0.0, self._start + self._sent / RATE - loop.time()))
        time = (np.arange(FRAME) + self._sent) / RATE
        samples = (8000 * np.sin(2 * np.pi * self._hz * time)).astype(np.int16)
        frame = AudioFrame.from_ndarray(samples[None, :], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, self._sent, Fraction(1, RATE)
        self._sent += FRAME
        return frame


class AiortcPeer:
    """Answers offers without candidates, as an ICE-lite server would; ``heard`` is the last second of what came."""

    def __init__(self, relay: Relay) -> None:
        self.relay = relay
        self.heard = np.zeros(RATE, dtype=np.float64)
        self.connected = asyncio.Event()
        self._pc = RTCPeerConnection()
        self._pc.addTrack(Tone(PLAYED_HZ))
        self._pc.on("track", lambda track: spawn(self._listen(track), name="web-test-listen"))
        self._pc.on("connectionstatechange", self._changed)

    async def answer(self, offer: str) -> str:
        # aioice gives up when it knows no candidate to try; the browser's checks bring the real one.
        dummy = f"a=candidate:0 1 udp 1 {LOOPBACK} 9 typ host\r\n"
        await self._pc.setRemoteDescription(RTCSessionDescription(sdp=offer + dummy, type="offer"))
        await self._pc.setLocalDescription(await self._pc.createAnswer())
        return self.relay.put_before(self._pc.localDescription.sdp)

    @property
    def state(self) -> str:
        """As the far end sees the connection."""
        return self._pc.connectionState

    def _changed(self) -> None:
        if self._pc.connectionState == "connected":
            self.connected.set()

    async def _listen(self, track: MediaStreamTrack) -> None:
        try:
            while True:
                frame = await track.recv()
                assert isinstance(frame, AudioFrame)
                samples = frame.to_ndarray().reshape(-1, frame.layout.nb_channels)[:, 0] / 32768
                self.heard = np.concatenate((self.heard[len(samples) :], samples))
        except MediaStreamError:
            return

    def loudest_hz(self) -> float:
        """The strongest frequency of the last second; 0 if it was silent."""
        spectrum = np.abs(np.fft.rfft(self.heard * np.hanning(len(self.heard))))
        return float(np.argmax(spectrum)) if spectrum.max() > 10 else 0.0

    async def close(self) -> None:
        await self._pc.close()
        self.relay.close()


class PagePeer:
    """A peer connection in a page of another Chromium, one with ``LOOPBACK_FLAG``: slower, but it takes ICE restarts."""

    def __init__(self, relay: Relay, page: Page) -> None:
        self.relay = relay
        self._page = page

    async def answer(self, offer: str) -> str:
        script = """async (sdp) => {
            if (!window.peer) {
                window.peer = new RTCPeerConnection();
                const context = new AudioContext();
                const out = context.createMediaStreamDestination();
                const tone = new OscillatorNode(context, { frequency: 660 });
                tone.connect(out);
                tone.start();
                window.peer.addTrack(out.stream.getAudioTracks()[0], out.stream);
            }
            await window.peer.setRemoteDescription({ type: "offer", sdp });
            await window.peer.setLocalDescription();
            const found = () => /^a=candidate:.* 127\\.0\\.0\\.1 /m.test(window.peer.localDescription.sdp);
            while (!found()) await new Promise((done) => setTimeout(done, 20));
            return window.peer.localDescription.sdp;
        }"""
        return self.relay.put_before(str(await self._page.evaluate(script, offer)))

    async def close(self) -> None:
        if not self._page.is_closed():
            await self._page.evaluate("() => window.peer?.close()")
        self.relay.close()
