"""Events to browsers: the notifier, and a plain aiohttp broadcaster beside it in the same run, each on one core.

    python benchmarks/notifier.py            the tables of docs/benchmarks.md: 10,000 WebSockets, 1,000 of them in the hall; then
                                             fewer streams of server-sent events, and long polls
    python benchmarks/notifier.py --way poll one of the ways
    python benchmarks/notifier.py --quick    few connections: shows that it runs and that nothing is lost, not how fast
    python benchmarks/notifier.py --only ours

The server has core 0, everything else core 1: the browsers' sockets (``notifier_clients.py``), and the stand-ins for the
application server and the media server, which are asked at each join. An event is six active speakers. A delay begins before the
publisher's POST and ends when the browser's process has read the event; all run at real-time priority meanwhile, where that is
permitted. Every event has to come to every member of the hall, once, in order.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import resource
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from notifier_ways import WAYS
from report import machine, save, show

from confero.models import ActiveSpeaker, Publish, RoomState, SpeakersEvent, TokenGrant
from confero.tokens import service_token

HERE = Path(__file__).resolve().parent
SERVERS = ("ours", "plain")
SECRET = b"a secret of the benchmark of 32 characters"
HALL = "hall"
GROUP = 10
"""Members of each room beside the hall."""
PER_PROCESS = 2500
SERVER_CORE, LOAD_CORE = "0", str(min(1, (os.cpu_count() or 1) - 1))


@dataclass(frozen=True)
class Load:
    connections: int = 10_000
    hall: int = 1000
    rate: float = 20.0
    """Events a second."""
    seconds: float = 30.0
    idle_s: float = 20.0
    """Two rounds of pings."""
    way: str = "websocket"


LOADS = (Load(), Load(1000, 500, way="stream"), Load(500, 250, rate=4.0, way="poll"))
"""A poll is a request for each event: a thousand a second are what a core has time for, with room to spare."""


class StandIns:
    """Application server and media server, as far as a join asks them: a token is ``participant.room``, rooms are empty."""

    def __init__(self) -> None:
        self.url = ""

    async def start(self) -> web.AppRunner:
        app = web.Application()
        app.router.add_post("/internal/v1/tokens/validate", self._validate)
        app.router.add_route("*", "/internal/v1/sessions", self._told)
        app.router.add_get("/v1/rooms/{room}", self._room)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return runner

    async def _validate(self, request: web.Request) -> web.Response:
        participant, _, room = (await request.json())["token"].partition(".")
        grant = TokenGrant(
            participant=participant,
            display_name=participant,
            role="guest",
            room=room,
            room_name=room,
            max_participants=2000,
            mcu="mcu",
            mcu_url=self.url,
            expires=time.time() + 3600,
        )
        return web.json_response(text=grant.model_dump_json())

    async def _told(self, request: web.Request) -> web.Response:
        await request.read()
        return web.Response(status=204)

    async def _room(self, request: web.Request) -> web.Response:
        room = request.match_info["room"]
        state = RoomState(id=room, name=room, max_participants=2000, participants=[])
        return web.json_response(text=state.model_dump_json())


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def command(server: str, port: int, appserver: str, folder: Path) -> list[str]:
    if server == "plain":
        return [sys.executable, str(HERE / "notifier_plain.py"), str(port)]
    options = {
        "state-dir": folder,
        "http-port": port,
        "appserver-url": appserver,
        "max-connections": 20_000,
        "max-connections-per-source": 20_000,
        "log-level": "warning",
    }
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    return [sys.executable, "-m", "confero.notifier", *words]


@contextlib.asynccontextmanager
async def running(server: str, appserver: str, folder: Path) -> AsyncIterator[tuple[int, int]]:
    """The server's process id and port; it is ended at the end."""
    port = free_port()
    env = {**os.environ, "CONFERO_SECRET": SECRET.decode()}
    whole = ["taskset", "-c", SERVER_CORE, *command(server, port, appserver, folder)]
    process = await asyncio.create_subprocess_exec(*whole, env=env)
    try:
        for _ in range(300):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.2):
                break
            await asyncio.sleep(0.1)
        else:
            raise SystemExit(f"{server} does not answer")
        yield process.pid, port
    finally:
        process.terminate()
        await process.wait()


def cpu_s(pid: int) -> float:
    """Seconds of CPU, of user and system, that the process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_kb(pid: int) -> int:
    """Resident memory of the process, kB (proc(5), VmRSS)."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


def at_once(*pids: int) -> None:
    """From now on real-time priority, where that is permitted: what else runs delays none of them."""
    for pid in pids:
        with contextlib.suppress(PermissionError):
            os.sched_setscheduler(pid, os.SCHED_FIFO, os.sched_param(1))


async def crowd(port: int, load: Load) -> list[asyncio.subprocess.Process]:
    """The browsers, all of them in."""
    processes = []
    for index, first in enumerate(range(0, load.connections, PER_PROCESS)):
        count = min(PER_PROCESS, load.connections - first)
        hall = load.hall * (first + count) // load.connections - load.hall * first // load.connections
        numbers = {"port": port, "first": first, "count": count, "hall": hall, "group": GROUP}
        words = [word for name, value in numbers.items() for word in (f"--{name}", str(value))]
        words += ["--way", load.way, "--source", f"127.5.0.{index + 1}"]
        pipe = asyncio.subprocess.PIPE
        clients = ("taskset", "-c", LOAD_CORE, sys.executable, str(HERE / "notifier_clients.py"), *words)
        processes.append(await asyncio.create_subprocess_exec(*clients, stdin=pipe, stdout=pipe))
    for process in processes:
        assert process.stdout is not None
        if await process.stdout.readline() != b"ready\n":
            raise SystemExit("a process of browsers has failed")
    return processes


