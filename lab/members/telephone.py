"""What a telephone is to the lab, whoever wrote it: a line, a few things that its user does, and what he hears.

``Baresip`` and ``Linphone`` are such programs. Neither needs a sound card: what they say is a tone, what they hear is a file.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from confero.lab.signals.sources import RATE, Signal, from_pcm16, resample

Transport = Literal["udp", "tcp", "tls"]
Encryption = Literal["", "srtp", "srtp-mand", "srtp-mandf", "dtls_srtp"]
"""In the clear; keys in the SDP (RFC 4568) where the other side can, by RTP/SAVP, by RTP/SAVPF; DTLS (RFC 5763)."""
HOST = "127.0.0.1"
"""Telephones bind their media to no address: on loopback they come from this one."""
TONE_DBFS = -12.0
WAV_HEADER = 44
POLL_S = 0.02


@dataclass(frozen=True)
class Line:
    """How a telephone is set up."""

    transport: Transport = "udp"
    encryption: Encryption = ""
    codecs: str = "opus/48000/2,PCMU/8000/1"
    """Name, clock and channels of each, the dearest first."""
    outbound: str = ""
    """A proxy to pass, as a SIP URI."""
    registrar: str = ""
    """Where it registers, host or host:port; empty: nowhere."""
    password: str = ""
    answers: bool = True
    """By itself, as soon as it rings."""
    rtcp_mux: bool = True
    keep_alive: bool = False
    """Keeps its way to the registrar open by itself (RFC 5626), as a NAT may want it."""


class Place(Protocol):
    """Where a telephone stands: an address, and the network that it is of."""

    @property
    def host(self) -> str: ...
    def ports(self, count: int) -> int:
        """The first of some free ports in a row."""
        ...

    def command(self, *words: str) -> tuple[str, ...]:
        """What runs a program there."""
        ...

    async def connect(self, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """To a service there. Raises OSError."""
        ...


@dataclass(frozen=True)
class Here:
    """On one of this machine's addresses."""

    host: str = HOST

    def ports(self, count: int) -> int:
        return free_ports(self.host, count)

    def command(self, *words: str) -> tuple[str, ...]:
        return words

    async def connect(self, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(self.host, port)


class Telephone(Protocol):
    """A process with one line. ``start`` first, ``stop`` at the end (idempotent)."""

    user: str
    hertz: int
    """Of the tone that it says."""

    @property
    def recording(self) -> FileRecording: ...
    @property
    def registered(self) -> bool: ...
    @property
    def established(self) -> bool:
        """Whether a call has been answered, in this process's life."""
        ...

    @property
    def closed(self) -> list[str]:
        """Why calls of it have ended, one word or status for each."""
        ...

    @property
    def log(self) -> str: ...
    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    async def dial(self, uri: str) -> None: ...
    async def hang_up(self) -> None: ...
    async def hold(self) -> None: ...
    async def resume(self) -> None: ...


class FileRecording:
    """What a process writes into sound files while it runs: a ``Recording`` in all that tests ask of one.

    ``pattern``: the files' names; a call that moves to another codec may begin another file. ``rate``: in Hz, of a file
    whose head does not say it yet.
    """

    def __init__(self, folder: Path, pattern: str, rate: int = RATE) -> None:
        self._folder, self._pattern, self._rate = folder, pattern, rate
        self._from: dict[Path, int] = {}
        self.started_at: float | None = None

    @property
    def seconds(self) -> float:
        path = self._path()
        if path is None:
            return 0.0
        channels, rate = self._format(path)
        return max(0, path.stat().st_size - self._from.get(path, WAV_HEADER)) / (2 * channels * rate)

    def signal(self) -> Signal:
        path = self._path()
        return np.zeros(0) if path is None else self._read(path, self._from.get(path, WAV_HEADER))

    def last(self, seconds: float) -> Signal:
        """The end of all that was heard; a sample of silence before anything was."""
        path = self._path()
        if path is None:
            return np.zeros(1)
        channels, rate = self._format(path)
        size = int(seconds * rate) * 2 * channels
        whole = (path.stat().st_size - WAV_HEADER) // (2 * channels) * 2 * channels
        return self._read(path, WAV_HEADER + max(0, whole - size))

    def clear(self) -> None:
        path = self._path()
        if path is not None:
            self._from[path] = path.stat().st_size // 4 * 4
        self.started_at = time.monotonic()

    def _path(self) -> Path | None:
        """The newest call's."""
        found = [path for path in self._folder.glob(self._pattern) if path.stat().st_size > WAV_HEADER]
        return max(found, key=lambda path: path.stat().st_mtime_ns, default=None)

    def _read(self, path: Path, start: int) -> Signal:
        """One channel at 48 kHz, from that byte on."""
        channels, rate = self._format(path)
        with path.open("rb") as file:
            file.seek(start)
            data = file.read()
        pcm = np.frombuffer(data[: len(data) // (2 * channels) * 2 * channels], "<i2")[::channels]
        return resample(from_pcm16(pcm), rate, RATE)

    def _format(self, path: Path) -> tuple[int, int]:
        """Channels and rate of a WAV file that is still being written."""
        with path.open("rb") as file:
            head = file.read(WAV_HEADER)
        return max(1, int.from_bytes(head[22:24], "little")), int.from_bytes(head[24:28], "little") or self._rate


def free_ports(host: str, count: int) -> int:
    """The first of some ports in a row, free of TCP and UDP, below those that the kernel gives to others."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    while True:
        first = random.randrange(16_000, 20_000 - count)
        with contextlib.ExitStack() as held, contextlib.suppress(OSError):
            for port in range(first, first + count):
                held.enter_context(socket.socket(family)).bind((host, port))
                held.enter_context(socket.socket(family, socket.SOCK_DGRAM)).bind((host, port))
            return first
