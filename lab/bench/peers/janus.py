"""Janus's AudioBridge as Debian has it: started with a configuration of its own, its participants on plain RTP."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import shutil
import socket
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp

from confero.errors import LocalError, RemoteError
from confero.runtime.tasks import spawn

from ..case import Case
from ..generator import Generator, build
from ..joining import LEVEL_ID, RTPMAPS
from ..whole import allow_many_sockets, windows
from .process import keep_apart, window

HOST = "127.0.36.11"
PORTS = "20000-30000"
PLUGIN = "janus.plugin.audiobridge"
START_S = 20.0
REPLY_S = 20.0
PREBUFFERING = 6
"""Packets: AudioBridge's own default."""

GENERAL = """
general: {{
    configs_folder = "{folder}"
    log_to_stdout = true
    debug_level = 2
    session_timeout = 0
    server_name = "bench"
    no_webrtc_encryption = false
}}
media: {{ rtp_port_range = "{ports}" }}
nat: {{ ice_enforce_list = "127.0.0.1" }}
plugins: {{ disable = "{plugins}" }}
transports: {{ disable = "{transports}" }}
"""
WEBSOCKETS = """
general: {{ json = "compact" ws = true ws_port = {port} ws_ip = "{host}" wss = false }}
admin: {{ admin_ws = false }}
"""
BRIDGE = """
general: {{ local_ip = "{host}" rtp_port_range = "{ports}" }}
"""


def _others(kind: str, keep: str) -> str:
    """All modules but one: what is not loaded costs nothing and opens no port."""
    folders = [path for path in Path("/usr/lib").glob(f"*/janus/{kind}") if path.is_dir()]
    return ",".join(sorted(file.name for folder in folders for file in folder.glob("*.so") if file.name != keep))


def configure(folder: Path, port: int) -> None:
    """Everything that Janus reads."""
    plugins, transports = _others("plugins", "libjanus_audiobridge.so"), _others("transports", "libjanus_websockets.so")
    general = GENERAL.format(folder=folder, ports=PORTS, plugins=plugins, transports=transports)
    (folder / "janus.jcfg").write_text(general)
    (folder / "janus.transport.websockets.jcfg").write_text(WEBSOCKETS.format(host=HOST, port=port))
    (folder / "janus.plugin.audiobridge.jcfg").write_text(BRIDGE.format(host=HOST, ports=PORTS))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


class Janus:
    """The process and one session of its API; ``stop`` it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._process: asyncio.subprocess.Process | None = None
        self._http: aiohttp.ClientSession | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._reader: asyncio.Task[None] | None = None
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._numbers = itertools.count(1)
        self._session = 0

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def start(self) -> None:
        """Raises LocalError where Janus is not installed or does not start."""
        program = shutil.which("janus")
        if program is None:
            raise LocalError("janus is not installed (Debian: apt-get install janus)")
        configure(self._folder, self._port)
        log = (self._folder / "janus.log").open("wb")
        with log:
            self._process = await asyncio.create_subprocess_exec(
                program, "-F", str(self._folder), stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log
            )
        self._http = aiohttp.ClientSession()
        self._socket = await self._connect(self._http)
        self._reader = spawn(self._read(self._socket), name="bench janus")
        self._session = (await self._ask(janus="create"))["data"]["id"]

    async def _connect(self, http: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
        url = f"ws://{HOST}:{self._port}/"
        try:
            async with asyncio.timeout(START_S):
                while True:
                    assert self._process is not None
                    if self._process.returncode is not None:
                        raise LocalError(f"janus has ended:\n{(self._folder / 'janus.log').read_text()[-2000:]}")
                    with contextlib.suppress(aiohttp.ClientError):
                        return await http.ws_connect(url, protocols=("janus-protocol",), max_msg_size=0)
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise LocalError("janus does not answer") from None

    async def make_room(self, room: int, case: Case) -> None:
        handle = await self._attach()
        fields = {"sampling_rate": 48_000, "default_prebuffering": PREBUFFERING, "allow_rtp_participants": True}
        await self._tell(handle, {"request": "create", "room": room, "audiolevel_event": False, **fields})

    async def join(self, room: int, case: Case, port: int) -> tuple[str, int]:
        """A plain RTP participant whose peer is our socket; where Janus takes its packets."""
        handle = await self._attach()
        pt = RTPMAPS[case.codec][0]
        rtp = {"ip": "127.0.0.1", "port": port, "payload_type": pt, "audiolevel_ext": LEVEL_ID, "fec": False}
        reply = await self._tell(handle, {"request": "join", "room": room, "codec": case.codec, "rtp": rtp})
        return reply["rtp"]["ip"], int(reply["rtp"]["port"])

    async def stop(self) -> None:
        """Idempotent."""
        if self._socket is not None:
            await self._socket.close()
        if self._http is not None:
            await self._http.close()
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()
        if self._reader is not None:
            await asyncio.wait([self._reader], timeout=2)

    async def _attach(self) -> int:
        return int((await self._ask(janus="attach", session_id=self._session, plugin=PLUGIN))["data"]["id"])

    async def _tell(self, handle: int, body: dict[str, Any]) -> dict[str, Any]:
        """A message to the plugin, and what it says to that. Raises RemoteError for a refusal."""
        reply = await self._ask(janus="message", session_id=self._session, handle_id=handle, body=body)
        data: dict[str, Any] = reply["plugindata"]["data"]
        if "error" in data:
            raise RemoteError(f"janus: {data['error']}")
        return data

    async def _ask(self, **message: Any) -> dict[str, Any]:
        assert self._socket is not None
        transaction = f"t{next(self._numbers)}"
        waiting = self._waiting[transaction] = asyncio.get_running_loop().create_future()
        try:
            await self._socket.send_json({**message, "transaction": transaction})
            async with asyncio.timeout(REPLY_S):
                reply: dict[str, Any] = await waiting
        finally:
            del self._waiting[transaction]
        if reply["janus"] == "error":
            raise RemoteError(f"janus: {reply['error']['reason']}")
        return reply

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            reply = message.json()
            waiting = self._waiting.get(reply.get("transaction", ""))
            if reply["janus"] != "ack" and waiting is not None and not waiting.done():
                waiting.set_result(reply)


async def measure(case: Case, runs: int, progress: Callable[[str, int, int], None]) -> list[dict[str, Any]]:
    """Rows as of confero on plain RTP."""
    case = replace(case, profile="plain")
    allow_many_sockets()
    program = build("bench_load")
    with tempfile.TemporaryDirectory(prefix="confero-bench-janus-") as folder:
        janus, generator = Janus(Path(folder)), Generator(case, program)
        try:
            await janus.start()
            await generator.start()
            await _join_all(case, janus, generator, progress)
            keep_apart(janus.pid, generator)
            generator.go()
            return await windows(runs, generator.next, lambda: window("janus", case, janus.pid, generator, progress))
        finally:
            await generator.stop()
            await janus.stop()


async def _join_all(case: Case, janus: Janus, generator: Generator, progress: Callable[[str, int, int], None]) -> None:
    for room in range(case.rooms):
        await janus.make_room(room + 1, case)
    for member, port in enumerate(generator.ports):
        host, to = await janus.join(member // case.room_size + 1, case, port)
        await generator.join(member, f"{host} {to} - - - {RTPMAPS[case.codec][0]} {LEVEL_ID}")
        progress("joining", member + 1, case.members)
