"""Real processes under the supervisor: started, listened to, probed, signalled; decisions stand in ``confero.up.supervisor``."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Sequence
from typing import BinaryIO

import aiohttp

from confero.runtime.tasks import TaskBag, spawn
from confero.up.plan import Child
from confero.up.supervisor import Action, Kill, Policy, Spawn, Supervisor, Terminate

NOT_READY = 503
"""What ``/ready`` answers then."""
READY_POLL_S = 0.1
HEALTH_POLL_S = 2.0
PROBE_S = 2.0
"""Seconds that one probe may take."""
HUNG_S = 20.0
"""A ready service that has not answered ``/health`` for so long is killed and started again."""
OUTPUT_S = 1.0
"""Once a process has ended, its output is read on for so long; it has left something running if there is more."""
TAIL_LINES = 20
MAX_LINE = 65_536
"""Bytes; a longer line of output is cut there and goes on as another."""
EXIT_NO_COMMAND = 127
PR_SET_PDEATHSIG = 1
"""prctl(2)."""

_libc = ctypes.CDLL(None) if sys.platform == "linux" else None
# Opened here, because between fork and exec opening a library is not safe.


def _die_with_parent(parent: int) -> None:
    """In the child, before it becomes the service: should ``up`` die, even by SIGKILL, it gets SIGTERM (Linux)."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:  # it died before the line above
            os._exit(1)


class Lines:
    """Cuts a stream of bytes into lines of bounded length."""

    def __init__(self, limit: int = MAX_LINE) -> None:
        self._limit = limit
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that are complete now, without their ends; ``b""`` says that the stream has ended."""
        if not data:
            last, self._rest = self._rest, b""
            return [last] if last else []
        *lines, self._rest = (self._rest + data).split(b"\n")
        while len(self._rest) > self._limit:
            lines.append(self._rest[: self._limit])
            self._rest = self._rest[self._limit :]
        return lines


class Process:
    """One running child. Its output is passed on line by line, and the last lines are kept."""

    def __init__(self, process: asyncio.subprocess.Process, output: BinaryIO, prefix: str, tail: deque[str]) -> None:
        self._process = process
        self._output = output
        self._prefix = prefix.encode()
        self._tail = tail

    @classmethod
    async def start(cls, child: Child, output: BinaryIO, prefix: str, tail: deque[str]) -> Process:
        """Raises OSError if the command cannot be run."""
        parent = os.getpid()
        process = await asyncio.create_subprocess_exec(
            *child.command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=dict(child.env),
            # Ctrl-C at the terminal is for ``up`` alone, which stops the services in their order.
            start_new_session=True,
            preexec_fn=lambda: _die_with_parent(parent),
        )
        return cls(process, output, prefix, tail)

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, number: signal.Signals) -> None:
        """Nothing happens if it has ended."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    async def wait(self) -> int:
        """Passes output on until the process has ended; its exit code, negative for a signal."""
        copying = spawn(self._copy(), name=f"output of {self.pid}")
        code = await self._process.wait()
        await asyncio.wait([copying], timeout=OUTPUT_S)
        copying.cancel()
        return code

    async def _copy(self) -> None:
        assert self._process.stdout is not None
        lines, data = Lines(), b"-"
        while data:
            data = await self._process.stdout.read(MAX_LINE)
            for line in lines.feed(data):
                self._tail.append(line.decode(errors="replace"))
                self._output.write(self._prefix + line + b"\n")
            self._output.flush()


