"""A telephone that we did not write: baresip without a sound card, which dials a room, says a tone and keeps what it hears."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import shutil
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from confero.errors import LocalError, RemoteError
from confero.lab.signals import sources
from confero.lab.signals.sources import RATE, Signal, from_pcm16, resample
from confero.models import RoomState
from confero.runtime.client import ServiceClient
from confero.runtime.tasks import TaskBag

Transport = Literal["udp", "tcp", "tls"]
MediaEncryption = Literal["", "srtp", "srtp-mand", "srtp-mandf", "dtls_srtp"]
MODULE_PATHS = ("/usr/lib/baresip/modules", "/usr/lib/x86_64-linux-gnu/baresip/modules")
MODULES = ("g711", "g722", "opus", "ausine", "aubridge", "sndfile", "srtp", "dtls_srtp", "ctrl_tcp")
APPLICATIONS = ("account", "menu")
CONFIG = """\
poll_method epoll
sip_listen {host}:{port}
sip_verify_server no
call_max_calls 4
audio_source ausine,{hertz}
audio_player aubridge,nobody
audio_alert aubridge,nobody
ausrc_srate 48000
ausrc_channels 2
auplay_srate 48000
rtp_ports 9000-9999
rtcp_mux yes
net_interface {host}
module_path {modules}
{lines}
snd_path {home}
ctrl_tcp_listen {host}:{control}
"""
HOST = "127.0.0.1"
"""baresip binds its media to no address: on loopback they come from this one."""
SIP_PORT = 5060
SIPS_PORT = 5061
TONE_DBFS = -12.0
WAV_HEADER = 44
PATIENCE_S = 10.0
POLL_S = 0.02


@dataclass(frozen=True)
class Line:
    """How a telephone calls."""

    transport: Transport = "udp"
    encryption: MediaEncryption = ""
    codecs: str = "opus/48000/2,PCMU/8000/1"
    outbound: str = ""
    """A proxy to pass, as a SIP URI."""
    account: str = ""
    """Further parameters of the account, such as ``regint=60;auth_pass=secret``; without any it does not register."""


class FileRecording:
    """What a process writes into a sound file while it runs: a ``Recording`` in all that tests ask of one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._from: dict[Path, int] = {}
        self.started_at: float | None = None

    @property
    def seconds(self) -> float:
        path = self._path()
        if path is None:
            return 0.0
        channels, rate = _format(path)
        return max(0, path.stat().st_size - self._from.get(path, WAV_HEADER)) / (2 * channels * rate)

    def signal(self) -> Signal:
        path = self._path()
        if path is None:
            return np.zeros(0)
        channels, rate = _format(path)
        data = path.read_bytes()[self._from.get(path, WAV_HEADER) :]
        pcm = np.frombuffer(data[: len(data) // (2 * channels) * 2 * channels], "<i2")[::channels]
        return resample(from_pcm16(pcm), rate, RATE)

    def clear(self) -> None:
        path = self._path()
        if path is not None:
            self._from[path] = path.stat().st_size // 4 * 4
        self.started_at = time.monotonic()

    def _path(self) -> Path | None:
        """The newest call's: a call that moves to another codec begins another file."""
        found = [path for path in self._folder.glob("dump-*-dec.wav") if path.stat().st_size > WAV_HEADER]
        return max(found, key=lambda path: path.stat().st_mtime_ns, default=None)


def _format(path: Path) -> tuple[int, int]:
    """Channels and rate of a WAV file that is still being written."""
    with path.open("rb") as file:
        head = file.read(WAV_HEADER)
    return max(1, int.from_bytes(head[22:24], "little")), int.from_bytes(head[24:28], "little") or RATE


class SipMember:
    """One process of baresip with one line. ``gateway``: the address that it calls."""

    def __init__(
        self,
        name: str,
        hertz: int,
        *,
        gateway: str,
        room: str,
        mcu: ServiceClient,
        home: Path,
        host: str = HOST,
        line: Line | None = None,
        called: str = "",
    ) -> None:
        """``called``: the URI to dial, if it is not that of ``room`` at ``gateway``. ``home``: a folder of its own."""
        self.name = name
        self.said = sources.tone(hertz, 60.0, dbfs=TONE_DBFS)
        self.said_at: float | None = None
        self.heard = FileRecording(home)
        self.participant = ""
        self.leg = ""
        self.events: list[dict[str, Any]] = []
        self.line = line or Line()
        self._hertz, self._host, self._home = hertz, host, home
        self._uri = called or _uri(room, gateway, self.line.transport)
        self._room, self._mcu = room, mcu
        self._process: asyncio.subprocess.Process | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._answers: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._numbers = itertools.count(1)
        self._tasks = TaskBag()

    async def join(self) -> None:
        """Starts, dials, and returns once it hears. Raises TimeoutError, RemoteError when its call has ended instead."""
        await self.start()
        await self.dial()

    async def start(self) -> None:
        """The process, ready for commands."""
        command = shutil.which("baresip")
        if command is None:
            raise LocalError("baresip is not installed (Debian: apt-get install baresip-core)")
        control = _free_port(self._host)
        self._settle(control)
        self._process = await asyncio.create_subprocess_exec(
            command,
            *("-f", str(self._home)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=(self._home / "log").open("wb"),
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(PATIENCE_S):
            reader = await self._connect(control)
        self._tasks.spawn(self._listen(reader), name=f"lab-baresip-{self.name}")

    async def dial(self) -> None:
        """The call, up to its first sound. Raises TimeoutError with what it has printed, RemoteError when it was not taken."""
        await self.command("dial", self._uri)
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._until("CALL_ESTABLISHED")
                self.said_at = time.monotonic()
                while self.heard.seconds == 0:  # noqa: ASYNC110 - of another process
                    await asyncio.sleep(POLL_S)
                await self._find_leg()
        except TimeoutError:
            raise TimeoutError(f"{self.name} hears nothing; it said:\n{self.log[-1500:]}") from None

    async def command(self, name: str, params: str = "") -> dict[str, Any]:
        """A command of baresip's menu, and what it answers. Raises RemoteError for a failure, TimeoutError."""
        assert self._writer is not None, "start comes first"
        token = str(next(self._numbers))
        answer = self._answers[token] = asyncio.get_running_loop().create_future()
        body = json.dumps({"command": name, "params": params, "token": token}).encode()
        self._writer.write(b"%d:%s," % (len(body), body))
        try:
            async with asyncio.timeout(PATIENCE_S):
                reply: dict[str, Any] = await answer
        finally:
            del self._answers[token]
        if not reply.get("ok"):
            raise RemoteError(f"{self.name}: {name} {params}: {reply.get('data')}")
        return reply

    async def hang_up(self) -> None:
        await self.command("hangup")

    async def leave(self) -> None:
        """Ends the process as its user would, by force if it does not listen. Idempotent."""
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(TimeoutError, RemoteError, ConnectionError, AssertionError):
                await self.command("quit")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(3):
                    await process.wait()
            if process.returncode is None:
                process.kill()
                await process.wait()
        await self._tasks.close()
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    @property
    def log(self) -> str:
        """What it has printed."""
        lines = (self._home / "log").read_text(errors="replace").splitlines()
        return "\n".join(
            line for line in lines if line.strip() and not line.lstrip("\r\x1b[K;0123456789m ").startswith("[0:")
        )

    # -- inside --

    def _settle(self, control: int) -> None:
        """Its files."""
        modules = next((path for path in MODULE_PATHS if Path(path).is_dir()), MODULE_PATHS[0])
        lines = [f"module {name}.so" for name in MODULES] + [f"module_app {name}.so" for name in APPLICATIONS]
        values = {"host": self._host, "port": _free_port(self._host), "hertz": self._hertz, "modules": modules}
        text = CONFIG.format(**values, lines="\n".join(lines), home=self._home, control=control)
        (self._home / "config").write_text(text)
        line = self.line
        uri = f"sip:{self.name.lower()}@{self._host};transport={line.transport}"
        more = [f"mediaenc={line.encryption}"] * bool(line.encryption)
        more += [f'outbound="{line.outbound}"'] * bool(line.outbound)
        more += [line.account or "regint=0", f"audio_codecs={line.codecs}", "answermode=auto"]
        (self._home / "accounts").write_text(f'"{self.name}" <{uri}>;{";".join(more)}\n')

    async def _connect(self, control: int) -> asyncio.StreamReader:
        while True:
            try:
                reader, self._writer = await asyncio.open_connection(self._host, control)
                return reader
            except ConnectionError:
                await asyncio.sleep(POLL_S)

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        """Netstrings of JSON, until it ends."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                size = int((await reader.readuntil(b":"))[:-1])
                message = json.loads((await reader.readexactly(size + 1))[:-1])
                waiting = self._answers.get(message.get("token", ""))
                if waiting is not None and message.get("response") and not waiting.done():
                    waiting.set_result(message)
                elif message.get("event"):
                    self.events = [*self.events[-199:], message]

    async def _until(self, kind: str) -> None:
        while not any(event.get("type") == kind for event in self.events):
            closed = next((event for event in self.events if event.get("type") == "CALL_CLOSED"), None)
            if closed is not None:
                raise RemoteError(f"{self.name}: the call has ended: {closed.get('param')}")
            await asyncio.sleep(POLL_S)

    async def _find_leg(self) -> None:
        """By its name in the room."""
        while not self.leg:
            state = await self._mcu.call("GET", f"/v1/rooms/{self._room}", reply=RoomState)
            own = next((one for one in state.participants if one.display_name == self.name), None)
            if own is not None:
                self.participant, self.leg = own.id, own.leg
            else:
                await asyncio.sleep(POLL_S)


def _uri(room: str, gateway: str, transport: Transport) -> str:
    host = f"[{gateway}]" if ":" in gateway else gateway
    port = SIPS_PORT if transport == "tls" else SIP_PORT
    return f"sip:{room}@{host}:{port}"  # the account's transport, which baresip adds itself


def _free_port(host: str) -> int:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port