def event(number: int) -> str:
    """The body of one publication: the number and the time now stand in the name of the first speaker."""
    names = [f"n{number}-{time.monotonic_ns()}", *(f"par_0123456789abcdef{other}" for other in range(5))]
    speakers = [ActiveSpeaker(participant=name, level=20 + index) for index, name in enumerate(names)]
    return Publish(room=HALL, events=[SpeakersEvent(speakers=speakers)]).model_dump_json()


async def publish(port: int, load: Load) -> int:
    """Send at the load's rate, each when it is due; how many there were."""
    token = service_token("appserver", "notifier", secret=SECRET, now=time.time())
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    count = round(load.rate * load.seconds)
    begun = time.monotonic()
    async with aiohttp.ClientSession(headers=headers) as http:
        for number in range(count):
            await asyncio.sleep(max(0.0, begun + number / load.rate - time.monotonic()))
            async with http.post(f"http://127.0.0.1:{port}/internal/v1/publish", data=event(number)) as response:
                response.raise_for_status()
    await asyncio.sleep(max(0.0, begun + load.seconds - time.monotonic()))
    return count


async def result(process: asyncio.subprocess.Process, numbered: int) -> dict[str, Any]:
    out, _ = await process.communicate(f"{numbered}\n".encode())
    seen: dict[str, Any] = json.loads(out)
    return seen


def quantile(delays: Counter[int], part: float) -> float:
    """Milliseconds under which this part of the delays stays."""
    left = part * delays.total()
    for bucket in sorted(delays):
        left -= delays[bucket]
        if left <= 0:
            return (bucket + 1) / 10
    return 0.0


async def measure(server: str, load: Load, appserver: str, folder: Path) -> dict[str, Any]:
    async with running(server, appserver, folder) as (pid, port):
        empty_kb, begun = resident_kb(pid), cpu_s(pid)
        processes = await crowd(port, load)
        joining_s = cpu_s(pid) - begun
        at_once(0, pid, *(process.pid for process in processes))
        await asyncio.sleep(min(3.0, load.idle_s))
        full_kb, begun = resident_kb(pid), cpu_s(pid)
        await asyncio.sleep(load.idle_s)
        idle_s, begun = cpu_s(pid) - begun, cpu_s(pid)
        sent = await publish(port, load)
        seen = await asyncio.gather(*(result(process, sent) for process in processes))
        busy_s = cpu_s(pid) - begun
    delays = Counter[int]()
    for one in seen:
        delays.update({int(bucket): count for bucket, count in one["delays"].items()})
    delivered = sum(one["events"] for one in seen)
    if closed := sum((Counter(one["closed"]) for one in seen), Counter()):
        show(f"{server}, {load.way}: connections were closed, by code: {dict(closed)}")
    return {
        "server": server,
        "way": load.way,
        "connections": load.connections,
        "hall": load.hall,
        "rate": load.rate,
        "delivered": delivered,
        "faults": sum(one["faults"] for one in seen),
        "p50_ms": quantile(delays, 0.5),
        "p99_ms": quantile(delays, 0.99),
        "max_ms": quantile(delays, 1.0),
        "us_per_event": round(1e6 * busy_s / max(1, delivered), 2),
        "idle_cores": round(idle_s / load.idle_s, 3),
        "busy_cores": round(busy_s / load.seconds, 3),
        "kb_per_connection": round((full_kb - empty_kb) / load.connections, 1),
        "ms_per_join": round(1e3 * joining_s / load.connections, 2),
    }


async def measure_all(servers: Sequence[str], loads: Sequence[Load]) -> list[dict[str, Any]]:
    stand_ins = StandIns()
    runner = await stand_ins.start()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        for load, server in product(loads, servers):
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
            rows.append(await measure(server, load, stand_ins.url, Path(name)))
    await runner.cleanup()
    return rows


def table(rows: Sequence[dict[str, Any]]) -> None:
    show(f"| {' | '.join(rows[0])} |\n|{'---|' * len(rows[0])}")
    for row in rows:
        show(f"| {' | '.join(str(value) for value in row.values())} |")


def loads_of(options: argparse.Namespace) -> list[Load]:
    """What is to be measured, as asked for."""
    loads = [load for load in LOADS if options.way in (None, load.way)]
    if options.quick:
        return [Load(60, 40, 50.0 if load.way != "poll" else 10.0, 1.0, idle_s=0.5, way=load.way) for load in loads]
    names = ("connections", "hall", "rate", "seconds")
    given = {name: value for name in names if (value := getattr(options, name)) is not None}
    return [replace(load, **given) for load in loads]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="60 connections of each kind, a second")
    parser.add_argument("--only", choices=SERVERS)
    parser.add_argument("--way", choices=WAYS)
    parser.add_argument("--connections", type=int)
    parser.add_argument("--hall", type=int, help="members of the room that hears events")
    parser.add_argument("--rate", type=float, help="events a second")
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--out", type=Path, help="where the JSON goes (default: benchmarks/results/notifier.json)")
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    loads = loads_of(options)
    facts = machine("one process of Python on one core")
    rows = asyncio.run(measure_all([options.only] if options.only else SERVERS, loads))
    table(rows)
    show(f"written to {save('notifier', facts, rows, options.out)}")
    return 1 if any(row["faults"] for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
