"""GStreamer as a telephone that speaks RTP over TCP: it frames and takes apart by itself (rtpstreampay, RFC 4571)."""

from __future__ import annotations

import asyncio
import shutil
import socket
from pathlib import Path

import numpy as np

from .rig import PHONE_RATE, tones

MOUTH = (
    "audiotestsrc is-live=true wave=sine volume=0.25 freq={hertz} samplesperbuffer=160"
    " ! audio/x-raw,rate=8000,channels=1 ! mulawenc ! rtppcmupay min-ptime=20000000 max-ptime=20000000"
    " ! rtpstreampay ! fdsink fd={fd}"
)
EAR = (
    "fdsrc fd={fd} ! application/x-rtp-stream,media=audio,clock-rate=8000,encoding-name=PCMU,payload=0"
    " ! rtpstreamdepay ! rtppcmudepay ! mulawdec ! audio/x-raw,format=S16LE"
    " ! filesink location={file} buffer-mode=unbuffered sync=false"
)


class GStreamer:
    """One process on a connection that is there already; made by ``start``, ``close`` it."""

    def __init__(self, process: asyncio.subprocess.Process, heard: Path) -> None:
        self._process = process
        self._heard = heard

    @classmethod
    async def start(cls, connection: socket.socket, hertz: float, folder: Path) -> GStreamer:
        program = shutil.which("gst-launch-1.0")
        assert program is not None, "gstreamer1.0-tools is not installed"
        connection.setblocking(True)
        heard = folder / "heard.pcm"
        values = {"fd": connection.fileno(), "hertz": hertz, "file": heard}
        words = f"{MOUTH} {EAR}".format(**values).split()
        process = await asyncio.create_subprocess_exec(
            program,
            "-q",
            *words,
            pass_fds=(connection.fileno(),),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=(folder / "log").open("wb"),
            stderr=asyncio.subprocess.STDOUT,
        )
        connection.close()  # it is the process's now
        return cls(process, heard)

    def levels(self, *hertz: float) -> list[float]:
        """Amplitudes of tones in the last second heard."""
        data = self._heard.read_bytes() if self._heard.exists() else b""
        pcm = np.frombuffer(data[: len(data) // 2 * 2], "<i2")[-PHONE_RATE:].astype(np.float64)
        return tones(pcm if pcm.size else np.zeros(1), PHONE_RATE, hertz)

    async def close(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
