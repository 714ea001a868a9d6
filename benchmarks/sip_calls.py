"""Whole calls against whole services: INVITE, 200, ACK, BYE by sipp, each with a leg at the MCU, and many at once with sound.

    python benchmarks/sip_calls.py              the tables of docs/benchmarks.md, in five minutes
    python benchmarks/sip_calls.py --quick      few calls: shows that it runs, not how fast
    python benchmarks/sip_calls.py --one-core   all services on one core, sipp on another

Set-up time is what sipp sees from INVITE to 200. The rooms stand before; in each somebody talks all the time, so that every call
is sent 50 packets a second; the callers are silent.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import csv
import math
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from report import machine, save, show

from confero.lab.bench import counters
from confero.lab.members import RtpMember
from confero.lab.signals import sources
from confero.lab.stack import SERVICES, Stack
from confero.models import RoomSpec, RoomState

NETWORK = 78
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


@dataclass(frozen=True)
class Run:
    """One run of sipp: ``calls`` calls at ``rate`` a second, each held for ``hold_s``."""

    rate: int
    calls: int
    hold_s: float


@dataclass(frozen=True)
class Seen:
    """What sipp counted."""

    calls: int
    failed: int
    retransmissions: int
    setup_ms: list[float]

    def percentile(self, percent: float) -> float:
        ordered = sorted(self.setup_ms)
        return ordered[min(len(ordered) - 1, math.ceil(percent / 100 * len(ordered)) - 1)] if ordered else math.nan


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

    async def legs(self) -> int:
        """At the MCU now, without the talkers."""
        async with aiohttp.ClientSession() as http, http.get(f"{self._stack.url('mcu')}/metrics") as response:
            text = await response.text()
        found = next(line for line in text.splitlines() if line.startswith("confero_mcu_legs"))
        return int(float(found.rsplit(" ", 1)[1])) - ROOMS

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


def seen(stat: Path, folder: Path) -> Seen:
    """From sipp's files: the last line of its counts, and one time for each call."""
    with stat.open(newline="") as file:
        last = list(csv.DictReader(file, delimiter=";"))[-1]
    times: list[float] = []
    for path in folder.glob("*_rtt.csv"):
        with path.open(newline="") as file:
            times += [float(row[1]) for row in list(csv.reader(file, delimiter=";"))[1:]]
    return Seen(int(last["SuccessfulCall(C)"]), int(last["FailedCall(C)"]), int(last["Retransmissions(C)"]), times)


async def rate(bench: Bench, run: Run) -> dict[str, Any]:
    """Calls a second: how long they take to be set up, and what they cost."""
    before, begun = await bench.reading(), asyncio.get_running_loop().time()
    found = await bench.run(run)
    after, elapsed = await bench.reading(), asyncio.get_running_loop().time() - begun
    calls = max(found.calls, 1)
    return {
        "case": "rate",
        "calls_per_s": run.rate,
        "calls": found.calls,
        "failed": found.failed,
        "retransmissions": found.retransmissions,
        "setup_ms": {f"p{percent}": round(found.percentile(percent), 1) for percent in (50, 95, 99)},
        "cpu_ms_per_call": {
            name: round(1000 * (after.process_s[name] - before.process_s[name]) / calls, 2) for name in SERVICES
        },
        "cores": round(sum(after.process_s[n] - before.process_s[n] for n in SERVICES) / elapsed, 2),
        "elapsed_s": round(elapsed, 1),
    }


async def together(bench: Bench, calls: int, speed: int, hold_s: float) -> dict[str, Any]:
    """Many calls at once: what one takes of memory, and all of them of the machine while they are sent sound."""
    before = await bench.reading()
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
        "kb_per_call": {name: round((full.rss_kb[name] - before.rss_kb[name]) / calls, 1) for name in SERVICES},
        "cores": {name: round((after.process_s[name] - full.process_s[name]) / elapsed, 3) for name in SERVICES},
        "media_core": round((after.media_ns - full.media_ns) / 1e9 / elapsed, 3),
        "late_ticks": round(after.engine.get("late_ticks", 0) - full.engine.get("late_ticks", 0)),
        "left": await bench.legs(),
    }


async def measure(*, quick: bool, one_core: bool) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    async with opened(one_core=one_core, warm=20 if quick else WARM_CALLS) as bench:
        for speed in (20,) if quick else (50, 100, 150, 200):
            rows.append(await rate(bench, Run(speed, speed * (2 if quick else 15), 1.0)) | {"one_core": one_core})
            await bench.empty()
            show(line(rows[-1]))
        for calls in (20,) if quick else (250, 1000):
            rows.append(await together(bench, calls, 20 if quick else 50, 8 if quick else 20) | {"one_core": one_core})
            show(line(rows[-1]))
    return rows


def line(row: dict[str, Any]) -> str:
    """A row of the tables of docs/benchmarks.md."""
    setup = " / ".join(f"{value:.0f}" for value in row["setup_ms"].values())
    if row["case"] == "rate":
        what, cores = f"{row['calls_per_s']} calls/s", str(row["cores"])
        cost = " + ".join(f"{value:.1f}" for value in row["cpu_ms_per_call"].values()) + " ms"
    else:
        what = f"{row['calls']} at once ({row['legs']} legs)"
        cores = " + ".join(f"{value:.2f}" for value in row["cores"].values())
        cost = " + ".join(f"{value:.0f}" for value in row["kb_per_call"].values()) + " kB"
    return f"| {what} | {row['failed']} | {row['retransmissions']} | {setup} | {cost} | {cores} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few calls")
    parser.add_argument("--one-core", action="store_true", help="all services on one core, sipp on another")
    parser.add_argument("--out", type=Path, help="where the JSON goes (default: benchmarks/results/sip_calls.json)")
    options = parser.parse_args()
    facts = machine("whole services")
    show(f"CPU and memory: {' + '.join(SERVICES)}; set-up: p50 / p95 / p99 in ms")
    show(
        "| calls | failed | retransmissions | set-up | ms of CPU a call, or memory | cores |\n|---|---|---|---|---|---|"
    )
    rows = asyncio.run(measure(quick=options.quick, one_core=options.one_core))
    show(f"written to {save('sip_calls', facts, rows, options.out)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
