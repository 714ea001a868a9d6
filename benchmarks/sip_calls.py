"""Whole calls against whole services: INVITE, 200, ACK, BYE by sipp, each with a leg at the MCU, and many at once with sound.

    python benchmarks/sip_calls.py              the tables of docs/benchmarks.md, in five minutes
    python benchmarks/sip_calls.py --quick      few calls: shows that it runs, not how fast
    python benchmarks/sip_calls.py --one-core   all services on one core, sipp on another

Set-up time is what sipp sees from INVITE to 200. The rooms stand before; in each somebody talks all the time, so that every call
is sent 50 packets a second; the callers are silent. Many at once come first, while memory is what the services have started with;
at the end nobody calls until the gateway has forgotten all calls.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import sip_tables
from report import machine, save, show
from sipp_counts import Seen, seen

from confero.lab.bench import counters
from confero.lab.members import RtpMember
from confero.lab.signals import sources
from confero.lab.stack import SERVICES, Stack
from confero.models import RoomSpec, RoomState

NETWORK = 78
CONCERNED = ("appserver", "notifier", "mcu", "sipgw")
"""Whom a call goes through, in the order of the tables."""
SCENARIO = Path(__file__).resolve().parent / "sip_call.xml"
SETTINGS = {
    "CONFERO_APPSERVER_STRANGERS_PER_MINUTE": "1000000",
    "CONFERO_APPSERVER_ROOM_CREATIONS_PER_MINUTE": "1000000",
    "CONFERO_SIPGW_REQUESTS_PER_S": "1000000",
    "CONFERO_SIPGW_REQUEST_BURST": "1000000",
    "CONFERO_SIPGW_UNPROVEN_CALLS": "1000000",
}
"""One address makes all the calls: what guards against that is out of the way."""
ROOMS = 10
ROOM_LIMIT = 400
WARM_CALLS = 300
"""Before anything is measured: connections are open, memory has its size."""
SIPP_HOST = f"127.0.{NETWORK}.101"
TOLERANCE = 20
"""Seconds that a run may take beyond what it should."""
REMEMBERED = 'sipgw_transactions{side="server"}'
"""The gateway's metric of requests that may come again."""
QUIET_S = 75.0
"""Twice what RFC 3261 has it remember them for, and more."""


@dataclass(frozen=True)
class Run:
    """One run of sipp: ``calls`` calls at ``rate`` a second, each held for ``hold_s``."""

    rate: int
    calls: int
    hold_s: float


