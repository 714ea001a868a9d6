"""Findings for people, as a table, and for programs, as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .findings import Finding, Verdict, worst
from .place import Place

STYLES = {Verdict.OK: "green", Verdict.WARN: "yellow", Verdict.FAIL: "bold red", Verdict.SKIP: "dim"}
WRONG = 1
"""Exit code of a run with a failure; 0 without. ``command`` has that of no run at all."""


def exit_code(findings: Sequence[Finding]) -> int:
    """Warnings do not count: what they speak of works."""
    return WRONG if any(finding.verdict is Verdict.FAIL for finding in findings) else 0


def as_json(place: Place, findings: Sequence[Finding], seconds: float) -> str:
    """One object; ``findings`` in the table's order."""
    head = {
        "address": place.name,
        "seen": "inside" if place.inside else "outside",
        "verdict": worst(findings),
        "seconds": round(seconds, 2),
    }
    return json.dumps({**head, "findings": [asdict(finding) for finding in findings]}, indent=2, ensure_ascii=False)


def show(console: Console, place: Place, findings: Sequence[Finding], seconds: float) -> None:
    """The table, and a last line that sums up."""
    seen = "from this machine" if place.inside else "from outside"
    console.print(f"{place.name}, {seen}", style="bold", highlight=False)
    console.print(_table(findings))
    console.print(_summary(findings, seconds), highlight=False)


def _table(findings: Sequence[Finding]) -> Table:
    table = Table(box=None, pad_edge=False, show_header=True, header_style="bold")
    for head in ("", "check", "port"):
        table.add_column(head, no_wrap=True)
    table.add_column("what was seen, and what to change", ratio=1)
    table.add_column("s", justify="right", no_wrap=True)
    for finding in findings:
        style = STYLES[finding.verdict]
        text = Text(finding.what, style="dim" if finding.verdict is Verdict.SKIP else "")
        if finding.advice:
            text.append(f"\n→ {finding.advice}", style=style)
        port = Text(finding.port, style="dim")
        table.add_row(Text(finding.verdict, style=style), finding.check, port, text, f"{finding.seconds:.1f}")
    return table


def _summary(findings: Sequence[Finding], seconds: float) -> Text:
    counts = {verdict: sum(finding.verdict is verdict for finding in findings) for verdict in Verdict}
    words = {Verdict.FAIL: "failed", Verdict.WARN: "warned", Verdict.OK: "well", Verdict.SKIP: "not tried"}
    parts = [f"{counts[verdict]} {word}" for verdict, word in words.items() if counts[verdict]]
    return Text(f"{', '.join(parts)}, in {seconds:.1f} s", style=STYLES[worst(findings)])
