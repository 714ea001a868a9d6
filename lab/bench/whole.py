"""The whole system over loopback: real services on one core, the generator's members on the other."""

from __future__ import annotations

import asyncio
import json
import resource
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from confero.lab.stack import SERVICES, Stack

from . import counters
from .calm import LIMIT_S, Calm, calm_percent, wait_until_calm
from .case import Case, disturbed
from .generator import Generator, build
from .joining import Front
from .network import held_network

NICE = -15
SPARE = 2
"""Windows that may be disturbed."""
Progress = Callable[[str, int, int], None]
"""What is done now, how far, of how much."""

SETTINGS: dict[str, dict[str, Any]] = {
    "common": {"drain_s": 0.1},
    "appserver": {
        "joins_per_minute": 1e6,
        "room_creations_per_minute": 1e6,
        "max_connections_per_source": 20_000,
        "max_websockets": 20_000,
    },
    "notifier": {
        "max_connections": 20_000,
        "max_connections_per_source": 20_000,
        "queue_bytes": 64 << 20,
    },
    "mcu": {"media_threads": 1, "capacity": 100_000, "max_rooms": 4096, "max_legs": 8192, "setup_s": 60},
}
"""Limits that protect a service from one source of requests, and here all come from one."""


def toml_of(settings: dict[str, dict[str, Any]]) -> str:
    """Enough of TOML for numbers, strings and truth values."""
    lines = []
    for section, values in settings.items():
        lines += [f"[{section}]", *(f"{name} = {json.dumps(value)}" for name, value in values.items()), ""]
    return "\n".join(lines)


def allow_many_sockets() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def measure(case: Case, runs: int, progress: Progress) -> list[dict[str, Any]]:
    """Rows: the case's axes, what the generator measured, and the mixer's counters in the same window."""
    allow_many_sockets()
    program = build("bench_load")
    with held_network() as network, tempfile.TemporaryDirectory(prefix="confero-bench-") as folder:
        stack = _stack(case, Path(folder), network)
        await stack.start()
        try:
            return await _with_generator(case, runs, stack, program, progress)
        finally:
            await stack.stop()


def _stack(case: Case, folder: Path, network: int) -> Stack:
    settings = {**SETTINGS, "mcu": {**SETTINGS["mcu"], **case.mcu}}
    config = folder / "confero.toml"
    config.write_text(toml_of(settings))
    return Stack(folder, network=network, extra=("--config", str(config), "--log-level", "warning"))


async def _with_generator(
    case: Case, runs: int, stack: Stack, program: Path, progress: Progress
) -> list[dict[str, Any]]:
    generator = Generator(case, program)
    try:
        await generator.start()
        prefer_media(stack, generator)
        front = Front(stack, case, generator, lambda joined: progress("joining", joined, case.members))
        try:
            started = asyncio.get_running_loop().time()
            await front.join_all()
            joined_s = round(asyncio.get_running_loop().time() - started, 1)
            keep_apart(stack, generator)
            calm = await _calm(case, stack, progress)
            generator.go()
            rows = await windows(runs, generator.next, lambda: _window(case, stack, generator, progress))
            lost = front.closed_sessions if case.keeps_sessions else 0
            return [row | {"join_s": joined_s, "calm": asdict(calm), "sessions_lost": lost} for row in rows]
        finally:
            await front.close()
    finally:
        await generator.stop()


async def _calm(case: Case, stack: Stack, progress: Progress) -> Calm:
    """Nobody talks yet: what the services are busy with now is not what is to be measured."""
    loop = asyncio.get_running_loop()
    return await wait_until_calm(
        calm_percent(case.members),
        lambda: counters.services_s(stack),
        loop.time,
        lambda second: progress("waiting for calm", second, LIMIT_S),
    )


async def windows(
    runs: int, again: Callable[[], None], window: Callable[[], Awaitable[dict[str, Any]]]
) -> list[dict[str, Any]]:
    """So many undisturbed windows of one meeting; the last ones as they are, if the spare ones were disturbed too."""
    rows: list[dict[str, Any]] = []
    for _ in range(runs + SPARE):
        rows.append(await window())
        good = [row for row in rows if not disturbed(row)]
        if len(good) == runs:
            return good
        if len(rows) < runs + SPARE:
            again()
    return rows[-runs:]


def prefer_media(stack: Stack, generator: Generator) -> None:
    """The media thread and the generator before all other work."""
    for task in counters.media_threads(stack.pid("mcu")):
        counters.prefer(int(task.name), NICE)
    counters.prefer(generator.pid, NICE)


def keep_apart(stack: Stack, generator: Generator) -> None:
    """The services share a core, once everybody has joined; the generator has the other."""
    mixer, load = counters.cores()
    for service in SERVICES:
        counters.pin(stack.pid(service), mixer)
    counters.pin(generator.pid, load)
    counters.drive(generator.pid)


async def _window(case: Case, stack: Stack, generator: Generator, progress: Progress) -> dict[str, Any]:
    progress("waiting", 0, round(case.seconds))
    await generator.measuring()
    loop = asyncio.get_running_loop()
    start, before = loop.time(), await counters.read(stack)
    for second in range(round(case.seconds)):
        progress("measuring", second, round(case.seconds))
        await asyncio.sleep(max(0.0, start + second + 1 - loop.time()))
    after, elapsed = await counters.read(stack), loop.time() - start
    heard = await generator.result()
    return figures(case, heard) | after.since(before, elapsed) | {"mixer": "confero", "case": asdict(case)}


def figures(case: Case, heard: dict[str, Any]) -> dict[str, Any]:
    """What follows from the generator's counts."""
    due = case.members * case.seconds * 50
    got = heard["received"]
    return heard | {
        "loss_percent": round(100 * heard["lost"] / max(got + heard["lost"], 1), 3),
        "short_percent": round(max(0.0, 100 * (1 - (got + heard["lost"]) / due)), 3),
        "setting": case.setting(),
    }
