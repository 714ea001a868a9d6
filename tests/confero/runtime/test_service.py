"""The life of a service as a real process: ready, drain, stop, and the exit codes of everything that goes wrong."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from confero.runtime.service import EXIT_CONFIG, EXIT_FAILED, EXIT_OK, notify

FAKE = Path(__file__).with_name("fake_app.py")


class Running:
    """The process, and what it logs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.records: list[dict[str, Any]] = []
        self.other: list[str] = []

    async def until(self, event: str, seconds: float = 20) -> dict[str, Any]:
        """Reads on to this record."""
        async with asyncio.timeout(seconds):
            while record := await self.record():
                if record["event"] == event:
                    return record
        raise AssertionError(f"no {event!r}; there were {self.records} {self.other}")

    async def record(self) -> dict[str, Any] | None:
        assert self.process.stderr is not None
        while line := (await self.process.stderr.readline()).decode():
            with contextlib.suppress(ValueError):
                self.records.append(json.loads(line))
                return self.records[-1]
            self.other.append(line.rstrip())
        return None

    async def end(self, seconds: float = 20) -> int:
        """Reads to the end; the exit code."""
        async with asyncio.timeout(seconds):
            while await self.record():
                pass
            return await self.process.wait()

    @property
    def events(self) -> list[str]:
        return [record["event"] for record in self.records]


@contextlib.asynccontextmanager
async def running(mode: str, *argv: str, **env: str) -> AsyncIterator[Running]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(FAKE), mode, *argv, stderr=asyncio.subprocess.PIPE, env={**os.environ, **env}
    )
    try:
        yield Running(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_ready_drain_stop(number: signal.Signals) -> None:
    async with running("plain") as it:
        ready = await it.until("ready")
        assert ready["service"] == "fake" and ready["pid"] == it.process.pid
        it.process.send_signal(number)
        assert await it.end() == EXIT_OK
        assert it.events == ["app starts", "ready", "signal", "app drains", "app stops", "stopped"]


async def test_a_drain_is_cut_short_after_its_time() -> None:
    async with running("slow-drain", "--drain-s", "0.1") as it:
        await it.until("ready")
        it.process.terminate()
        assert await it.end() == EXIT_OK
        assert it.events[-4:] == ["drain cut short", "app drain cancelled", "app stops", "stopped"]


async def test_a_second_signal_ends_the_drain() -> None:
    async with running("slow-drain", "--drain-s", "600") as it:
        await it.until("ready")
        it.process.terminate()
        await it.until("app drains")
        it.process.send_signal(signal.SIGINT)
        assert await it.end() == EXIT_OK
        assert it.events[-4:] == ["drain cut short", "app drain cancelled", "app stops", "stopped"]


async def test_a_third_signal_ends_the_process() -> None:
    async with running("slow-stop", "--drain-s", "600") as it:
        await it.until("ready")
        it.process.terminate()
        await it.until("app drains")
        it.process.terminate()
        await it.until("app stops")
        it.process.terminate()
        assert await it.end() == 128 + signal.SIGTERM


@pytest.mark.parametrize(
    ("mode", "code", "reason", "trace"),
    [
        ("refuses", EXIT_FAILED, "cannot listen on 127.0.0.1:80: Permission denied", False),
        ("os-error", EXIT_FAILED, "[Errno 13] Permission denied: '/x'", False),
        ("crashes", EXIT_FAILED, "KeyError", True),
        ("config", EXIT_CONFIG, "1 fault in the configuration\n  /x/secret: others may read it", False),
    ],
)
async def test_one_that_cannot_start_says_why_in_one_line(mode: str, code: int, reason: str, trace: bool) -> None:
    async with running(mode) as it:
        assert await it.end() == code
        (record,) = [record for record in it.records if record["event"] == "cannot start"]
        assert record["reason"] == reason and ("exception" in record) is trace
        assert "ready" not in it.events and it.events[-2:] == ["app stops", "stopped"], "what was opened is closed"


async def test_a_signal_during_the_start_ends_it() -> None:
    async with running("slow-start") as it:
        await it.until("app starts")
        it.process.terminate()
        assert await it.end() == EXIT_OK
        assert "ready" not in it.events and "app stops" in it.events


async def test_an_error_while_stopping_is_told_by_the_exit_code() -> None:
    async with running("bad-stop") as it:
        await it.until("ready")
        it.process.terminate()
        assert await it.end() == EXIT_FAILED
        assert "stop failed" in it.events


async def test_errors_that_nobody_handles_are_logged_once_and_do_not_end_it() -> None:
    async with running("callback") as it:
        record = await it.until("unhandled in the event loop")
        assert "RuntimeError: in a callback" in record["exception"]
        await it.until("ready")
        it.process.terminate()
        assert await it.end() == EXIT_OK
        assert it.events.count("unhandled in the event loop") == 1 and it.other == []


async def test_a_wrong_configuration_is_one_text_and_code_2() -> None:
    async with running("plain", "--nope", "--drain-s", "x") as it:
        assert await it.end() == EXIT_CONFIG
        assert it.other[0] == "fake: 2 faults in the configuration" and len(it.other) == 3


async def test_systemd_is_told(tmp_path: Path) -> None:
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(address)
        channel.settimeout(20)
        async with running("plain", NOTIFY_SOCKET=address) as it:
            assert await asyncio.to_thread(channel.recv, 100) == b"READY=1"
            it.process.terminate()
            assert await asyncio.to_thread(channel.recv, 100) == b"STOPPING=1"
            assert await it.end() == EXIT_OK


def test_systemd_that_does_not_listen_does_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for address in ("", "vsock:1:2", str(tmp_path / "none"), "@confero-none"):
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        notify("READY=1")
