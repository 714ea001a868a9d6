"""The benchmark of whole calls runs, loses no call at a small rate, and leaves no leg."""

from __future__ import annotations

from pathlib import Path

from ..benchmarks.test_kernels import run


def test_calls_are_made_and_counted(tmp_path: Path) -> None:
    done, result = run("sip_calls.py", tmp_path / "calls.json")
    assert done.returncode == 0, done.stderr
    together, rate, rest = result["rows"]
    assert (rate["case"], rate["calls"], rate["failed"]) == ("rate", 40, 0)
    assert 0 < rate["setup_ms"]["p50"] <= rate["setup_ms"]["p95"]
    assert min(rate["cpu_ms_per_call"].values()) >= 0 < rate["cpu_ms_per_call"]["sipgw"]
    assert (together["case"], together["legs"], together["failed"], together["left"]) == ("together", 20, 0, 0)
    assert rest["case"] == "rest" and rest["rss_mb"]["sipgw"] > 0
