"""What becomes of rows: medians over runs, JSON with the machine's facts, a table for the terminal, a page with charts."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from . import charts
from .case import Floor, disturbed, faults_of

Row = dict[str, Any]


def median_of(rows: Sequence[Row]) -> Row:
    """Number by number; whatever is no number is the first row's."""
    first = rows[0]
    found: Row = {}
    for name, value in first.items():
        values = [row[name] for row in rows if name in row]
        if isinstance(value, dict):
            found[name] = median_of(values)
        elif isinstance(value, bool) or not isinstance(value, int | float):
            found[name] = value
        else:
            found[name] = statistics.median(values)
    return found


@dataclass
class Result:
    """One case on one mixer, measured some times."""

    label: str
    mixer: str
    members: int
    rows: list[Row] = field(default_factory=list)
    error: str = ""
    """Why there are no rows."""
    floor: Floor | None = None
    """Its own, where it is not the report's."""

    @property
    def median(self) -> Row:
        return median_of(self.rows)

    def faults(self, floor: Floor) -> list[str]:
        """Of the median; empty: the quality floor is kept."""
        if not self.rows:
            return [self.error]
        found = faults_of(self.median, self.floor or floor)
        return [*found, *(["the machine was too busy for a figure"] if self.disturbed else [])]

    @property
    def disturbed(self) -> bool:
        return bool(self.rows) and disturbed(self.median)


@dataclass
class Report:
    """All of a run of the benchmark."""

    machine: dict[str, Any]
    command: str
    floor: Floor
    results: list[Result] = field(default_factory=list)
    limits: dict[str, int] = field(default_factory=dict)
    """Members at the quality floor, by mixer."""

    def write(self, folder: Path) -> list[Path]:
        folder.mkdir(parents=True, exist_ok=True)
        data, page = folder / "mix.json", folder / "mix.html"
        data.write_text(json.dumps(self.as_json(), indent=1) + "\n")
        page.write_text(html(self))
        return [data, page]

    def as_json(self) -> dict[str, Any]:
        results = [
            asdict(result) | {"median": result.median if result.rows else {}, "faults": result.faults(self.floor)}
            for result in self.results
        ]
        return {
            "benchmark": "mix",
            "machine": self.machine,
            "command": self.command,
            "floor": asdict(self.floor),
            "limits": self.limits,
            "results": results,
        }


HEAD = (
    *("mixer", "members", "CPU of one core", "lost %", "delay p50 / p95 ms", "late p99 ms", "heard dB", "own dB"),
    *("generator late p99 ms", "verdict"),
)


def cells(result: Result, floor: Floor) -> list[str]:
    """A row of the table."""
    if not result.rows:
        return [result.mixer, f"{result.members}", *["-"] * (len(HEAD) - 3), result.error]
    row = result.median
    return [
        result.mixer,
        f"{result.members}",
        f"{row['cpu_percent']:.1f} %",
        f"{max(row['loss_percent'], row['short_percent']):.2f}",
        f"{row['delay_ms']['p50']:.0f} / {row['delay_ms']['p95']:.0f}",
        f"{row['late_ms']['p99']:.1f}",
        f"{row['heard_db']['least']:.1f} to {row['heard_db']['most']:.1f}",
        f"{row['own_voice_db']:.0f}",
        f"{row['generator_late_ms']['p99']:.1f}",
        "; ".join(result.faults(floor)) or "good",
    ]


def html(report: Report) -> str:
    """A page of its own, without anything from elsewhere."""
    drawn = [chart for chart in (_cpu(report), _shares(report), _delays(report)) if chart]
    facts = "".join(f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>" for name, value in report.machine.items())
    numbered = enumerate(report.results, 1)
    rows = "".join(_tr("td", [str(n), result.label, *cells(result, report.floor)]) for n, result in numbered)
    limits = "".join(f"<p>{escape(name)}: <b>{count}</b> members a core</p>" for name, count in report.limits.items())
    return PAGE.format(
        command=escape(report.command),
        floor=escape(", ".join(f"{name} {value}" for name, value in asdict(report.floor).items())),
        limits=limits,
        charts="".join(f"<figure>{chart}</figure>" for chart in drawn),
        head=_tr("th", ["", "case", *HEAD]),
        rows=rows,
        facts=facts,
    )


def _tr(cell: str, values: Sequence[str]) -> str:
    return "<tr>" + "".join(f"<{cell}>{escape(value)}</{cell}>" for value in values) + "</tr>"


def _cpu(report: Report) -> str:
    """A line for each mixer in each setting that was measured with more than one number of members."""
    several = len({result.label for result in report.results}) > 1
    series: dict[str, list[charts.Point]] = {}
    for result in report.results:
        if result.rows:
            name = f"{result.mixer}: {result.label}" if several else result.mixer
            series.setdefault(name, []).append((result.members, result.median["cpu_percent"]))
    return charts.lines(
        "CPU of one core", "members", "%", {name: points for name, points in series.items() if len(points) > 1}
    )


def _shares(report: Report) -> str:
    """Parts of a core; what the engine's counters do not name is the rest. Bars have the numbers of the table's rows."""
    bars = {}
    for number, result in enumerate(report.results, 1):
        shares = result.median.get("shares_percent", {}) if result.rows else {}
        if shares:
            cpu = result.median["cpu_percent"]
            parts = {name: cpu * value / 100 for name, value in shares.items()}
            bars[f"{number}"] = parts | {"rest": max(0.0, cpu - sum(parts.values()))}
    return charts.stacks("Where the media thread's time goes (by row)", "% of a core", bars)


def _delays(report: Report) -> str:
    """Of each row, as far as there are colours, the part of bursts that had arrived by then."""
    series: dict[str, list[charts.Point]] = {}
    for number, result in enumerate(report.results, 1):
        counts = [sum(column) for column in zip(*(row["delay_histogram"] for row in result.rows), strict=True)]
        total = sum(counts)
        if total and len(series) < len(charts.COLOURS):
            arrived = [100 * sum(counts[: ms + 1]) / total for ms in range(len(counts))]
            last = next(ms for ms, part in enumerate(arrived) if part >= 100)
            series[f"{number}: {result.mixer} {result.members}"] = [(ms + 1, arrived[ms]) for ms in range(last + 1)]
    return charts.lines("Tone bursts that have arrived", "ms after sending", "%", series)


PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>confero bench mix</title>
<style>
 body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }}
 body {{ color: #111827; background: #fff }}
 table {{ border-collapse: collapse; font-size: 13px }}
 th, td {{ border: 1px solid #d1d5db; padding: .3rem .5rem; text-align: left }}
 figure {{ margin: 1.5rem 0 }} svg {{ max-width: 100%; height: auto }}
 dl {{ display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem }} dd {{ margin: 0 }}
 code {{ background: #f3f4f6; padding: .1rem .3rem }}
 @media (prefers-color-scheme: dark) {{
  body {{ color: #e5e7eb; background: #111827 }} th, td {{ border-color: #4b5563 }} code {{ background: #1f2937 }}
 }}
</style>
<h1>confero bench mix</h1>
<p><code>{command}</code></p>
{limits}
<p>Quality floor: {floor}. Delay: from sending the packet with a burst's first sample to the kernel's receive time of the
packet in which it is audible.</p>
{charts}
<div style="overflow-x: auto"><table>{head}{rows}</table></div>
<h2>Machine</h2><dl>{facts}</dl>
</html>
"""
