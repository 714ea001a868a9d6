"""The benchmark of events to browsers runs, loses, doubles and swaps none, and writes results with the machine's facts."""

from __future__ import annotations

from pathlib import Path

from .test_kernels import run


def test_every_event_comes_once_and_in_order_from_both_servers(tmp_path: Path) -> None:
    done, result = run("notifier.py", tmp_path / "notifier.json")
    assert done.returncode == 0, done.stderr
    assert {"cpu", "cores", "kernel", "python", "commit"} <= result["machine"].keys()
    rows = {row["server"]: row for row in result["rows"]}
    assert rows.keys() == {"ours", "plain"}
    for row in rows.values():
        assert row["faults"] == 0
        assert row["delivered"] == 40 * 50
        assert 0 < row["p50_ms"] <= row["p99_ms"] <= row["max_ms"]
