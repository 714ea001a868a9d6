"""What the operating system and the engine count while a window is measured: CPU of threads and processes, memory, shares."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from confero.lab.stack import SERVICES, Stack

SHARES = ("decode_ns", "mix_ns", "encode_ns", "crypto_ns", "io_ns")
"""Fields of ``cf_core_stats``: where the media thread's time goes."""
TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Reading:
    """All counters at one moment."""

    media_ns: int
    waited_ns: int
    """That media threads were ready to run and had no core."""
    process_s: dict[str, float]
    rss_kb: dict[str, int]
    engine: dict[str, float]

    def since(self, before: Reading, seconds: float) -> dict[str, object]:
        """A row's figures of the window between two readings."""
        engine = {name: self.engine[name] - before.engine.get(name, 0) for name in self.engine}
        media = self.media_ns - before.media_ns
        shares = {name.removesuffix("_ns"): engine[name] for name in SHARES if name in engine}
        return {
            "cpu_percent": round(media / seconds / 1e7, 2),
            "waited_percent": round((self.waited_ns - before.waited_ns) / seconds / 1e7, 2),
            "services_cpu_percent": {
                name: round(100 * (self.process_s[name] - before.process_s[name]) / seconds, 1)
                for name in self.process_s
            },
            "rss_kb": self.rss_kb,
            "shares_percent": {name: round(100 * value / max(media, 1), 1) for name, value in shares.items()},
            "engine": {name: engine[name] for name in sorted(engine) if name not in SHARES},
        }


def media_threads(pid: int) -> list[Path]:
    """Directories of the media threads in /proc."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            if (task / "comm").read_text().startswith("cf-media"):
                found.append(task)
    return found


def thread_ns(task: Path) -> tuple[int, int]:
    """CPU time of a thread so far, and how long it has waited for a core."""
    ran, waited, _ = (task / "schedstat").read_text().split()
    return int(ran), int(waited)


def process_s(pid: int) -> float:
    """CPU time of a process so far, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def services_s(stack: Stack) -> float:
    """CPU time of all services so far, without the media threads'."""
    media_ns = sum(thread_ns(task)[0] for task in media_threads(stack.pid("mcu")))
    return sum(process_s(stack.pid(service)) for service in SERVICES) - media_ns / 1e9


def rss_kb(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


async def read(stack: Stack) -> Reading:
    pids = {service: stack.pid(service) for service in SERVICES}
    times = [thread_ns(task) for task in media_threads(pids["mcu"])]
    return Reading(
        media_ns=sum(ran for ran, _ in times),
        waited_ns=sum(waited for _, waited in times),
        process_s={name: process_s(pid) for name, pid in pids.items()},
        rss_kb={name: rss_kb(pid) for name, pid in pids.items()},
        engine=await _engine(stack),
    )


async def _engine(stack: Stack) -> dict[str, float]:
    """The MCU's own gauges, by their names in core.h."""
    async with aiohttp.ClientSession() as http, http.get(f"{stack.url('mcu')}/metrics") as response:
        text = await response.text()
    found = {}
    for line in text.splitlines():
        name, _, value = line.partition(" ")
        if name.startswith("confero_mcu_") and "{" not in name:
            found[name.removeprefix("confero_mcu_")] = float(value)
    return found


def pin(pid: int, core: int) -> None:
    """Every thread of a process to one core, as far as that is permitted."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            os.sched_setaffinity(int(task.name), {core})


def cores() -> tuple[int, int]:
    """One for the mixer and one for the load; the same where there is only one."""
    found = sorted(os.sched_getaffinity(0))
    return found[0], found[-1]


def drive(pid: int) -> None:
    """Before everything that is not real-time, as far as that is permitted; what it forks is as others are."""
    with contextlib.suppress(OSError):
        os.sched_setscheduler(pid, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(1))


def prefer(task: int, nice: int) -> None:
    """Before other work, as far as that is permitted."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, task, nice)
