"""The benchmark of TURN's machine runs, is refused nothing, and writes results with the machine's facts."""

from __future__ import annotations

from pathlib import Path

from .test_kernels import run


def test_allocations_are_made_by_both_algorithms(tmp_path: Path) -> None:
    done, result = run("turn_machine.py", tmp_path / "turn_machine.json")
    assert done.returncode == 0, done.stderr
    assert {"cpu", "cores", "kernel", "python", "commit"} <= result["machine"].keys()
    rows = {row["case"]: row for row in result["rows"]}
    assert rows.keys() == {"md5", "sha256", "memory"}
    assert all(rows[name]["allocations_per_s"] > 0 for name in ("md5", "sha256"))
    assert 0 < rows["memory"]["bytes_per_allocation"] < 8192
