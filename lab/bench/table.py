"""The table of what one core is to carry: every row of it, Janus beside where it can, and the page that says what came out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from .case import Case, Floor
from .generator import ROOT
from .results import Report, Result

PAGE = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- table: made by `confero bench mix --table` -->", "<!-- end of table -->"
RUNS = 5
MINIMUM = {"jitter_mode": "minimum"}
CELT = {"opus_low_delay": True}
QUICK_MEMBERS, QUICK_S = 12, 3.0
"""``--quick``: the same rows at the size of a test."""


@dataclass(frozen=True)
class Line:
    """A row: what is measured, what is to be reached, and what Janus is asked to do beside it."""

    label: str
    case: Case
    reach: str
    floor: Floor = field(default_factory=Floor)
    janus: Case | None = None


SECONDS = 10.0
FAST = Floor(delay_p95_ms=40)
NO_DELAY = Floor(delay_p95_ms=400)
"""Where the table asks for members only; a delay beyond it is a fault all the same."""
CROWD = Floor(delay_p95_ms=400, crowd=True)
ONE_ROOM = Case(members=2000, talkers=4, seconds=SECONDS, mcu=MINIMUM)

LINES: tuple[Line, ...] = (
    Line(
        "one room, 4 talkers, the rest send silence, Opus, SRTP",
        ONE_ROOM,
        "2,000; delay at minimum buffer p95 <= 40 ms",
        FAST,
        Case(members=50, talkers=4, seconds=SECONDS),
    ),
    Line("the same", replace(ONE_ROOM, members=3000), "go for 3,000", FAST),
    Line(
        "the same on plain RTP",
        replace(ONE_ROOM, profile="plain"),
        "beside Janus, which is on plain RTP",
        FAST,
        Case(members=60, talkers=4, seconds=SECONDS),
    ),
    Line("the same, listeners receive only", replace(ONE_ROOM, members=4000, passive="nothing"), "4,000", NO_DELAY),
    Line(
        "everyone talks, all mixed, own Opus encoding each",
        Case(members=75, talkers=0, mixed=0, seconds=SECONDS, mcu=MINIMUM),
        "75",
        CROWD,
        Case(members=50, talkers=0, mixed=0, seconds=SECONDS),
    ),
    Line(
        "the same, CELT-only output",
        Case(members=160, talkers=0, mixed=0, seconds=SECONDS, mcu=MINIMUM | CELT),
        "160",
        CROWD,
    ),
    Line(
        "everyone talks, 6 loudest mixed",
        Case(members=1000, talkers=0, mixed=6, seconds=SECONDS, mcu=MINIMUM),
        "1,000",
        NO_DELAY,
    ),
    Line(
        "rooms of 10, one talker each",
        Case(members=500, rooms=50, talkers=1, seconds=SECONDS, mcu=MINIMUM),
        "500",
        NO_DELAY,
        Case(members=50, rooms=5, talkers=1, seconds=SECONDS),
    ),
    Line(
        "G.711, one room, 4 talkers",
        Case(members=2000, talkers=4, codec="pcmu", profile="plain", seconds=SECONDS, mcu=MINIMUM),
        "2,000",
        NO_DELAY,
    ),
    Line(
        "adaptive buffer at its default, calm network",
        Case(members=100, talkers=4, seconds=SECONDS),
        "median <= 45, p95 <= 60 ms",
        Floor(delay_p95_ms=60),
        Case(members=25, talkers=4, seconds=SECONDS),
    ),
)
MEMORY_CASE = Case(members=2000, talkers=1, passive="nothing", seconds=2.0)
MEMORY_LEGS = (100, 2000)


class Meter(Protocol):
    def say(self, line: str) -> None: ...


Repeat = Callable[[Case, str, int, str], Awaitable[Result]]
"""A case on a mixer, so many times, under a label."""


async def run(report: Report, meter: Meter, repeat: Repeat, *, quick: bool) -> list[str]:
    """All rows, as lines of the page's table."""
    runs = 1 if quick else RUNS
    rows = []
    for line in LINES:
        ours = await repeat(_size(line.case, quick), "confero", runs, line.label)
        theirs = await repeat(_size(line.janus, quick), "janus", runs, line.label) if line.janus is not None else None
        ours.floor = line.floor
        report.results += [ours, *([theirs] if theirs is not None else [])]
        rows.append(_row(line, ours, theirs))
        meter.say(rows[-1])
    rows.append(await _memory(report, repeat, quick))
    meter.say(rows[-1])
    return rows


