"""The kernels' benchmark runs, its paths agree with each other, and it writes results with the machine's facts."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


def run(script: str, out: Path) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    command = [sys.executable, str(BENCHMARKS / script), "--quick", "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    return done, json.loads(out.read_text())


def test_kernels_agree_on_every_path(tmp_path: Path) -> None:
    done, result = run("kernels.py", tmp_path / "kernels.json")
    assert done.returncode == 0, done.stderr
    assert {"cpu", "cores", "kernel", "build", "commit"} <= result["machine"].keys()
    assert len(result["rows"]) > 20
    for row in result["rows"]:
        assert row["equal"], row["kernel"]
        assert len(row["ns"]) > 1
        assert "c" in row["ns"]
        assert all(ns > 0 for ns in row["ns"].values())
