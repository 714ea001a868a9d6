"""The whole system as ``confero up`` runs it, on loopback addresses of its own: every address of 127.0.0.0/8 is local on Linux."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sqlite3
import ssl
import sys
from collections.abc import Mapping
from pathlib import Path

import aiohttp

from confero.client import Client
from confero.clock import SystemClock
from confero.errors import LocalError
from confero.models import RoomCreate
from confero.ports import UNPRIVILEGED, find
from confero.runtime.client import ServiceClient
from confero.runtime.tasks import spawn
from confero.tokens import service_token

from .signals.sources import Signal, parse_wav

SERVICES = ("appserver", "notifier", "mcu", "sipgw", "turn")
FRONT = "edge"
"""Beside them where all share an address."""
HEALTH = {"sipgw": "control", "turn": "control", FRONT: "control"}
"""The purpose of a service's internal port, where it is not ``http``."""
START_TIMEOUT_S = 40.0
STOP_TIMEOUT_S = 15.0
OUTPUT_LIMIT = 1 << 20
"""Bytes of the services' output that are kept, from the end."""


def addresses(network: int) -> dict[str, str]:
    """A loopback address for each service: 127.0.<network>.11 and on."""
    return {service: f"127.0.{network}.{11 + index}" for index, service in enumerate(SERVICES)}


