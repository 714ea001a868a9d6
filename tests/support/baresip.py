"""baresip as somebody's telephone: it says a tone, calls or waits to be called, and what it hears is on its disk."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import shutil
import socket
from pathlib import Path
from typing import Any

import numpy as np

from confero.lab.signals.sources import Signal
from confero.runtime.tasks import spawn

RATE = 48_000
CONFIG = """\
poll_method epoll
sip_listen 127.0.0.1:{port}
call_max_calls 2
audio_player aubridge,nobody
audio_source ausine,{hertz}
audio_alert aubridge,nobody
ausrc_srate 48000
auplay_srate 48000
rtp_ports 9000-9999
rtcp_mux yes
net_interface 127.0.0.1
module_path {modules}
{lines}
snd_path {home}
ctrl_tcp_listen 127.0.0.1:{control}
"""
MODULES = ("opus", "g711", "ausine", "aubridge", "sndfile", "srtp", "account", "menu", "ctrl_tcp")
PATHS = ("/usr/lib/baresip/modules", "/usr/lib/x86_64-linux-gnu/baresip/modules")
START_S = 10.0


class Baresip:
    """One process; ``async with Baresip(...) as phone``. At 127.0.0.1: its sound leaves from there, whatever it is told."""

    def __init__(self, home: Path, *, hertz: int, user: str = "phone", answers: bool = True, account: str = "") -> None:
        """``account``: its address with parameters, for one that registers."""
        self.home, self.user = home, user
        port = free_ports(3)  # TLS is on the second
        self._control = port + 2
        self.uri = f"sip:{user}@127.0.0.1:{port}"
        self.events: list[dict[str, Any]] = []
        home.mkdir(parents=True, exist_ok=True)
        modules = next(path for path in PATHS if Path(path).is_dir())
        lines = "\n".join(f"module {name}.so" for name in MODULES)
        (home / "config").write_text(
            CONFIG.format(port=port, control=self._control, hertz=hertz, modules=modules, lines=lines, home=home)
        )
        mode = "auto" if answers else "manual"
        account = account or f"<sip:{user}@127.0.0.1>;regint=0"
        (home / "accounts").write_text(f"{account};answermode={mode}\n")

    async def __aenter__(self) -> Baresip:
        command = shutil.which("baresip")
        assert command is not None, "baresip is missing (Debian: baresip-core)"
        self._process = await asyncio.create_subprocess_exec(
            command, "-s", "-f", str(self.home),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=(self.home / "log").open("wb"),
            stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        try:
            async with asyncio.timeout(START_S):
                self._reader, self._writer = await self._connect()
        except TimeoutError:
            self._process.terminate()
            raise
        self._reading = spawn(self._read(), name="baresip events")
        return self

    async def __aexit__(self, *error: object) -> None:
        self._writer.close()
        self._reading.cancel()
        if self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while True:
            try:
                return await asyncio.open_connection("127.0.0.1", self._control)
            except OSError:
                await asyncio.sleep(0.05)

    async def do(self, command: str, params: str = "") -> None:
        """One of its commands, such as ``dial`` or ``hangup``."""
        body = json.dumps({"command": command, "params": params}).encode()
        self._writer.write(b"%d:%b," % (len(body), body))
        await self._writer.drain()

    async def _read(self) -> None:
        """Netstrings of JSON."""
        while True:
            try:
                size = int((await self._reader.readuntil(b":"))[:-1])
                found = json.loads(await self._reader.readexactly(size))
                await self._reader.readexactly(1)
            except (asyncio.IncompleteReadError, ConnectionError):
                return
            if found.get("event"):
                self.events.append(found)

    def saw(self, kind: str) -> list[dict[str, Any]]:
        """Its events of this kind: ``CALL_RINGING``, ``CALL_ESTABLISHED``, ``CALL_CLOSED`` ..."""
        return [event for event in self.events if event.get("type") == kind]

    @property
    def log(self) -> str:
        """What it has written, all messages of SIP among it."""
        return (self.home / "log").read_text(errors="replace")

    def said(self, text: str) -> bool:
        """Whether that stands in its log, which has what happened before anybody listened to events."""
        return text in (self.home / "log").read_text(errors="replace")

    def heard(self, seconds: float = 1.0) -> Signal:
        """The end of what it has decoded so far, full scale 1; its file's head is written at its end only."""
        found = sorted(self.home.glob("dump-*-dec.wav"))
        if not found:
            return np.zeros(1)
        data = found[-1].read_bytes()
        channels = max(1, int.from_bytes(data[22:24], "little"))
        pcm = np.frombuffer(data[44 : 44 + (len(data) - 44) // 2 * 2], "<i2").astype(np.float64) / 32768
        return pcm[-int(seconds * RATE) * channels :: channels]


def free_ports(count: int) -> int:
    """The first of some free ports of TCP in a row, below those that the kernel gives to others."""
    while True:
        first = random.randrange(16_000, 20_000 - count)
        with contextlib.ExitStack() as held, contextlib.suppress(OSError):
            for port in range(first, first + count):
                held.enter_context(socket.socket()).bind(("127.0.0.1", port))
            return first
