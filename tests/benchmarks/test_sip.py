"""The benchmark of the transaction layer runs, loses no call, and writes results with the machine's facts."""

from __future__ import annotations

from pathlib import Path

from .test_kernels import run


def test_calls_are_made_over_both_transports(tmp_path: Path) -> None:
    done, result = run("sip.py", tmp_path / "sip.json")
    assert done.returncode == 0, done.stderr
    assert {"cpu", "cores", "kernel", "python", "commit"} <= result["machine"].keys()
    rows = {(row["case"], row["transport"]): row for row in result["rows"]}
    assert rows.keys() == {(case, transport) for case in ("layer", "wire", "memory") for transport in ("udp", "tcp")}
    for (case, _), row in rows.items():
        figure = row["bytes_per_call"] if case == "memory" else row["transactions_per_s"]
        assert figure > 0