class Bench:
    """A running system with its rooms. ``opened`` makes it."""

    def __init__(self, stack: Stack, home: Path, rooms: list[str], *, one_core: bool) -> None:
        self._stack = stack
        self._home = home
        self._one_core = one_core
        self._number = 0
        (home / "rooms.csv").write_text("SEQUENTIAL\n" + "".join(f"{room}\n" for room in rooms))

    async def run(self, run: Run) -> Seen:
        """Raises RuntimeError when sipp does not come to its end."""
        process, files = await self.start(run)
        longest = run.calls / run.rate + run.hold_s + TOLERANCE
        try:
            async with asyncio.timeout(longest + 10):
                await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
        return seen(*files)

    async def start(self, run: Run) -> tuple[asyncio.subprocess.Process, tuple[Path, Path]]:
        """sipp at work, and where it writes its counts and times."""
        self._number += 1
        folder = self._home / f"run{self._number}"
        folder.mkdir()
        longest = run.calls / run.rate + run.hold_s + TOLERANCE
        command = (
            *(shutil.which("sipp") or "sipp", f"{self._stack.addresses['sipgw']}:5060", "-sf", str(SCENARIO)),
            *("-inf", str(self._home / "rooms.csv"), "-i", SIPP_HOST, "-mi", SIPP_HOST, "-p", str(6000 + self._number)),
            *("-mp", "9200", "-r", str(run.rate), "-m", str(run.calls), "-l", str(run.calls)),
            *("-d", str(round(run.hold_s * 1000)), "-timeout", f"{longest:.0f}s", "-nostdin", "-buff_size", "4194304"),
            *("-trace_stat", "-stf", str(folder / "stat.csv"), "-fd", "1", "-trace_rtt", "-rtt_freq", "1"),
        )
        quiet = asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(
            *command, cwd=folder, stdin=quiet, stdout=quiet, stderr=quiet, env={**os.environ, "TERM": "dumb"}
        )
        if self._one_core:
            counters.pin(process.pid, counters.cores()[1])
        return process, (folder / "stat.csv", folder)

    async def figure(self, service: str, name: str) -> int:
        """One of a service's metrics."""
        async with aiohttp.ClientSession() as http, http.get(f"{self._stack.url(service)}/metrics") as response:
            text = await response.text()
        found = next(line for line in text.splitlines() if line.startswith(f"confero_{name}"))
        return int(float(found.rsplit(" ", 1)[1]))

    async def legs(self) -> int:
        """At the MCU now, without the talkers."""
        return await self.figure("mcu", "mcu_legs") - ROOMS

    async def empty(self) -> None:
        """Until all that the run before has left has ended, a minute at most."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(60):
                while await self.legs() > 0:  # noqa: ASYNC110 - of another process
                    await asyncio.sleep(0.5)

    async def reading(self) -> counters.Reading:
        return await counters.read(self._stack)


@contextlib.asynccontextmanager
async def opened(*, one_core: bool, warm: int = WARM_CALLS) -> AsyncIterator[Bench]:
    """The services on addresses of their own, rooms with a talker each, warmed up."""
    os.environ.update(SETTINGS)
    async with contextlib.AsyncExitStack() as cleanup:
        home = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="confero-sip-")))
        stack = Stack(home / "state", network=NETWORK)
        await stack.start()
        cleanup.push_async_callback(stack.stop)
        mcu = stack.client("mcu")
        cleanup.push_async_callback(mcu.close)
        rooms = [await stack.make_room(max_participants=ROOM_LIMIT) for _ in range(ROOMS)]
        bench = Bench(stack, home, rooms, one_core=one_core)
        for index, room in enumerate(rooms):
            await mcu.call("PUT", f"/v1/rooms/{room}", body=RoomSpec(max_participants=ROOM_LIMIT), reply=RoomState)
            said = sources.tone(300.0 + 50 * index, 10.0)
            talker = RtpMember("Talker", said, mcu=mcu, room=room, host=f"127.0.{NETWORK}.110")
            cleanup.push_async_callback(talker.leave)
            await talker.join()
        if one_core:
            for service in SERVICES:
                counters.pin(stack.pid(service), counters.cores()[0])
        await bench.run(Run(50, warm, 0.2))
        yield bench


async def rate(bench: Bench, run: Run) -> dict[str, Any]:
    """Calls a second: how long they take to be set up, and what they cost."""
    before, begun = await bench.reading(), asyncio.get_running_loop().time()
    found = await bench.run(run)
    after, elapsed = await bench.reading(), asyncio.get_running_loop().time() - begun
    calls = max(found.calls, 1)
    used = {name: after.process_s[name] - before.process_s[name] for name in CONCERNED}
    return {
        "case": "rate",
        "calls_per_s": run.rate,
        "calls": found.calls,
        "failed": found.failed,
        "retransmissions": found.retransmissions,
        "setup_ms": {f"p{percent}": round(found.percentile(percent), 1) for percent in (50, 95, 99)},
        "cpu_ms_per_call": {name: round(1000 * seconds / calls, 2) for name, seconds in used.items()},
        "cores": round(sum(used.values()) / elapsed, 2),
        "rss_mb": megabytes(after),
        "elapsed_s": round(elapsed, 1),
    }


async def together(bench: Bench, calls: int, speed: int, hold_s: float, before: counters.Reading) -> dict[str, Any]:
    """Many calls at once: what one takes of memory, and all of them of the machine while they are sent sound.

    ``before``: when the services had just started. Memory that calls before these have left is used again.
    """
    run = Run(speed, calls, hold_s + calls / speed)
    process, files = await bench.start(run)
    await asyncio.sleep(calls / speed + 3)
    full, begun = await bench.reading(), asyncio.get_running_loop().time()
    legs = await bench.legs()
    await asyncio.sleep(max(1.0, hold_s - 6))
    after, elapsed = await bench.reading(), asyncio.get_running_loop().time() - begun
    async with asyncio.timeout(run.hold_s + calls / speed + TOLERANCE):
        await process.wait()
    await bench.empty()
    found = seen(*files)
    return {
        "case": "together",
        "calls": calls,
        "legs": legs,
        "failed": found.failed,
        "retransmissions": found.retransmissions,
        "setup_ms": {f"p{percent}": round(found.percentile(percent), 1) for percent in (50, 95, 99)},
        "kb_per_call": {name: round((full.rss_kb[name] - before.rss_kb[name]) / calls, 1) for name in CONCERNED},
        "cores": {name: round((after.process_s[name] - full.process_s[name]) / elapsed, 3) for name in CONCERNED},
        "media_core": round((after.media_ns - full.media_ns) / 1e9 / elapsed, 3),
        "late_ticks": round(after.engine.get("late_ticks", 0) - full.engine.get("late_ticks", 0)),
        "left": await bench.legs(),
    }


async def rest(bench: Bench, longest_s: float) -> dict[str, Any]:
    """Nobody calls until the gateway has forgotten all calls, or for ``longest_s``: what memory is kept then."""
    loop = asyncio.get_running_loop()
    busy, begun = await bench.reading(), loop.time()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(longest_s):
            while await bench.figure("sipgw", REMEMBERED) > 0:  # noqa: ASYNC110 - of another process
                await asyncio.sleep(0.5)
    return {
        "case": "rest",
        "after_s": round(loop.time() - begun, 1),
        "remembered": await bench.figure("sipgw", REMEMBERED),
        "busy_rss_mb": megabytes(busy),
        "rss_mb": megabytes(await bench.reading()),
    }


def megabytes(reading: counters.Reading) -> dict[str, float]:
    return {name: round(reading.rss_kb[name] / 1024, 1) for name in CONCERNED}


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    warm: int
    together: tuple[int, ...]
    speed: int
    """Calls a second until they are all there."""
    hold_s: float
    rates: tuple[int, ...]
    seconds: int
    """Of each rate."""
    quiet_s: float


WHOLE = Size(WARM_CALLS, (250, 1000), 50, 20.0, (50, 100, 150, 200), 15, QUIET_S)
QUICK = Size(20, (20,), 20, 4.0, (20,), 2, 1.0)


async def measure(size: Size, *, one_core: bool) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []

    def keep(row: dict[str, Any]) -> None:
        rows.append(row | {"one_core": one_core})
        show(sip_tables.line(row))

    async with opened(one_core=one_core, warm=size.warm) as bench:
        started = await bench.reading()
        show(sip_tables.TOGETHER)
        for calls in size.together:
            keep(await together(bench, calls, size.speed, size.hold_s, started))
        show(sip_tables.RATE)
        for speed in size.rates:
            keep(await rate(bench, Run(speed, speed * size.seconds, 1.0)))
            await bench.empty()
        keep(await rest(bench, size.quiet_s))
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few calls")
    parser.add_argument("--one-core", action="store_true", help="all services on one core, sipp on another")
    parser.add_argument("--out", type=Path, help="where the JSON goes (default: benchmarks/results/sip_calls.json)")
    options = parser.parse_args()
    facts = machine("whole services")
    show(f"CPU and memory: {' + '.join(CONCERNED)}; set-up: p50 / p95 / p99")
    rows = asyncio.run(measure(QUICK if options.quick else WHOLE, one_core=options.one_core))
    show(f"written to {save('sip_calls', facts, rows, options.out)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
