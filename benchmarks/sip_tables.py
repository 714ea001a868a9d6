"""The tables of docs/benchmarks.md on whole SIP calls, line by line from the rows of ``sip_calls.py``."""

from __future__ import annotations

from typing import Any

TOGETHER = """
| at once | legs | failed | retransmissions | set-up, ms | memory a call, kB | cores while they are sent sound |
|---|---|---|---|---|---|---|"""
RATE = """
| calls | failed | retransmissions | set-up, ms | CPU a call, ms | cores | gateway's memory, MB |
|---|---|---|---|---|---|---|"""


def line(row: dict[str, Any]) -> str:
    """Of the table that the row's case belongs to; of the rest a sentence."""
    return LINES[row["case"]](row)


def together(row: dict[str, Any]) -> str:
    memory, cores = added(row["kb_per_call"], 0), added(row["cores"], 2)
    return f"| {row['calls']:,} | {row['legs']:,} | {told(row)} | {memory} | {cores} |"


def rate(row: dict[str, Any]) -> str:
    cost = added(row["cpu_ms_per_call"], 1)
    return f"| {row['calls_per_s']} a second | {told(row)} | {cost} | {row['cores']} | {row['rss_mb']['sipgw']:.0f} |"


def rest(row: dict[str, Any]) -> str:
    gone = "has forgotten all calls" if row["remembered"] == 0 else f"remembers {row['remembered']} requests"
    return f"\n{row['after_s']:.0f} s later the gateway {gone} and has {row['rss_mb']['sipgw']:.0f} MB."


LINES = {"together": together, "rate": rate, "rest": rest}


def told(row: dict[str, Any]) -> str:
    """What sipp says."""
    setup = " / ".join(f"{value:.0f}" for value in row["setup_ms"].values())
    return f"{row['failed']} | {row['retransmissions']} | {setup}"


def added(values: dict[str, float], digits: int) -> str:
    """The services' shares."""
    return " + ".join(f"{value:.{digits}f}" for value in values.values())
