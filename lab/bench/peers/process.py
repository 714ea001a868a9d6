"""What peers share: a mixer that is one process, kept apart from the generator and looked at from outside."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .. import counters
from ..case import Case
from ..generator import Generator
from ..whole import NICE, figures


def keep_apart(pid: int, generator: Generator) -> None:
    """All threads of the mixer on one core, the generator on the other, both before other work."""
    mixer, load = counters.cores()
    counters.pin(pid, mixer)
    for task in Path(f"/proc/{pid}/task").iterdir():
        counters.prefer(int(task.name), NICE)
    counters.pin(generator.pid, load)
    counters.drive(generator.pid)


async def window(
    mixer: str, case: Case, pid: int, generator: Generator, progress: Callable[[str, int, int], None]
) -> dict[str, Any]:
    """One row of those who talk."""
    progress("waiting", 0, 0)
    await generator.measuring()
    loop = asyncio.get_running_loop()
    start, before = loop.time(), counters.process_s(pid)
    progress("measuring", 0, 0)
    await asyncio.sleep(case.seconds)
    cpu, elapsed = counters.process_s(pid) - before, loop.time() - start
    rss = counters.rss_kb(pid)
    heard = await generator.result()
    return figures(case, heard) | {
        "mixer": mixer,
        "case": asdict(case),
        "cpu_percent": round(100 * cpu / elapsed, 2),
        "services_cpu_percent": {},
        "rss_kb": {mixer: rss},
        "shares_percent": {},
        "engine": {},
    }
