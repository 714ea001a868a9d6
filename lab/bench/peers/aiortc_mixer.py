"""The plain aiortc and NumPy mixer as a process beside us, with the same members on ICE and DTLS."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from confero.errors import LocalError

from ..case import Case
from ..generator import Generator, build
from ..joining import offer_of, target_of
from ..whole import allow_many_sockets, windows
from .process import keep_apart, window

ANSWER_S = 30.0
LINE_LIMIT = 1 << 20


class Server:
    """The process; one answer for each offer, in order."""

    def __init__(self, rooms: int) -> None:
        self._rooms = rooms
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def start(self) -> None:
        command = sys.executable, "-m", f"{__package__}.aiortc_server", str(self._rooms)
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, limit=LINE_LIMIT)

    async def answer(self, room: int, sdp: str) -> str:
        """Raises LocalError if the process has ended."""
        assert self._process is not None and self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps({"room": room, "sdp": sdp}).encode() + b"\n")
        async with asyncio.timeout(ANSWER_S):
            line = await self._process.stdout.readline()
        if not line:
            raise LocalError("the aiortc mixer has ended")
        return str(json.loads(line)["sdp"])

    async def stop(self) -> None:
        """Idempotent."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()


async def measure(case: Case, runs: int, progress: Callable[[str, int, int], None]) -> list[dict[str, Any]]:
    """Rows as of confero; aiortc does not talk plain RTP."""
    case = case if case.secure else replace(case, profile="gcm128")
    allow_many_sockets()
    server, generator = Server(case.rooms), Generator(case, build("bench_load"))
    try:
        await server.start()
        await generator.start()
        for member in range(case.members):
            offer = offer_of(case, member, generator.ports[member], generator.fingerprint)
            answer = await server.answer(member // case.room_size, offer)
            await generator.join(member, target_of(answer))
            progress("joining", member + 1, case.members)
        keep_apart(server.pid, generator)
        generator.go()
        return await windows(runs, generator.next, lambda: window("aiortc", case, server.pid, generator, progress))
    finally:
        await generator.stop()
        await server.stop()
