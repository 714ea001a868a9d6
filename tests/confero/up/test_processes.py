"""The process shell with real processes: tiny services are started, killed, hung, and come back."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from confero.runtime.tasks import spawn
from confero.up.plan import Child
from confero.up.processes import Lines, Runner
from confero.up.supervisor import Action, AllReady, GaveUp, Kill, Policy, Ready, Restarting, Terminate

FAKE = Path(__file__).with_name("fake_service.py")
QUICK = Policy(first_delay=0.05, max_delay=0.1, stable_after=0.2, start_within=10, stop_within=1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def fake(name: str, *mode: str, after: tuple[str, ...] = ()) -> Child:
    port = free_port()
    command = (sys.executable, str(FAKE), str(port), *mode)
    return Child(name, command, dict(os.environ), after, f"http://127.0.0.1:{port}")


class World:
    """A runner at work, and what it has reported."""

    def __init__(self, *children: Child, policy: Policy = QUICK, hung_s: float = 20, prefixed: bool = True) -> None:
        self.actions: list[Action] = []
        self.tails: list[Sequence[str]] = []
        self._changed = asyncio.Event()
        self.output = io.BytesIO()
        self.runner = Runner(
            children, self._report, output=self.output, prefixed=prefixed, policy=policy, hung_s=hung_s
        )
        self.run = spawn(self.runner.run(), name="runner", logged=False)

    def _report(self, action: Action, tail: Sequence[str]) -> None:
        self.actions.append(action)
        self.tails.append(tuple(tail))
        self._changed.set()

    async def until(self, found: Callable[[Action], bool], seconds: float = 20) -> Action:
        """The first action from now on, or already reported and not yet looked at, that is the one."""
        async with asyncio.timeout(seconds):
            while True:
                for index, action in enumerate(self.actions):
                    if found(action):
                        del self.actions[: index + 1]
                        return action
                self._changed.clear()
                await self._changed.wait()

    async def until_kind(self, kind: type[Action], name: str | None = None) -> Action:
        return await self.until(lambda action: isinstance(action, kind) and action.name == name)

    async def stop(self) -> int:
        self.runner.stop()
        async with asyncio.timeout(20):
            return await self.run


@contextlib.asynccontextmanager
async def world(*children: Child, **options: object) -> AsyncIterator[World]:
    """Whatever a test does, no process outlives it."""
    made = World(*children, **options)  # type: ignore[arg-type]
    try:
        yield made
    finally:
        if not made.run.done():
            made.runner.stop()
            made.runner.stop()
            await asyncio.wait([made.run], timeout=10)


async def until_gone(pid: int) -> None:
    while True:
        if not alive(pid):
            return
        await asyncio.sleep(0.02)


def alive(pid: int) -> bool:
    """False for a zombie too: who reaps an orphan, and when, is the machine's affair."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_starts_in_order_and_stops_in_reverse() -> None:
    async with world(fake("a"), fake("b", after=("a",))) as it:
        await it.until_kind(AllReady)
        pids = [it.runner.pid("a"), it.runner.pid("b")]
        assert all(pid is not None and alive(pid) for pid in pids)
        assert await it.stop() == 0
        assert [action for action in it.actions if isinstance(action, Terminate)] == [Terminate("b"), Terminate("a")]
        assert not any(pid is not None and alive(pid) for pid in pids)


async def test_killed_with_9_it_comes_back_as_another_process() -> None:
    async with world(fake("a"), fake("b")) as it:
        await it.until_kind(AllReady)
        before, other = it.runner.pid("a"), it.runner.pid("b")
        assert before is not None
        os.kill(before, signal.SIGKILL)
        restarting = await it.until_kind(Restarting, "a")
        assert isinstance(restarting, Restarting) and restarting.code == -9
        await it.until_kind(Ready, "a")
        assert it.runner.pid("a") not in (None, before) and it.runner.pid("b") == other
        assert await it.stop() == 0


