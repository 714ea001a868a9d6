"""The mixing benchmarks run, hear what they should or agree with themselves, and write results with the machine's facts."""

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


def test_core_alone_is_heard_and_measured(tmp_path: Path) -> None:
    done, result = run("mix_core.py", tmp_path / "core.json")
    assert done.returncode == 0, done.stderr
    assert {"cpu", "cores", "kernel", "build", "commit"} <= result["machine"].keys()
    for row in result["rows"]:
        assert abs(row["listener_hears_db"]) < 3
        assert row["own_voice_db"] < -30
        assert row["encodings_per_tick"] == row["talkers"] + 1
        assert row["tick_us"] > 0


def test_whole_engine_reaches_every_member(tmp_path: Path) -> None:
    done, result = run("mix_loopback.py", tmp_path / "loopback.json")
    (row,) = result["rows"]
    assert row["unheard_members"] == 0, done.stderr
    assert row["received"] > 0
    assert row["send_failures"] == 0
    assert row["cpu_percent"] > 0


def test_kernels_agree_on_every_path(tmp_path: Path) -> None:
    done, result = run("kernels.py", tmp_path / "kernels.json")
    assert done.returncode == 0, done.stderr
    assert len(result["rows"]) > 20
    for row in result["rows"]:
        assert row["equal"], row["kernel"]
        assert len(row["ns"]) > 1
        assert "c" in row["ns"]
        assert all(ns > 0 for ns in row["ns"].values())
