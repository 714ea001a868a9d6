"""The mixing core alone, in simulated time: CPU time per tick and member, and how many times faster than real time it runs.

    python benchmarks/mix_core.py            the table of docs/benchmarks.md, in less than 30 seconds
    python benchmarks/mix_core.py --quick    two rows

Everybody sends a packet each 20 ms: talkers say tones, the others digital silence ("open") or, muted, nothing ("quiet").
Receive path, jitter buffers, decoding, mixing, limiting, encoding and sending are counted; making the members' packets and
judging what they hear is not.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from report import build, judge, machine, save, show

from confero.media import build_info

CASES = (
    # members, talkers, codec, security, listeners, seconds of simulated time
    (10, 2, "opus", "srtp", "open", 20),
    (50, 3, "opus", "srtp", "open", 10),
    (50, 3, "opus", "srtp", "quiet", 10),
    (50, 10, "opus", "srtp", "open", 5),
    (200, 3, "opus", "srtp", "open", 4),
    (200, 3, "opus", "srtp", "quiet", 8),
    (1000, 3, "opus", "srtp", "open", 2),
    (1000, 3, "opus", "srtp", "quiet", 4),
    (50, 3, "pcmu", "plain", "open", 10),
    (1000, 3, "pcmu", "plain", "open", 2),
)


HEAD = (
    "members",
    "talkers",
    "codec",
    "SRTP",
    "listeners",
    "µs per tick",
    "ns per member and tick",
    "times real time",
    "encodings per tick",
)


def line(row: dict[str, Any]) -> str:
    shown = row | {"srtp": "GCM" if row["srtp"] else "-"}
    return (
        "| {members} | {talkers} | {codec} | {srtp} | {listeners} | {tick_us:.0f} | {member_tick_ns:.0f} "
        "| {realtime_factor:.1f} | {encodings_per_tick} |".format(**shown)
    )


def run(case: tuple[int, int, str, str, str, int], program: Path) -> dict[str, Any]:
    done = subprocess.run([program, *map(str, case)], capture_output=True, text=True, timeout=120, check=True)
    row: dict[str, Any] = json.loads(done.stdout)
    return row


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two rows only")
    parser.add_argument("--out", type=Path, help="where the JSON goes (default: benchmarks/results/mix_core.json)")
    options = parser.parse_args()
    facts, program = machine(build_info()), build("bench_core")
    show(f"| {' | '.join(HEAD)} |")
    show("|---" * len(HEAD) + "|")
    rows, faults = [], []
    for case in CASES[1:3] if options.quick else CASES:
        row = run(case, program)
        rows.append(row)
        faults += [f"{case}: {fault}" for fault in judge(row)]
        show(line(row))
    show(f"written to {save('mix_core', facts, rows, options.out)}")
    for fault in faults:
        sys.stderr.write(fault + "\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
