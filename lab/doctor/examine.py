"""A run: all checks at once, each within its time and all within theirs; what is wrong with a check itself is a finding too."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Mapping, Sequence

from confero.ports import UNPRIVILEGED, find
from confero.runtime.logging import get_logger
from confero.runtime.tasks import spawn

from .findings import Finding, NotTried, Told, Unwell, Verdict, fail
from .patient import Patient
from .place import Place, Row, Spot, moved
from .table import CHECKS, Check, Seen
from .wire import Wire
from .words import port_of

log = get_logger(__name__)
STAND_IN_S = 1.0
MARGIN_S = 3.0
"""For goodbyes, after the checks."""


def chosen(place: Place, only: Sequence[str] = ()) -> list[Check]:
    """The checks that can be made from there; of those, if names are given, the ones whose names begin so."""
    seen = Seen.INSIDE if place.inside else Seen.OUTSIDE
    return [
        check
        for check in CHECKS
        if seen in check.seen and (not only or any(check.name.startswith(word) for word in only))
    ]


async def examine(patient: Patient, checks: Iterable[Check], *, total_s: float) -> list[Finding]:
    """The findings in the order of the checks, ``total_s`` and a little at most after the call."""
    checks = list(checks)
    tasks = [spawn(one(patient, check, min(check.limit_s, total_s)), name=f"doctor: {check.name}") for check in checks]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(MARGIN_S):
                await patient.close()


async def one(patient: Patient, check: Check, limit_s: float) -> Finding:
    """A check's finding, whatever happens in it."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    try:
        async with asyncio.timeout(limit_s) as limit:
            told = await check.how(patient)
    except (Unwell, NotTried) as ended:
        told = ended.told
    except Exception as error:
        told = _slow(limit_s) if limit.expired() else _broken(check, error)
    spot = patient.place.spot(check.row) if check.row else None
    port = port_of(check.row, spot, check.transport) if check.row else ""
    return Finding(check.name, port, told.verdict, round(loop.time() - started, 3), told.what, told.advice)


def _slow(limit_s: float) -> Told:
    return fail(
        f"no result within {limit_s:.0f} s",
        "something on the way takes packets and does not answer, or this machine is overloaded",
    )


def _broken(check: Check, error: Exception) -> Told:
    """A bug of the doctor, and so never the installation's fault."""
    log.error("check failed", check=check.name, exc_info=error)
    return Told(
        Verdict.FAIL,
        f"the check itself failed: {type(error).__name__}: {error}",
        "this is a fault of the doctor: please report it",
    )


async def settle(place: Place, given: Mapping[Row, int]) -> Place:
    """The place with the stand-ins of low ports that its services had to use (``confero.ports.UNPRIVILEGED``)."""
    rows = [row for row in UNPRIVILEGED if place.spot(row) and row not in given]
    answers = await asyncio.gather(*(_stands_in(place.spots[row], row) for row in rows))
    return moved(place, dict(zip(rows, answers, strict=True)), given)


async def _stands_in(spot: Spot, row: Row) -> bool:
    if spot.port != find(*row).number:
        return False
    documented, stand_in = await asyncio.gather(_takes(spot), _takes(Spot(spot.host, UNPRIVILEGED[row])))
    return stand_in and not documented


async def _takes(spot: Spot) -> bool:
    try:
        wire = await Wire.connect("tcp", spot, seconds=STAND_IN_S)
    except (OSError, TimeoutError):
        return False
    await wire.close()
    return True
