"""Established calls on disk, so that the process after ours can go on with them: lines of JSON, appended and at times compacted.

Each line is handed to the kernel before the call goes on: what this process knew survives its end, also by SIGKILL. It is not
forced onto the disk (no fsync): a machine that loses power loses its calls in any case, since their media ends with it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from confero.runtime.logging import get_logger

log = get_logger(__name__)

SPARE = 4096
"""Lines that the file may have beyond four for each call in it, before it is written anew: that stops the loop for a moment."""
LONGEST = 256 * 1024
"""Bytes of a line; two descriptions of 64 KB and their JSON fit. A call that needs more is not journalled."""


class Journal:
    """``open`` it, then ``put`` and ``drop`` by the call's id. No method raises for a disk that fails: calls go on without."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: dict[str, bytes] = {}
        self._written = 0
        """Lines in the file."""
        self._descriptor = -1
        self.failures = 0

    def __len__(self) -> int:
        return len(self._lines)

    def open(self) -> dict[str, dict[str, Any]]:
        """The calls that an earlier process has left."""
        entries: dict[str, dict[str, Any]] = {}
        for id, entry in self._read():
            if entry is None:
                entries.pop(id, None)
            else:
                entries[id] = entry
        self._lines = {id: _line(id, json.dumps(entry, separators=(",", ":"))) for id, entry in entries.items()}
        self._compact()
        return entries

    def put(self, id: str, entry: str) -> None:
        """What is to be known of a call, in place of what was. ``entry``: an object of JSON."""
        line = _line(id, entry)
        if len(line) > LONGEST:
            log.warning("a call is too large for the journal", call=id, bytes=len(line))
            self.drop(id)
            return
        self._lines[id] = line
        self._append(line)

    def drop(self, id: str) -> None:
        """The call is over. Without effect for one that is not there."""
        if self._lines.pop(id, None) is not None:
            self._append(_line(id, "null"))

    def close(self) -> None:
        """Idempotent."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    # -- the file --

    def _read(self) -> Iterator[tuple[str, dict[str, Any] | None]]:
        """A line that was torn by a crash is the last one, and is passed over as any other that makes no sense."""
        try:
            lines = self._path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return
        except OSError as error:
            self._failed(error)
            return
        for line in lines:
            with suppress(ValueError, TypeError, KeyError):
                found = json.loads(line)
                if isinstance(found["entry"], dict | None):
                    yield str(found["id"]), found["entry"]

    def _append(self, line: bytes) -> None:
        if self._descriptor < 0:
            return
        if self._written > 4 * len(self._lines) + SPARE:
            self._compact()
            return
        try:
            os.write(self._descriptor, line)
            self._written += 1
        except OSError as error:
            self._failed(error)

    def _compact(self) -> None:
        """Writes aside what counts, and renames: at any moment one whole file is there."""
        self.close()
        aside = self._path.with_name(self._path.name + ".new")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._descriptor = os.open(aside, flags, 0o600)
            _write_all(self._descriptor, b"".join(self._lines.values()))
            aside.replace(self._path)
            self._written = len(self._lines)
        except OSError as error:
            self.close()
            self._failed(error)

    def _failed(self, error: OSError) -> None:
        if not self.failures:
            log.error("calls cannot be journalled", file=str(self._path), reason=str(error))
        self.failures += 1


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _line(id: str, entry: str) -> bytes:
    return f'{{"id":{json.dumps(id)},"entry":{entry}}}\n'.encode()
