"""baresip as somebody's telephone: it says a tone, calls or waits to be called, and what it hears is on its disk."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import shutil
from pathlib import Path
from typing import Any

from confero.errors import LocalError, RemoteError
from confero.lab.signals.sources import Signal
from confero.runtime.tasks import TaskBag

from .telephone import POLL_S, FileRecording, Here, Line, Place

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
rtcp_mux {mux}
net_interface {host}
module_path {modules}
{lines}
snd_path {home}
ctrl_tcp_listen {host}:{control}
"""
REGISTER_S = 60
KEPT_EVENTS = 200
PATIENCE_S = 10.0
QUIT_S = 3.0


class Baresip:
    """One process with one line; ``async with Baresip(...) as phone``, or ``start`` and ``stop``.

    ``home``: a folder of its own. ``name``: what it shows of itself. ``place``: where its signalling is bound; its media
    leaves from wherever the kernel sends it.
    """

    def __init__(
        self,
        home: Path,
        *,
        hertz: int,
        user: str = "phone",
        name: str = "",
        place: Place | None = None,
        line: Line | None = None,
    ) -> None:
        self.user, self.hertz = user, hertz
        self.recording = FileRecording(home, "dump-*-dec.wav")
        self.events: list[dict[str, Any]] = []
        self._home, self._place, self._line = home, place or Here(), line or Line()
        self._host = self._place.host
        port = self._place.ports(3)  # TLS is on the second
        self._control = port + 2
        self.uri = f"sip:{user}@{self._host}:{port}"
        self._process: asyncio.subprocess.Process | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._answers: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._numbers = itertools.count(1)
        self._tasks = TaskBag()
        home.mkdir(parents=True, exist_ok=True)
        (home / "config").write_text(self._config(port))
        (home / "accounts").write_text(self._account(name or user))

    async def __aenter__(self) -> Baresip:
        await self.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Ready for commands. Raises LocalError where it is not installed, TimeoutError."""
        command = shutil.which("baresip")
        if command is None:
            raise LocalError("baresip is not installed (Debian: apt-get install baresip-core)")
        self._process = await asyncio.create_subprocess_exec(
            *self._place.command(command, "-s", "-f", str(self._home)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=(self._home / "log").open("wb"),
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            async with asyncio.timeout(PATIENCE_S):
                reader = await self._connect()
        except BaseException:  # whoever waited may have given up: nobody else knows of the process
            process, self._process = self._process, None
            process.kill()
            await process.wait()
            raise
        self._tasks.spawn(self._listen(reader), name=f"lab-baresip-{self.user}")

    async def stop(self) -> None:
        """Ends the process as its user would, by force if it does not listen. Idempotent."""
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(TimeoutError, RemoteError, ConnectionError, LocalError):
                await self.command("quit")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(QUIT_S):
                    await process.wait()
            if process.returncode is None:
                process.kill()
                await process.wait()
        await self._tasks.close()
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    async def command(self, name: str, params: str = "") -> dict[str, Any]:
        """A command of its menu, such as ``dial`` or ``hangup``, and its answer. Raises RemoteError for a failure, TimeoutError."""
        if self._writer is None:
            raise LocalError(f"baresip of {self.user} does not run")
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
            raise RemoteError(f"{self.user}: {name} {params}: {reply.get('data')}")
        return reply

    async def dial(self, uri: str) -> None:
        await self.command("dial", uri)

    async def hang_up(self) -> None:
        await self.command("hangup")

    async def hold(self) -> None:
        await self.command("hold")

    async def resume(self) -> None:
        await self.command("resume")

    def saw(self, kind: str) -> list[dict[str, Any]]:
        """Its events of this kind: ``CALL_RINGING``, ``CALL_ESTABLISHED``, ``CALL_CLOSED`` ..."""
        return [event for event in self.events if event.get("type") == kind]

    @property
    def registered(self) -> bool:
        """Before it has called."""
        return self.said("200 OK")

    @property
    def established(self) -> bool:
        return bool(self.saw("CALL_ESTABLISHED"))

    @property
    def closed(self) -> list[str]:
        return [str(event.get("param")) for event in self.saw("CALL_CLOSED")]

    def heard(self, seconds: float = 1.0) -> Signal:
        """The end of what it has heard so far."""
        return self.recording.last(seconds)

    @property
    def log(self) -> str:
        """What it has printed, all messages of SIP among it; from before anybody listened to events, too."""
        lines = (self._home / "log").read_text(errors="replace").splitlines()
        return "\n".join(line for line in lines if not line.lstrip("\r\x1b[K;0123456789m ").startswith("[0:"))

    def said(self, text: str) -> bool:
        """Whether that stands in its log."""
        return text in self.log

    # -- inside --

    def _config(self, port: int) -> str:
        modules = next((path for path in MODULE_PATHS if Path(path).is_dir()), MODULE_PATHS[0])
        names = (*MODULES, *["uuid"] * self._line.keep_alive)  # who keeps a flow says which telephone it is
        lines = [f"module {name}.so" for name in names] + [f"module_app {name}.so" for name in APPLICATIONS]
        values = {"host": self._host, "port": port, "hertz": self.hertz, "modules": modules, "control": self._control}
        mux = "yes" if self._line.rtcp_mux else "no"
        return CONFIG.format(**values, mux=mux, lines="\n".join(lines), home=self._home)

    def _account(self, name: str) -> str:
        line = self._line
        transport = f";transport={line.transport}" if line.transport != "udp" else ""
        login = (f"auth_user={self.user}", f"auth_pass={line.password}", f"regint={REGISTER_S}")
        more = [*login] if line.registrar else ["regint=0"]
        more += [f"audio_codecs={line.codecs}", f"answermode={'auto' if line.answers else 'manual'}"]
        more += [f"mediaenc={line.encryption}"] * bool(line.encryption)
        outbound = line.outbound or (f"sip:{line.registrar}" if line.keep_alive else "")
        more += [f'outbound="{outbound}"'] * bool(outbound)
        more += ["sipnat=outbound"] * line.keep_alive
        return f'"{name}" <sip:{self.user}@{line.registrar or self._host}{transport}>;{";".join(more)}\n'

    async def _connect(self) -> asyncio.StreamReader:
        while True:
            try:
                reader, self._writer = await self._place.connect(self._control)
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
                    self.events = [*self.events[1 - KEPT_EVENTS :], message]
