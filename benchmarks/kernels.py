"""The loops of the tick one by one: ns for a frame of 20 ms on each path of instructions, side by side, and all agreeing.

    python benchmarks/kernels.py            the table of docs/benchmarks.md, in less than 30 seconds
    python benchmarks/kernels.py --quick    one take of each: shows that it runs, not how fast

The paths take turns; of each the fastest take counts, in CPU time. The limiter is shown whole and pass by pass.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from report import build, machine, save, show

from confero.media import build_info

TAKES = 15


def measure(program: Path, takes: int) -> list[dict[str, Any]]:
    """A row for each kernel; whether all paths agree is in the rows, not in the exit code."""
    done = subprocess.run([program, str(takes)], capture_output=True, text=True, timeout=120, check=False)
    return [json.loads(text) for text in done.stdout.splitlines()]


def head(paths: list[str]) -> str:
    columns = ["kernel", *(f"{path} ns" for path in paths), f"{paths[0]} / {paths[-1]}"]
    return f"| {' | '.join(columns)} |\n" + "|---" * len(columns) + "|"


def line(row: dict[str, Any]) -> str:
    figures = list(row["ns"].values())
    return f"| {row['kernel']} | {' | '.join(f'{ns:.0f}' for ns in figures)} | {figures[0] / figures[-1]:.1f} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one take only")
    parser.add_argument("--out", type=Path, help="where the JSON goes (default: benchmarks/results/kernels.json)")
    options = parser.parse_args()
    facts = machine(build_info())
    rows = measure(build("bench_kernels"), 1 if options.quick else TAKES)
    if not rows:
        sys.exit("bench_kernels measured nothing")
    show(head(list(rows[0]["ns"])))
    for row in rows:
        show(line(row))
    show(f"written to {save('kernels', facts, rows, options.out)}")
    unequal = [row["kernel"] for row in rows if not row["equal"]]
    for kernel in unequal:
        sys.stderr.write(f"{kernel}: the paths do not agree\n")
    return 1 if unequal else 0


if __name__ == "__main__":
    sys.exit(main())
