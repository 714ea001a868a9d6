"""The core alone, in simulated time: one thread, no socket, no clock; CPU time of what members cost, and what they hear."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from confero.errors import LocalError

from .case import Case
from .generator import build
from .whole import figures

TIMEOUT_S = 600


async def measure(case: Case, runs: int, progress: Callable[[str, int, int], None]) -> list[dict[str, Any]]:
    """Rows as of the whole system; what only a network has (lateness, loss on the way) is zero by construction."""
    return [await _run(case, progress) for _ in range(runs)]


async def _run(case: Case, progress: Callable[[str, int, int], None]) -> dict[str, Any]:
    program = build("bench_core")
    progress("simulated time", 0, 0)
    process = await asyncio.create_subprocess_exec(
        program,
        *case.generator_arguments(),
        f"minimum={int(case.mcu.get('jitter_mode') == 'minimum')}",
        f"low_delay={int(bool(case.mcu.get('opus_low_delay')))}",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(TIMEOUT_S):
            output, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise LocalError(f"the core's benchmark failed: {errors.decode(errors='replace').strip()}")
    return figures(case, json.loads(output)) | {
        "mixer": "confero-core",
        "services_cpu_percent": {},
        "case": asdict(case),
    }
