"""What every benchmark says besides its figures: the machine, the build, the date; and how results are kept and shown."""

from __future__ import annotations

import datetime
import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).resolve().parent / "results"
BINARIES = ROOT / "native" / "build" / "plain" / "bench"


def build(program: str) -> Path:
    """The path of a benchmark program of native/bench, built if it is not up to date."""
    subprocess.run(["make", "-s", "-C", str(ROOT / "native"), f"build/plain/bench/{program}"], check=True)
    return BINARIES / program


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "unknown"


def machine(build_info: str) -> dict[str, Any]:
    """The facts without which figures mean nothing; ``load_before``: others' load in the last minute."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "build": build_info,
        "load_before": round(os.getloadavg()[0], 2),
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
    }


def save(name: str, facts: dict[str, Any], rows: Sequence[dict[str, Any]], out: Path | None) -> Path:
    """Writes ``results/<name>.json``, or ``out``."""
    path = out or RESULTS / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"benchmark": name, "machine": facts, "rows": list(rows)}, indent=1) + "\n")
    return path


def show(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