class Runner:
    """Runs children under a supervisor until it has stopped them all."""

    def __init__(
        self,
        children: Sequence[Child],
        report: Callable[[Action, Sequence[str]], None],
        *,
        output: BinaryIO,
        prefixed: bool,
        policy: Policy | None = None,
        hung_s: float = HUNG_S,
    ) -> None:
        """``report`` is told of every action with the last lines of that service's output. ``output`` takes the children's
        own; ``prefixed``: each line after the service's name, for people.
        """
        self._children = {child.name: child for child in children}
        self._supervisor = Supervisor({child.name: child.after for child in children}, policy)
        self._report = report
        self._output = output
        self._prefixed = prefixed
        self._hung_s = hung_s
        self._tails: dict[str, deque[str]] = {name: deque(maxlen=TAIL_LINES) for name in self._children}
        self._processes: dict[str, Process] = {}
        self._early: dict[str, signal.Signals] = {}
        """Signals for processes that are only just being started."""
        self._bag = TaskBag()
        self._finished = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._http: aiohttp.ClientSession | None = None

    async def run(self) -> int:
        """The exit code: 0 after ``stop``, 1 if a service could not be kept running. Call once."""
        timeout = aiohttp.ClientTimeout(total=PROBE_S)
        async with aiohttp.ClientSession(timeout=timeout) as self._http:
            self._supervisor.start(self._now())
            self._pump()
            await self._finished.wait()
            if self._timer is not None:
                self._timer.cancel()
            await self._bag.close()
        return self._supervisor.exit_code

    def stop(self) -> None:
        """Ends all services in order; called again, at once. ``run`` returns when they have ended."""
        self._supervisor.stop(self._now())
        self._pump()

    def pid(self, name: str) -> int | None:
        """The process of a service, if it runs."""
        process = self._processes.get(name)
        return process.pid if process else None

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _pump(self) -> None:
        """After everything that has happened: acts, and arms the one timer."""
        while action := self._supervisor.next_action():
            self._act(action)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if (at := self._supervisor.get_timer()) is not None:
            self._timer = asyncio.get_running_loop().call_at(at, self._timer_due)
        if self._supervisor.finished:
            self._finished.set()

    def _timer_due(self) -> None:
        self._supervisor.handle_timer(self._now())
        self._pump()

    def _act(self, action: Action) -> None:
        match action:
            case Spawn(name):
                self._bag.spawn(self._live(self._children[name]), name=f"{name}: process")
            case Terminate(name):
                self._signal(name, signal.SIGTERM)
            case Kill(name):
                self._signal(name, signal.SIGKILL)
        tail = () if action.name is None else tuple(self._tails[action.name])
        self._report(action, tail)

    def _signal(self, name: str, number: signal.Signals) -> None:
        if process := self._processes.get(name):
            process.send(number)
        else:
            self._early[name] = number

    async def _live(self, child: Child) -> None:
        """One life of one process, from start to exit."""
        tail = self._tails[child.name]
        tail.clear()
        prefix = f"{child.name:<9} | " if self._prefixed else ""
        try:
            process = await Process.start(child, self._output, prefix, tail)
        except OSError as error:
            tail.append(f"{child.command[0]}: {error.strerror}")
            self._exited(child.name, EXIT_NO_COMMAND)
            return
        self._processes[child.name] = process
        if early := self._early.pop(child.name, None):
            process.send(early)
        probing = self._bag.spawn(self._probe(child), name=f"{child.name}: probe")
        code = await process.wait()
        probing.cancel()
        del self._processes[child.name]
        self._exited(child.name, code)

    def _exited(self, name: str, code: int) -> None:
        self._early.pop(name, None)
        self._supervisor.process_exited(name, code, self._now())
        self._pump()

    async def _probe(self, child: Child) -> None:
        """Until the process ends: is it ready, and does it then go on answering?"""
        if child.url:
            await self._until_ready(child)
        self._supervisor.process_ready(child.name, self._now())
        self._pump()
        answered = self._now()
        while child.url:
            await asyncio.sleep(min(HEALTH_POLL_S, self._hung_s / 4))
            if await self._answers(child.url + "/health"):
                answered = self._now()
            elif self._now() - answered >= self._hung_s:
                self._supervisor.process_hung(child.name, self._now())
                self._pump()
                return

    async def _until_ready(self, child: Child) -> None:
        while (status := await self._status(child.url + "/ready")) != 200:
            if status == NOT_READY:
                self._supervisor.process_waiting(child.name, self._now())
            await asyncio.sleep(READY_POLL_S)

    async def _answers(self, url: str) -> bool:
        return await self._status(url) == 200

    async def _status(self, url: str) -> int:
        """0: no answer."""
        assert self._http is not None
        try:
            async with self._http.get(url) as response:
                return response.status
        except (aiohttp.ClientError, TimeoutError, OSError):
            return 0
