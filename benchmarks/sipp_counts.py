"""What sipp counted of a run, from the files that it leaves."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path


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


def seen(stat: Path, folder: Path) -> Seen:
    """From sipp's files: the last line of its counts, and one time for each call."""
    with stat.open(newline="") as file:
        last = list(csv.DictReader(file, delimiter=";"))[-1]
    times: list[float] = []
    for path in folder.glob("*_rtt.csv"):
        with path.open(newline="") as file:
            times += [float(row[1]) for row in list(csv.reader(file, delimiter=";"))[1:]]
    return Seen(int(last["SuccessfulCall(C)"]), int(last["FailedCall(C)"]), int(last["Retransmissions(C)"]), times)
