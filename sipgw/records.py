"""Calls' records on their way to the application server: the newest revision, on disk while it is away, never in a call's way."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import OrderedDict
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Protocol

from pydantic import ValidationError

from confero.errors import ConferoError, Refused
from confero.models.sip import SipCallRecord, SipCallRecords
from confero.runtime.logging import get_logger
from confero.runtime.tasks import in_thread

log = get_logger(__name__)

LIMIT = 5000
"""Records that wait, about 30 MB with long ladders; of more the oldest go, and are counted."""
AT_ONCE = 32
"""Records in one request, which is one transaction there. With the longest ladders that is below the megabyte that it may have."""
PAUSE_S = 0.1
"""How long a record waits for others: those of a busy second go together, and a call that short has one record."""
LAST_S = 1.0
"""What stopping may wait for the last of them."""
FIRST_S, LONGEST_S = 0.5, 10.0
"""Pauses while the application server is away; they double."""


class Keeper(Protocol):
    """Raises Refused, Unavailable."""

    async def record(self, records: SipCallRecords) -> None: ...


class Records:
    """``run`` it as a task; ``spool`` is where they wait for another process of ours, if this one must end first."""

    def __init__(
        self, keeper: Keeper, spool: Path, *, limit: int = LIMIT, jitter: Callable[[], float] = random.random
    ) -> None:
        self._keeper = keeper
        self._spool = spool
        self._limit = limit
        self._jitter = jitter
        self._waiting: OrderedDict[str, SipCallRecord] = OrderedDict()
        self._news = asyncio.Event()
        self._failures = 0
        self._spooled: list[tuple[str, int]] = []
        """Ids and revisions in the file."""
        self.dropped = 0
        """Given up, or refused."""
        self.sent = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, record: SipCallRecord) -> None:
        """An earlier revision that has not gone yet need not go any more."""
        self._waiting.pop(record.id, None)
        self._waiting[record.id] = record
        while len(self._waiting) > self._limit:
            self._waiting.popitem(last=False)
            self.dropped += 1
        self._news.set()

    async def run(self) -> None:
        """Until cancelled. What waited on disk goes first."""
        for record in await in_thread(_read, self._spool):
            self._waiting.setdefault(record.id, record)
            self._spooled.append((record.id, record.revision))
        while True:
            while self._waiting:
                if len(self._waiting) < AT_ONCE:
                    await asyncio.sleep(PAUSE_S)
                await self._send_some()
            await self.save()
            self._news.clear()
            await self._news.wait()

    async def _send_some(self) -> None:
        if await self._send(list(islice(self._waiting.values(), AT_ONCE))):
            self._failures = 0
            return
        if not self._failures:
            log.warning("the application server takes no records; they wait", waiting=len(self._waiting))
        self._failures += 1
        await self.save()
        pause_s = min(LONGEST_S, FIRST_S * 2.0 ** min(self._failures - 1, 10))
        await asyncio.sleep(pause_s * (0.5 + 0.5 * self._jitter()))

    async def _send(self, records: list[SipCallRecord]) -> bool:
        """False if they must be tried again. One that is refused stands in no other's way."""
        try:
            await self._keeper.record(SipCallRecords(records=records))
            self.sent += len(records)
        except Refused as error:
            if len(records) > 1:
                return all([await self._send([record]) for record in records])
            log.warning("a call's record was refused", call=records[0].id, code=error.code, detail=error.detail)
            self.dropped += 1
        except ConferoError:
            return False
        for record in records:
            if self._waiting.get(record.id) is record:  # else there is a later revision by now
                del self._waiting[record.id]
        return True

    async def finish(self) -> None:
        """Once ``run`` has ended: what waits goes now if it is taken, in ``LAST_S``; the rest to the file. Never raises."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_S):
                while self._waiting and await self._send(list(islice(self._waiting.values(), AT_ONCE))):
                    pass
        await self.save()

    async def save(self) -> None:
        """What waits, to the file: written aside and renamed. Without effect while nothing has changed. Never raises."""
        waiting = [(record.id, record.revision) for record in self._waiting.values()]
        if waiting == self._spooled:
            return
        try:
            await in_thread(_write, self._spool, list(self._waiting.values()))
            self._spooled = waiting
        except OSError as error:
            log.error("calls' records cannot be kept on disk", file=str(self._spool), reason=str(error))


def _read(path: Path) -> list[SipCallRecord]:
    """A line that is no record was torn by a crash, or is of another version: it is passed over."""
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        log.error("calls' records cannot be read", file=str(path), reason=str(error))
        return []
    records = []
    for line in lines[-LIMIT:]:
        try:
            records.append(SipCallRecord.model_validate_json(line))
        except ValidationError:
            log.warning("a line of the records' file is not a record", file=str(path))
    return records


def _write(path: Path, records: list[SipCallRecord]) -> None:
    if not records:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    aside = path.with_name(path.name + ".new")
    aside.touch(mode=0o600)
    aside.write_text("".join(record.model_dump_json() + "\n" for record in records))
    aside.replace(path)
