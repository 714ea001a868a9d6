"""A mixer as one would write it first: aiortc carries each member, NumPy adds them up every 20 ms, own voice taken out.

Offers come as JSON lines on standard input, answers go out the same way.
"""

from __future__ import annotations

import asyncio
import fractions
import json
import sys
from collections import deque
from typing import Any

import av
import numpy as np
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

from confero.lab.members.loopback import gather_loopback
from confero.runtime.tasks import TaskBag

FRAME = 960
FRAME_S = 0.02
WAITING = 3
"""Frames of a member that may wait to be mixed, and mixes that may wait to be sent; the oldest goes."""
Pcm = np.ndarray[Any, np.dtype[np.int16]]


class MixTrack(MediaStreamTrack):
    """What one member hears."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._mixes: asyncio.Queue[Pcm] = asyncio.Queue(WAITING)
        self._index = 0

    def put(self, pcm: Pcm) -> None:
        if self._mixes.full():
            self._mixes.get_nowait()
        self._mixes.put_nowait(pcm)

    async def recv(self) -> av.AudioFrame:
        pcm = await self._mixes.get()
        both = np.repeat(pcm, 2).reshape(1, -1)  # as aiortc encodes it: its own upmix would take 3 dB
        frame = av.AudioFrame.from_ndarray(both, format="s16", layout="stereo")
        frame.sample_rate, frame.time_base = 48_000, fractions.Fraction(1, 48_000)
        frame.pts = self._index * FRAME
        self._index += 1
        return frame


class Member:
    """A connection, what it said last, and its mix."""

    def __init__(self) -> None:
        self.peer = RTCPeerConnection()
        self.mix = MixTrack()
        self.said: deque[Pcm] = deque(maxlen=WAITING)

    async def listen(self, track: MediaStreamTrack) -> None:
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            if isinstance(frame, av.AudioFrame):  # aiortc decodes to interleaved stereo: the left side will do
                self.said.append(
                    np.asarray(frame.to_ndarray(), dtype=np.int16).reshape(-1)[:: len(frame.layout.channels)]
                )


class Bridge:
    """One room for all."""

    def __init__(self, rooms: int) -> None:
        self._rooms: list[list[Member]] = [[] for _ in range(rooms)]
        self._tasks = TaskBag()

    async def answer(self, room: int, sdp: str) -> str:
        member = Member()
        member.peer.addTrack(member.mix)
        member.peer.on("track", lambda track: self._tasks.spawn(member.listen(track), name="bench aiortc ear"))
        await member.peer.setRemoteDescription(RTCSessionDescription(sdp=sdp, type="offer"))
        await member.peer.setLocalDescription(await member.peer.createAnswer())
        self._rooms[room].append(member)
        return str(member.peer.localDescription.sdp)

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due += FRAME_S
            await asyncio.sleep(max(0.0, due - loop.time()))
            for members in self._rooms:
                self._tick(members)

    def _tick(self, members: list[Member]) -> None:
        silence = np.zeros(FRAME, dtype=np.int16)
        said = [member.said.popleft() if member.said else silence for member in members]
        total = np.sum([pcm.astype(np.int32) for pcm in said], axis=0) if said else silence
        for member, own in zip(members, said, strict=True):
            member.mix.put(np.clip(total - own, -32_768, 32_767).astype(np.int16))


async def serve(rooms: int) -> None:
    """Until standard input ends."""
    gather_loopback()
    bridge, tasks = Bridge(rooms), TaskBag()
    tasks.spawn(bridge.run(), name="bench aiortc mixer")
    reader = asyncio.StreamReader(limit=1 << 20)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        offer = json.loads(line)
        answer = await bridge.answer(offer["room"], offer["sdp"])
        sys.stdout.write(json.dumps({"sdp": answer}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