class Stack:
    """Starts ``confero up`` as a process, waits until every service is ready, and stops it."""

    def __init__(
        self,
        state_dir: Path,
        *,
        network: int | None = None,
        host: str = "127.0.0.1",
        database: str | None = None,
        extra: tuple[str, ...] = (),
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """``settings``: variables of the environment, as docs/configuration.md names them.

        With ``network`` each service has an address of its own, as ``addresses`` says; without it all are on ``host``.
        """
        self.state_dir = state_dir
        self.addresses = dict.fromkeys((*SERVICES, FRONT), host) if network is None else addresses(network)
        self._database = database
        self._extra = extra
        self._settings = dict(settings or {})
        self._process: asyncio.subprocess.Process | None = None
        self._output = bytearray()
        self._reader: asyncio.Task[None] | None = None
        here = [key for key in UNPRIVILEGED if key[0] in self.addresses]
        self._moved = {key for key in here if not _is_free(self.addresses[key[0]], find(*key).number)}

    def port(self, service: str, purpose: str) -> int:
        """The documented port; its unprivileged stand-in where low ports are not permitted or somebody else is there."""
        number = find(service, purpose).number
        return UNPRIVILEGED.get((service, purpose), number) if (service, purpose) in self._moved else number

    def url(self, service: str, purpose: str = "") -> str:
        """Without ``purpose`` of the internal port."""
        purpose = purpose or HEALTH.get(service, "http")
        scheme = "https" if purpose == "https" else "http"
        host = self.addresses[service]
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{self.port(service, purpose)}"

    @property
    def page_url(self) -> str:
        """Origin of the web client; without the port where it is the scheme's own, as browsers write it."""
        return self.url("appserver", "https").removesuffix(":443")

    @property
    def secret(self) -> bytes:
        return (self.state_dir / "secret").read_bytes()

    @property
    def output(self) -> str:
        """What the services have written so far."""
        return self._output.decode(errors="replace")

    async def start(self) -> None:
        """Returns when every service answers ready. Raises LocalError with the services' last words otherwise."""
        self.state_dir.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "confero.cli", "up", "--state-dir", str(self.state_dir)]
        for service, address in self.addresses.items():
            command += ["--address", f"{service}={address}"]
        for service, purpose in sorted(self._moved):
            command += ["--port", f"{service}.{purpose}={self.port(service, purpose)}"]
        if self._database is not None:
            command += ["--database", self._database]
        self._process = await asyncio.create_subprocess_exec(
            *command,
            *self._extra,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **self._settings},
        )
        assert self._process.stdout is not None
        self._reader = spawn(self._read(self._process.stdout), name="lab-stack-output")
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                await self.wait_ready()
        except TimeoutError as error:
            await self.stop()
            raise LocalError(
                f"the system was not ready within {START_TIMEOUT_S:.0f} s; it said:\n{self.output[-4000:]}"
            ) from error

    async def wait_ready(self) -> None:
        """Waits until /ready of every service answers 200. Raises LocalError if ``confero up`` has ended."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as http:
            for service in self.addresses:
                while not await _is_ready(http, f"{self.url(service, HEALTH.get(service, 'http'))}/ready"):
                    if self._process is not None and self._process.returncode is not None:
                        raise LocalError(f"confero up has ended; it said:\n{self.output[-4000:]}")
                    await asyncio.sleep(0.05)

    async def stop(self) -> None:
        """Idempotent: SIGTERM, then SIGKILL to the whole group after 15 s."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(STOP_TIMEOUT_S):
                    await process.wait()
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        if self._reader is not None:
            await asyncio.wait([self._reader], timeout=2)

    def pid(self, service: str) -> int:
        """Process id of a service. Raises LookupError while it is not running."""
        assert self._process is not None
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit() and _is_child(folder, self._process.pid, f"confero.{service}"):
                return int(folder.name)
        raise LookupError(f"{service} is not running")

    def kill(self, service: str) -> int:
        """Ends a service as a crash would (SIGKILL); the pid that it had."""
        pid = self.pid(service)
        os.kill(pid, signal.SIGKILL)
        return pid

    def descriptors(self, service: str) -> int:
        """Open files and sockets of a service, without its TCP connections: HTTP keeps those for a while."""
        folder = Path(f"/proc/{self.pid(service)}")
        tcp = set()
        for table in ("tcp", "tcp6"):
            tcp |= {f"socket:[{line.split()[9]}]" for line in (folder / "net" / table).read_text().splitlines()[1:]}
        return sum(target not in tcp for target in _targets(folder / "fd"))

    def rows(self, query: str, *parameters: object) -> list[tuple[object, ...]]:
        """What a SELECT finds in the application server's SQLite file."""
        path = self.state_dir / "confero.db"
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as database:
            return database.execute(query, parameters).fetchall()

    def client(self, audience: str) -> ServiceClient:
        """A caller named ``lab`` for the internal API of a service; close it after use."""
        url = self.url(audience, HEALTH.get(audience, "http"))
        return ServiceClient("lab", audience, url, secret=self.secret, clock=SystemClock())

    async def make_room(self, **wish: object) -> str:
        """A new room as ``RoomCreate`` describes it; its id."""
        async with Client(self.page_url, ssl=self.tls()) as client:
            return (await client.rooms.create(RoomCreate.model_validate(wish))).id

    async def tap(self, leg: str, point: str, seconds: int) -> Signal:
        """What a leg adds to the mix (``in``) or hears before its encoder (``out``), for the next ``seconds``."""
        return (await self.timed_tap(leg, point, seconds))[0]

    async def timed_tap(self, leg: str, point: str, seconds: int) -> tuple[Signal, int]:
        """A tap, and the mixer's time in ns of its first sample."""
        token = service_token("lab", "mcu", secret=self.secret, now=SystemClock().wall())
        url = f"{self.url('mcu')}/v1/legs/{leg}/tap?point={point}&seconds={seconds}"
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=seconds + 10)) as http,
            http.get(url, headers={"Authorization": f"Bearer {token}"}) as response,
        ):
            response.raise_for_status()
            body = await response.read()
            return parse_wav(body)[0], int(response.headers["X-Confero-Tap-Start"])

    def tls(self) -> ssl.SSLContext:
        """Trusts this installation's own certificate authority."""
        return ssl.create_default_context(cafile=str(self.state_dir / "tls" / "ca.pem"))

    async def _read(self, output: asyncio.StreamReader) -> None:
        while chunk := await output.read(65_536):
            self._output += chunk
            del self._output[:-OUTPUT_LIMIT]


def _is_free(host: str, port: int) -> bool:
    """False where the port is not permitted, and beside a system that listens on all addresses."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _targets(folder: Path) -> list[str]:
    """Where the links of a /proc/<pid>/fd point; a descriptor may be closed while we look."""
    found = []
    for link in folder.iterdir():
        with contextlib.suppress(OSError):
            found.append(str(link.readlink()))
    return found


async def _is_ready(http: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with http.get(url) as response:
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False


def _is_child(folder: Path, parent: int, module: str) -> bool:
    try:
        ppid = int(folder.joinpath("stat").read_text().rpartition(")")[2].split()[1])
        return ppid == parent and module in folder.joinpath("cmdline").read_bytes().decode().split("\0")
    except (OSError, ValueError):
        return False  # it has gone while we looked
