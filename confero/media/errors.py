"""What the engine can answer, as exceptions: one table from its negative errno values."""

from __future__ import annotations

import errno
import os

from confero.errors import ConferoError, LocalError, Refused


class EngineError(LocalError):
    """The engine was misused: wrong arguments, wrong order of calls."""


class EngineClosed(EngineError):
    """The engine has been closed; nothing can be asked of it any more."""


class UnknownId(EngineError, LookupError):
    """No such leg, room, socket or tap, or it is on its way out."""


class DuplicateId(EngineError):
    """The id is in use, or was removed and has not been released yet."""


class StillInUse(EngineError):
    """A room that has legs, or a socket that a leg uses."""


class OtherThread(EngineError):
    """The rooms live on different media threads: a leg cannot move between them."""


class BindError(LocalError):
    """An address could not be bound; ``errno`` says why."""

    def __init__(self, detail: str, number: int) -> None:
        super().__init__(detail)
        self.errno = number

    @classmethod
    def of(cls, number: int, where: str) -> BindError:
        return cls(f"cannot bind {where}: {os.strerror(number)}", number)


class EngineFull(Refused):
    """No room for another leg, room, socket or tap."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, status=503, code="engine-full")


class EngineBusy(Refused):
    """Too many commands wait; they are done as soon as the events have been read."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, status=503, code="engine-busy")


class NoPortFree(Refused):
    """Every port of the configured range is taken."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, status=503, code="no-port-free")


_BY_ERRNO: dict[int, type[EngineError] | type[EngineFull] | type[EngineBusy]] = {
    errno.ENOENT: UnknownId,
    errno.EBADF: UnknownId,
    errno.EEXIST: DuplicateId,
    errno.EBUSY: StillInUse,
    errno.EXDEV: OtherThread,
    errno.ENOSPC: EngineFull,
    errno.EMFILE: EngineFull,
    errno.ENOMEM: EngineFull,
    errno.EAGAIN: EngineBusy,
}


def from_errno(number: int, what: str) -> ConferoError:
    """The exception for a positive errno value; ``what`` names the call and its object."""
    return _BY_ERRNO.get(number, EngineError)(f"{what}: {os.strerror(number)}")
