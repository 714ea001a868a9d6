"""Records as files: CSV (RFC 4180), a line for each stay, and JSON. Piece by piece: no export is ever in memory as a whole."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from .entities import Meeting, StayRow
from .store import Mark, RecordStore, Wanted
from .views import meeting_info, stay_info

MEETINGS = 100
"""Read at once."""
STAYS = 500
"""Read at once, of one meeting."""
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""A cell that begins so a spreadsheet would compute, or break: what people call themselves must not be a program."""
COLUMNS = (
    *(
        "meeting",
        "room",
        "room_name",
        "started",
        "ended",
        "meeting_reason",
        "participant",
        "name",
        "role",
        "kind",
        "user",
    ),
    *(
        "joined",
        "left",
        "seconds",
        "reason",
        "codec",
        "security",
        "loss_in",
        "loss_out",
        "jitter_in_ms",
        "jitter_out_ms",
    ),
    *("mos_in", "mos_out", "call"),
)


async def as_csv(store: RecordStore, wanted: Wanted) -> AsyncIterator[bytes]:
    """Raises Unavailable, maybe in the middle."""
    yield _lines([COLUMNS])
    async for meeting in _all(store, wanted):
        async for some in _stays(store, meeting):
            yield _lines([_cells(meeting, row) for row in some])


async def as_json(store: RecordStore, wanted: Wanted) -> AsyncIterator[bytes]:
    """An array of ``MeetingDetail`` with all stays. Raises Unavailable, maybe in the middle."""
    between = "["
    async for meeting in _all(store, wanted):
        yield f'{between}{meeting_info(meeting).model_dump_json()[:-1]},"stays":'.encode()
        between, inner = ",\n", "["
        async for some in _stays(store, meeting):
            yield (inner + ",".join(stay_info(row).model_dump_json() for row in some)).encode()
            inner = ","
        yield b"[]}" if inner == "[" else b"]}"
    yield b"[]" if between == "[" else b"]"


async def _all(store: RecordStore, wanted: Wanted) -> AsyncIterator[Meeting]:
    mark: Mark | None = None
    while found := await store.meetings(wanted, mark, MEETINGS):
        for meeting in found:
            yield meeting
        mark = found[-1].started_at, found[-1].id


async def _stays(store: RecordStore, meeting: Meeting) -> AsyncIterator[list[StayRow]]:
    last: StayRow | None = None
    while found := await store.stays(meeting.id, last, STAYS):
        yield found
        last = found[-1]


def _lines(rows: list[tuple[str, ...]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode()


def _cells(meeting: Meeting, row: StayRow) -> tuple[str, ...]:
    stay, sound = row.stay, row.stay.sound
    seconds = "" if stay.left_at is None else f"{stay.left_at - stay.joined_at:.1f}"
    return (
        *(meeting.id, meeting.room, safe(meeting.room_name), _when(meeting.started_at), _when(meeting.ended_at)),
        *(meeting.reason, stay.participant, safe(stay.display_name), stay.role, stay.kind, stay.user or ""),
        *(_when(stay.joined_at), _when(stay.left_at), seconds, safe(stay.reason), stay.codec, stay.security),
        *(_number(sound.loss_in, 5), _number(sound.loss_out, 5)),
        *(_number(sound.jitter_in_ms, 2), _number(sound.jitter_out_ms, 2)),
        *(_number(sound.mos_in, 2), _number(sound.mos_out, 2), row.call or ""),
    )


def safe(text: str) -> str:
    """With an apostrophe before what a spreadsheet would take for a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(FORMULAS) else text


def _when(at: float | None) -> str:
    """ISO 8601, UTC, to the millisecond."""
    return "" if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"
