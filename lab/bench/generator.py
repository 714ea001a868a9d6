"""The load generator in C as a process: it is told whom to join, and says what it measured."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
from pathlib import Path
from typing import Any

from confero.errors import LocalError, RemoteError
from confero.runtime.tasks import spawn

from .case import Case

ROOT = Path(__file__).resolve().parents[2]
NATIVE = ROOT / "native"
LINE_LIMIT = 1 << 20
"""Characters: the port of each of 8,192 members in one line."""
UP_TIMEOUT_S = 120.0
READY_TIMEOUT_S = 60.0


def build(program: str) -> Path:
    """The path of a program of native/bench, built if it is not up to date. Raises LocalError without the C sources."""
    if not (NATIVE / "Makefile").exists():
        raise LocalError("benchmarks need confero's source tree: the load generator is built from native/bench")
    target = f"build/plain/bench/{program}"
    done = subprocess.run(["make", "-s", "-C", str(NATIVE), target], capture_output=True, text=True, check=False)
    if done.returncode:
        raise LocalError(f"the load generator could not be built:\n{done.stderr[-2000:]}")
    return NATIVE / target


class Generator:
    """``start``, ``join`` for every member, ``go``; ``measuring`` and ``result``, after ``next`` again; ``stop`` in any case."""

    def __init__(self, case: Case, program: Path) -> None:
        self._case = case
        self._program = program
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._ready: asyncio.Future[list[str]] = asyncio.get_running_loop().create_future()
        self._measuring = asyncio.Event()
        self._results: asyncio.Queue[dict[str, Any] | LocalError] = asyncio.Queue()
        self._up: dict[int, asyncio.Future[None]] = {}
        self.fingerprint = ""
        self.ports: list[int] = []

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def start(self) -> None:
        """Returns when every member has its socket."""
        self._process = await asyncio.create_subprocess_exec(
            self._program,
            *self._case.generator_arguments(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=LINE_LIMIT,
        )
        self._reader = spawn(self._read(), name="bench generator")
        async with asyncio.timeout(READY_TIMEOUT_S):
            self.fingerprint, *ports = await self._ready
        self.ports = [int(port) for port in ports]

    async def join(self, member: int, target: str) -> None:
        """``target``: "ADDRESS PORT UFRAG PASSWORD FINGERPRINT PT EXTENSION". Returns when keys stand (plain RTP: at once)."""
        if self._case.secure:
            self._up[member] = asyncio.get_running_loop().create_future()
        self._say(f"join {member} {target}")
        if self._case.secure:
            async with asyncio.timeout(UP_TIMEOUT_S):
                await self._up[member]

    def go(self) -> None:
        """Everybody talks, and a first window begins after the warm-up."""
        self._say("go")

    def next(self) -> None:
        """Another window, after ``result``."""
        self._say("next")

    async def measuring(self) -> None:
        """Returns when the next window begins."""
        async with asyncio.timeout(self._case.warm_s + 30):
            await self._measuring.wait()
        self._measuring.clear()

    async def result(self) -> dict[str, Any]:
        """Of a window, in their order."""
        async with asyncio.timeout(self._case.seconds + 120):
            result = await self._results.get()
        if isinstance(result, LocalError):
            raise result
        return result

    async def stop(self) -> None:
        """Idempotent."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        if self._reader is not None:
            await asyncio.wait([self._reader], timeout=2)

    def _say(self, line: str) -> None:
        assert self._process is not None and self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")

    async def _read(self) -> None:
        assert self._process is not None and self._process.stdout is not None
        output = self._process.stdout
        while line := await output.readline():
            self._take(line.decode().rstrip("\n"))
        self._fail(LocalError("the load generator has ended before it had a result"))

    def _take(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        if word == "ready":
            self._ready.set_result(rest.split())
        elif word == "up":
            _settle(self._up.get(int(rest)), None)
        elif word == "failed":
            member, _, why = rest.partition(" ")
            _settle(self._up.get(int(member)), RemoteError(f"member {member} did not connect: {why}"))
        elif word == "measuring":
            self._measuring.set()
        elif word.startswith("{"):
            self._results.put_nowait(json.loads(line))

    def _fail(self, error: LocalError) -> None:
        everybody: tuple[asyncio.Future[Any], ...] = (self._ready, *self._up.values())
        for waiting in everybody:
            if not waiting.done():
                waiting.set_exception(error)
                waiting.exception()  # whoever waits is told; nobody else needs to be
        self._results.put_nowait(error)
        self._measuring.set()


def _settle(waiting: asyncio.Future[None] | None, error: RemoteError | None) -> None:
    if waiting is None or waiting.done():
        return
    if error is None:
        waiting.set_result(None)
    else:
        waiting.set_exception(error)
