"""The benchmark of events to browsers runs, loses, doubles and swaps none, and writes results with the machine's facts."""

from __future__ import annotations

from itertools import product
from pathlib import Path

from .test_kernels import run

EVENTS = {"websocket": 50, "stream": 50, "poll": 10}
"""Published in the one second of a quick run."""


def test_every_event_comes_once_and_in_order_by_each_way_from_both_servers(tmp_path: Path) -> None:
    done, result = run("notifier.py", tmp_path / "notifier.json")
    assert done.returncode == 0, done.stderr
    assert {"cpu", "cores", "kernel", "python", "commit"} <= result["machine"].keys()
    rows = {(row["server"], row["way"]): row for row in result["rows"]}
    assert rows.keys() == set(product(("ours", "plain"), EVENTS))
    for (_, way), row in rows.items():
        assert row["faults"] == 0
        assert row["delivered"] == 40 * EVENTS[way]
        assert 0 < row["p50_ms"] <= row["p99_ms"] <= row["max_ms"]
