"""The benchmark hears what it should of every mixer, at the size of a test; speed is judged by people who run it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


def bench(out: Path, *options: str) -> tuple[str, list[dict[str, Any]]]:
    """Runs ``confero bench mix`` and returns what it printed, and the results of its JSON."""
    command = [sys.executable, "-m", "confero.cli", "bench", "mix", "--seconds", "3", "--out", str(out), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    assert (out / "mix.json").exists(), done.stdout + done.stderr
    report = json.loads((out / "mix.json").read_text())
    assert {"cpu", "cores", "kernel", "build", "commit"} <= report["machine"].keys()
    assert "Tone bursts that have arrived" in (out / "mix.html").read_text()
    return done.stdout, report["results"]


def listen(result: dict[str, Any], *, members: int, heard_db: float = 3.0) -> dict[str, Any]:
    """Every talker is heard by every ear as loud as it spoke, and nobody hears itself; every member got packets."""
    assert result["rows"], result["error"]
    row: dict[str, Any] = result["median"]
    assert (row["joined"], row["unheard_members"], row["srtp_failures"]) == (members, 0, 0)
    assert -heard_db <= row["heard_db"]["least"] <= row["heard_db"]["most"] <= heard_db
    assert row["own_voice_db"] <= -30
    assert 0 < row["bursts_heard"] <= row["bursts_said"]
    assert sum(row["delay_histogram"]) == row["bursts_heard"]
    assert row["cpu_percent"] > 0
    return row


def test_the_core_alone(tmp_path: Path) -> None:
    _, (result,) = bench(tmp_path, "--core", "--members", "12", "--talkers", "3")
    row = listen(result, members=12)
    assert result["faults"] == []
    assert row["lost"] == row["gaps"] == row["clicks"] == 0
    assert row["engine"]["frames_encoded"] == (3 + 1) * 3 * 50
    assert row["engine"]["frames_decoded"] == 3 * 3 * 50
    assert row["bursts_heard"] == row["bursts_said"]


def test_the_core_alone_in_rooms_of_g711_with_the_loudest_heard(tmp_path: Path) -> None:
    options = (
        "--core",
        "--members",
        "24",
        "--rooms",
        "2",
        "--talkers",
        "0",
        "--mixed",
        "3",
        "--codec",
        "pcmu",
        "--profile",
        "cm",
    )
    _, (result,) = bench(tmp_path, *options)
    row = listen(result, members=24)
    assert row["engine"]["frames_decoded"] < 2 * 12 * 3 * 50 / 2


def test_lost_packets_are_held_back_by_chance(tmp_path: Path) -> None:
    _, (result,) = bench(tmp_path, "--core", "--members", "12", "--talkers", "2", "--loss", "20")
    row = result["median"]
    said = row["held_back"] + row["sent"]
    assert 0.1 < row["held_back"] / said < 0.5  # sent: in the window, held back: in the warm-up as well
    assert row["lost"] == 0, "what never reached the mixer is not its loss"


def test_the_whole_system_with_aiortc_beside(tmp_path: Path) -> None:
    """ICE, DTLS and joins of every member by its own; the session of each stays open."""
    said, results = bench(tmp_path, "--members", "8", "--talkers", "2", "--peer", "aiortc")
    assert [result["mixer"] for result in results] == ["confero", "aiortc"]
    row, _ = (listen(result, members=8) for result in results)
    assert row["sessions_lost"] == row["consents_lost"] == row["closed"] == 0
    assert row["engine"]["frames_skipped"] > row["engine"]["frames_decoded"] > 0
    assert row["calm"]["reached"] and row["calm"]["seconds"] >= 3
    assert {"decode", "mix", "encode", "crypto", "io"} == row["shares_percent"].keys()
    assert "confero" in said


def test_janus_beside(tmp_path: Path) -> None:
    _, results = bench(tmp_path, "--members", "10", "--talkers", "2", "--profile", "plain", "--peer", "janus")
    assert [result["mixer"] for result in results] == ["confero", "janus"]
    for result in results:
        listen(result, members=10)


@pytest.mark.parametrize("members", ["1", "10,x", "", "9,10"])
def test_members_that_cannot_be(tmp_path: Path, members: str) -> None:
    command = [sys.executable, "-m", "confero.cli", "bench", "mix", "--core", "--rooms", "2", "--members", members]
    done = subprocess.run([*command, "--out", str(tmp_path)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert not list(tmp_path.iterdir())