def _size(case: Case, quick: bool) -> Case:
    if not quick:
        return case
    rooms = 1 if case.rooms == 1 else 2
    return replace(case, members=QUICK_MEMBERS, rooms=rooms, seconds=QUICK_S, warm_s=2.0, ears=4)


def _row(line: Line, ours: Result, theirs: Result | None) -> str:
    cells = [line.label, line.reach, _said(ours), *_figures(ours), "; ".join(ours.faults(line.floor)) or "reached"]
    beside = "-" if theirs is None else f"{_said(theirs)}: {', '.join(_figures(theirs))}"
    return f"| {' | '.join([*cells, beside])} |"


def _said(result: Result) -> str:
    return f"{result.members:,}"


def _figures(result: Result) -> list[str]:
    if not result.rows:
        return ["-", "-", "-"]
    row = result.median
    lost = max(row["loss_percent"], row["short_percent"])
    return [
        f"{row['cpu_percent']:.0f} %",
        f"{lost:.2f} %",
        f"{row['delay_ms']['p50']:.0f} / {row['delay_ms']['p95']:.0f}",
    ]


async def _memory(report: Report, repeat: Repeat, quick: bool) -> str:
    """RSS of the engine alone and of the whole MCU, at many legs against few."""
    few, many = (MEMORY_LEGS[0] // 10, MEMORY_LEGS[0]) if quick else MEMORY_LEGS
    kinds = {"confero-core": "engine", "confero": "mcu"}
    found: dict[str, str] = {}
    for mixer in kinds:
        results = [await repeat(replace(MEMORY_CASE, members=n, ears=2), mixer, 1, f"{n} legs") for n in (few, many)]
        report.results += results
        found[mixer] = _a_leg([result.rows for result in results], kinds[mixer], many - few)
    engine, whole = found["confero-core"], found["confero"]
    cells = ["memory per silent listener (RSS)", "<= 40 kB in the engine", f"{many:,} against {few:,} legs"]
    return f"| {' | '.join(cells)} | engine {engine} | MCU {whole} | | | - |"


def _a_leg(rows: Sequence[Sequence[dict[str, Any]]], kind: str, legs: int) -> str:
    if not all(rows):
        return "-"
    few, many = (some[0]["rss_kb"][kind] for some in rows)
    return f"{(many - few) / legs:.0f} kB"


HEAD = (
    "case",
    "to reach",
    "members",
    "CPU of one core",
    "lost",
    "delay p50 / p95 ms",
    "verdict",
    "Janus beside: members: CPU, lost, delay",
)


def with_table(text: str, rows: Sequence[str], report: Report) -> str:
    """The page with its table, and what it was measured on, in place of the last one. Raises ValueError without its marks."""
    before, mark, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not mark or not end:
        raise ValueError("the page has lost the marks between which its table stands")
    facts = report.machine
    told = (facts["cpu"], f"{facts['cores']} cores", f"Linux {facts['kernel']}", facts["build"])
    where = (
        f"Measured {facts['date'][:10]} at {facts['commit']}: {', '.join(told)}; load before {facts['load_before']}."
    )
    head = [f"| {' | '.join(HEAD)} |", "|---" * len(HEAD) + "|"]
    return "\n".join([before + BEGIN, "", where, "", *head, *rows, "", END + after.removesuffix("\n"), ""])
