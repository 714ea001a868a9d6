"""The TURN server as a process of its own, in whatever network: what it takes of memory and files is its own alone."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from confero.protocols.turn import issue
from confero.tokens import turn_secret

from ..support.waiting import until

SECRET = "a secret of the turn server's tests 2"
START_S = 20.0
PAGE = os.sysconf("SC_PAGESIZE")


@dataclass(frozen=True)
class Running:
    """A server that is ready."""

    pid: int

    @property
    def resident(self) -> int:
        """Bytes of memory."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * PAGE

    @property
    def descriptors(self) -> int:
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))


def credentials(user: str = "alice") -> tuple[str, str]:
    return issue(turn_secret(SECRET.encode()), user, time.time() + 3600)


@contextlib.asynccontextmanager
async def turn_process(folder: Path, *, namespace: str = "", **settings: object) -> AsyncIterator[Running]:
    """Until the end of the block, where its exit code must be 0; ``settings`` are of ``TurnConfig``, lists as they are written.

    ``namespace``: of ``tests.support.namespaces``.
    """
    values = {"http_port": 0, "appserver_url": "http://127.0.0.1:9", **settings}
    told = {f"CONFERO_TURN_{name.upper()}": str(value) for name, value in values.items()}
    common = {"CONFERO_STATE_DIR": str(folder), "CONFERO_SECRET": SECRET, "CONFERO_DRAIN_S": "0"}
    env = {**os.environ, **told, **common, "PYTHONUNBUFFERED": "1"}
    inside = ("ip", "netns", "exec", namespace) if namespace else ()
    log = folder / "turn.log"
    with log.open("wb") as said:
        process = await asyncio.create_subprocess_exec(
            *inside, sys.executable, "-m", "confero.turn", env=env, stdout=said, stderr=said
        )
    try:
        await _ready(process, log)
        yield Running(process.pid)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        code = await asyncio.wait_for(process.wait(), 15)
    assert code == 0 and "Traceback" not in log.read_text(), log.read_text()[-3000:]


async def _ready(process: asyncio.subprocess.Process, log: Path) -> None:
    """It says so itself. AssertionError with what it has said instead."""

    def is_ready() -> bool:
        assert process.returncode is None, log.read_text()[-3000:]
        return '"ready"' in log.read_text()

    await until(is_ready, "the server is ready", START_S)
