"""sipp as a caller: scenarios of tests/data/sipp, each of which checks what it is answered."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
from pathlib import Path
from typing import Literal

from confero.errors import Refused
from confero.lab.stack import Stack
from confero.models import RoomState

SCENARIOS = Path(__file__).resolve().parent.parent / "data" / "sipp"
SIP_PORT = 5060
FIRST_PORT, FIRST_MEDIA_PORT, RUNS = 6000, 9200, 300
POLL_S = 0.02
_runs = itertools.count()
Transport = Literal["u1", "t1"]


class Sipp:
    """One run of sipp. ``start``, then ``passes``; or ``run`` for both."""

    def __init__(
        self,
        scenario: str,
        home: Path,
        *,
        gateway: str,
        host: str,
        room: str = "lobby",
        calls: int = 1,
        rate: float = 10.0,
        transport: Transport = "u1",
        seconds: int = 20,
        port: int = 0,
        hold_ms: int = 0,
        extra: tuple[str, ...] = (),
    ) -> None:
        """``seconds``: after which it fails. ``hold_ms``: a scenario's plain pause. ``port``: its own; 0: a fresh one."""
        self._errors, self._messages = home / f"{scenario}.errors", home / f"{scenario}.messages"
        self._seconds = seconds
        run = next(_runs) % RUNS
        self._command = (
            *(shutil.which("sipp") or "sipp", f"{gateway}:{SIP_PORT}", "-sf", str(SCENARIOS / f"{scenario}.xml")),
            *(
                "-s",
                room,
                "-i",
                host,
                "-mi",
                host,
                "-p",
                str(port or FIRST_PORT + run),
                "-mp",
                str(FIRST_MEDIA_PORT + 2 * run),
                "-t",
                transport,
            ),
            *("-m", str(calls), "-r", str(rate), "-d", str(hold_ms), "-nostdin", "-timeout", f"{seconds}s"),
            *("-timeout_error", "-trace_err", "-error_file", str(self._errors)),
            *("-trace_msg", "-message_file", str(self._messages), *extra),
        )
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, "TERM": "dumb"},
        )

    @property
    def running(self) -> bool:
        """Until its last call is over, or it has given up."""
        return self._process is not None and self._process.returncode is None

    async def passes(self) -> None:
        """Returns when all its calls went as its scenario says. Raises AssertionError with what it saw."""
        assert self._process is not None, "start comes first"
        try:
            async with asyncio.timeout(self._seconds + 10):
                status = await self._process.wait()
        finally:
            await self.stop()
        assert status == 0, f"sipp ended with {status}:\n{self.told}"

    def came(self, start: str) -> int:
        """How many messages began so, sent or received, repeated ones counted."""
        return len(self.lines(start))

    def lines(self, start: str) -> list[str]:
        """Those of all messages that begin so."""
        if not self._messages.exists():
            return []
        return [line for line in self._messages.read_text(errors="replace").splitlines() if line.startswith(start)]

    def body(self, start: str) -> str:
        """Of the last message that began so; empty: none has come yet."""
        if not self._messages.exists():
            return ""
        _, found, rest = self._messages.read_text(errors="replace").rpartition(f"\n{start}")
        message = rest.partition("\n-----")[0]
        return message.replace("\r\n", "\n").partition("\n\n")[2] if found else ""

    @property
    def told(self) -> str:
        """Its errors and its last messages."""
        parts = [path.read_text(errors="replace")[-size:] for path, size in self._files() if path.exists()]
        return "\n".join(parts)

    def _files(self) -> tuple[tuple[Path, int], ...]:
        return (self._messages, 9000), (self._errors, 3000)

    async def run(self) -> None:
        await self.start()
        await self.passes()

    async def stop(self) -> None:
        """Idempotent."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


async def telephones(stack: Stack, room: str = "lobby") -> list[str]:
    """Participants of a room who have a leg at the MCU; none of a room that is not there."""
    mcu = stack.client("mcu")
    try:
        state = await mcu.call("GET", f"/v1/rooms/{room}", reply=RoomState)
    except Refused as error:
        if error.code != "room-unknown":
            raise
        return []
    finally:
        await mcu.close()
    return [one.id for one in state.participants]


async def somebody(stack: Stack, count: int = 1, room: str = "lobby", seconds: float = 10.0) -> list[str]:
    """Those in the room, once they are ``count``. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while len(found := await telephones(stack, room)) < count:  # noqa: ASYNC110 - of another process
            await asyncio.sleep(POLL_S)
    return found


async def nobody_left(stack: Stack, room: str = "lobby", seconds: float = 5.0, but: tuple[str, ...] = ()) -> None:
    """Returns when no leg is in the room ``but`` those participants'. Raises AssertionError."""
    left: set[str] = set()
    try:
        async with asyncio.timeout(seconds):
            while left := set(await telephones(stack, room)) - set(but):  # noqa: ASYNC110 - of another process
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        raise AssertionError(f"legs are left: {left}") from None
