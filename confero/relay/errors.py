"""What the relay can answer, as exceptions: one table from its negative errno values."""

from __future__ import annotations

import errno
import os

from confero.errors import ConferoError, LocalError, Refused


class RelayError(LocalError):
    """The relay was misused, or the system does not give what it needs."""


class RelayClosed(RelayError):
    """The relay has been closed; nothing can be asked of it any more."""


class UnknownFlow(RelayError, LookupError):
    """No such allocation or connection; it may have ended a moment ago."""


class RelayFull(Refused):
    """No room for another allocation or connection."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, status=503, code="relay-full")


class RelayBusy(Refused):
    """Too many orders wait at this thread; they are done in a moment."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, status=503, code="relay-busy")


_BY_ERRNO: dict[int, type[RelayError] | type[RelayFull] | type[RelayBusy]] = {
    errno.ENOENT: UnknownFlow,
    errno.ENOSPC: RelayFull,
    errno.EAGAIN: RelayBusy,
}


def from_errno(number: int, what: str) -> ConferoError:
    """The exception for a positive errno value; ``what`` names the call and its object."""
    return _BY_ERRNO.get(number, RelayError)(f"{what}: {os.strerror(number)}")