async def test_one_that_says_that_it_waits_is_not_killed(tmp_path: Path) -> None:
    there = tmp_path / "there"
    async with world(fake("a", "waiting", str(there)), fake("b"), policy=replace(QUICK, start_within=1.5)) as it:
        await it.until_kind(Ready, "b")
        await asyncio.sleep(2.5)
        there.touch()
        await it.until_kind(AllReady)
        assert not any(isinstance(action, Kill | Restarting) for action in it.actions)
        assert await it.stop() == 0


async def test_one_that_cannot_start_ends_everything_and_its_words_are_kept() -> None:
    async with world(fake("a"), fake("b", "fail", "1", "port 80 is in use")) as it:
        gave_up = await it.until_kind(GaveUp, "b")
        assert gave_up == GaveUp("b", 1, 5)
        assert await it.run == 1
        assert any("port 80 is in use" in line for tail in it.tails for line in tail)
        assert b"b         | port 80 is in use\n" in it.output.getvalue()


async def test_a_command_that_is_not_there() -> None:
    child = replace(fake("a"), command=("/nonexistent/confero",))
    async with world(child) as it:
        await it.until_kind(GaveUp, "a")
        assert await it.run == 1
        assert any("No such file" in line for tail in it.tails for line in tail)


async def test_one_that_hangs_is_killed_and_comes_back(tmp_path: Path) -> None:
    flag = tmp_path / "deaf"
    async with world(fake("a", "deaf", str(flag)), hung_s=0.4) as it:
        await it.until_kind(AllReady)
        flag.touch()
        await it.until_kind(Kill, "a")
        flag.unlink()
        await it.until_kind(Ready, "a")
        assert await it.stop() == 0


async def test_one_that_ignores_sigterm_is_killed() -> None:
    async with world(fake("a", "stubborn")) as it:
        await it.until_kind(AllReady)
        assert await it.stop() == 0
        assert Kill("a", "it did not end within 1 s") in it.actions


async def test_stop_while_a_process_is_only_just_started() -> None:
    async with world(fake("a")) as it:
        await asyncio.sleep(0)
        assert await it.stop() == 0
        assert it.runner.pid("a") is None


async def test_output_without_line_ends_is_passed_on_in_bounded_pieces() -> None:
    async with world(fake("a", "noisy"), prefixed=False) as it:
        await it.until_kind(AllReady)
        await it.stop()
        lines = it.output.getvalue().split(b"\n")
        assert b"".join(lines) == b"x" * 200_000
        assert max(map(len, lines)) <= 65_536


async def test_children_do_not_outlive_a_killed_supervisor(tmp_path: Path) -> None:
    """SIGKILL leaves no time to stop anything: the kernel tells the children (PR_SET_PDEATHSIG)."""
    port = free_port()
    program = (
        "import asyncio, io, os\n"
        "from confero.up.plan import Child\n"
        "from confero.up.processes import Runner\n"
        f"child = Child('a', ({sys.executable!r}, {str(FAKE)!r}, '{port}'), os.environ, (), 'http://127.0.0.1:{port}')\n"
        "runner = Runner([child], lambda action, tail: print(action, runner.pid('a'), flush=True), output=io.BytesIO(), "
        "prefixed=False)\n"
        "asyncio.run(runner.run())\n"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    async with asyncio.timeout(20):
        while not (line := (await process.stdout.readline()).decode()).startswith("Ready"):
            assert line, "the supervisor has ended"
        child = int(line.split()[-1])
        process.kill()
        await process.wait()
        await until_gone(child)


@pytest.mark.parametrize(
    ("pieces", "lines"),
    [
        ([b"a\nb", b"c\n", b""], [b"a", b"bc"]),
        ([b"no end", b""], [b"no end"]),
        ([b"\n\n", b""], [b"", b""]),
        ([b"123456789", b"\n", b""], [b"1234", b"5678", b"9"]),
        ([b""], []),
    ],
)
def test_lines(pieces: list[bytes], lines: list[bytes]) -> None:
    cutter = Lines(limit=4) if pieces[0].startswith(b"123") else Lines()
    assert [line for piece in pieces for line in cutter.feed(piece)] == lines
