"""``confero bench mix``: cases, repetitions and peers from the command line's wishes; progress, tables, files."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from confero.errors import ConferoError, LocalError

from . import core, machine, table, whole
from .case import Case, Floor
from .peers import aiortc_mixer, janus
from .results import HEAD, Report, Result, Row, cells

TERMINATED = 128 + signal.SIGTERM
"""As a shell says it of a process that was asked to end."""
LIMIT_TOP = 8000
LIMIT_STEP = 0.05
"""The search ends when the floor is known to this part of its figure."""

Tell = Callable[[str, int, int], None]
Measure = Callable[[Case, int, Tell], Awaitable[list[Row]]]


async def _on_plain_rtp(case: Case, runs: int, tell: Tell) -> list[Row]:
    """As a peer that has no SRTP is measured."""
    return await whole.measure(replace(case, profile="plain"), runs, tell)


MIXERS: dict[str, Measure] = {
    "confero": whole.measure,
    "confero-plain": _on_plain_rtp,
    "confero-core": core.measure,
    "janus": janus.measure,
    "aiortc": aiortc_mixer.measure,
}


@dataclass(frozen=True)
class Wish:
    """What the command line says."""

    case: Case
    members: tuple[int, ...]
    """A row for each."""
    mixers: tuple[str, ...] = ("confero",)
    runs: int = 1
    find_limit: bool = False
    table: bool = False
    quick: bool = False
    """Of the table: the size of a test, and the page stays as it is."""
    floor: Floor = field(default_factory=Floor)
    out: Path = Path("confero-bench")
    command: str = "confero bench mix"


def run(axes: dict[str, Any], wishes: dict[str, Any]) -> int:
    """0 if every row kept the quality floor. ``axes``: fields of Case; ``wishes``: what else the command line says.

    Raises LocalError.
    """
    case = Case(**axes)
    mixers = mixers_of(wishes["peers"], core_only=wishes["core_only"], secure=case.secure)
    floor = Floor(delay_p95_ms=wishes["delay_p95_ms"])
    plain = {name: wishes[name] for name in ("runs", "find_limit", "table", "quick", "out", "command")}
    wish = Wish(case, tuple(wishes["members"]), mixers, floor=floor, **plain)
    try:
        return asyncio.run(_run_until_told(wish))
    except asyncio.CancelledError:
        return TERMINATED


async def _run_until_told(wish: Wish) -> int:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)  # services and generator go with us
    report = Report(machine.fingerprint(), wish.command, wish.floor)
    console = Console() if sys.stdout.isatty() else Console(width=150)
    with _progress() as bar:
        meter = Meter(bar)
        if wish.table:
            await _table(wish, report, meter)
        elif wish.find_limit:
            for mixer in wish.mixers:
                await find_limit(wish, mixer, report, meter)
        else:
            await _rows(wish, report, meter)
    _show(report, console)
    for path in report.write(wish.out):
        console.print(f"written to {path}", highlight=False)
    ours = [
        result for result in report.results if result.mixer.startswith("confero")
    ]  # what peers do is no fault of ours
    return 1 if any(result.faults(wish.floor) for result in ours) and not wish.find_limit else 0


def _progress() -> Progress:
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    return Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())


class Meter:
    """One bar for what is done now."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task: TaskID = bar.add_task("starting", total=None)
        self.title = ""

    def tell(self, what: str, done: int, of: int) -> None:
        self._bar.update(self._task, description=f"{self.title}: {what}", completed=done, total=of or None)

    def say(self, line: str) -> None:
        """A line that stays."""
        self._bar.console.print(line, highlight=False, soft_wrap=True)


async def _table(wish: Wish, report: Report, meter: Meter) -> None:
    async def measured(case: Case, mixer: str, runs: int, label: str) -> Result:
        return await repeat(case, mixer, runs, meter, label)

    rows = await table.run(report, meter, measured, quick=wish.quick)
    if not wish.quick:
        page = await asyncio.to_thread(table.PAGE.read_text)
        await asyncio.to_thread(table.PAGE.write_text, table.with_table(page, rows, report))


async def _rows(wish: Wish, report: Report, meter: Meter) -> None:
    for members in wish.members:
        for mixer in wish.mixers:
            result = await repeat(replace(wish.case, members=members), mixer, wish.runs, meter)
            report.results.append(result)
            meter.say(" | ".join(cells(result, wish.floor)))


async def repeat(case: Case, mixer: str, runs: int, meter: Meter, label: str = "") -> Result:
    """A case, so many times; what cannot be measured says why."""
    result = Result(label or case.setting(), mixer, case.members)
    meter.title = f"{mixer}, {case.members} members"
    meter.tell("starting", 0, 0)
    try:
        result.rows = await MIXERS[mixer](case, runs, meter.tell)
    except (ConferoError, OSError, aiohttp.ClientError) as error:
        result.error = str(error) or type(error).__name__
    return result


async def find_limit(wish: Wish, mixer: str, report: Report, meter: Meter) -> int:
    """Members at the quality floor: doubled until it breaks, then halved in between. A room more or less is the least step."""
    size = wish.case.room_size if wish.case.rooms > 1 else 0
    good, bad, members = 0, LIMIT_TOP + 1, wish.members[0]
    while members > good and members < bad:
        case = replace(wish.case, members=members, rooms=members // size if size else 1)
        result = await repeat(case, mixer, wish.runs, meter)
        report.results.append(result)
        meter.say(" | ".join(cells(result, wish.floor)))
        if result.faults(wish.floor):
            bad = members
        else:
            good = members
        members = _next(good, bad, size)
        if bad - good <= max(LIMIT_STEP * bad, size or 1):
            break
    report.limits[mixer] = good
    return good


def _next(good: int, bad: int, size: int) -> int:
    """Twice as many while nothing has failed, else the middle; whole rooms."""
    wanted = min(2 * good, LIMIT_TOP) if bad > LIMIT_TOP else (good + bad) // 2
    return wanted // size * size if size else wanted


def _show(report: Report, console: Console) -> None:
    for label in dict.fromkeys(result.label for result in report.results):
        shown = Table(*HEAD, title=label, title_justify="left")
        for result in report.results:
            if result.label == label:
                shown.add_row(*cells(result, report.floor))
        console.print(shown)
    for mixer, members in report.limits.items():
        console.print(f"{mixer}: {members} members a core at the quality floor", highlight=False)


def mixers_of(peers: Sequence[str], *, core_only: bool, secure: bool) -> tuple[str, ...]:
    """Ours, then the peers that were asked for. Raises LocalError for one that nobody knows.

    Janus's participants are on plain RTP: ours stand beside them on plain RTP as well as with SRTP.
    """
    unknown = sorted(set(peers) - {"janus", "aiortc"})
    if unknown:
        raise LocalError(f"no such peer: {', '.join(unknown)} (there are janus and aiortc)")
    plain = ("confero-plain",) if "janus" in peers and secure and not core_only else ()
    return ("confero-core" if core_only else "confero", *plain, *peers)
