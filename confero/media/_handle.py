"""The C engine behind one reference that can be taken away from all who share it."""

from __future__ import annotations

import errno
from typing import Any

from ._core import ffi, lib
from .addresses import parse_ip
from .errors import BindError, EngineClosed, EngineError


class Handle:
    """Owns a ``cf_engine``. Raises EngineError if there is none to be had."""

    def __init__(self, threads: int, seed: int) -> None:
        raw = lib.cf_engine_new(threads, seed)
        if raw == ffi.NULL:
            raise EngineError(f"no engine with {threads} threads (1 to 64, memory and descriptors permitting)")
        self._raw: Any = ffi.gc(raw, lib.cf_engine_free)

    @property
    def raw(self) -> Any:
        """For calls into C. Raises EngineClosed."""
        if self._raw is None:
            raise EngineClosed("the engine is closed")
        return self._raw

    def close(self) -> None:
        """Ends the threads and frees everything; may be called again."""
        raw, self._raw = self._raw, None
        if raw is not None:
            ffi.release(raw)

    def bind(self, thread: int, address: str, port: int, *, shared: bool) -> int | None:
        """A socket's number, or None if the port is taken. Raises BindError when it cannot be bound at all."""
        ip = parse_ip(address)
        addr = ffi.new("cf_addr *", {"family": ip.version, "port": port, "ip": list(ip.packed)})
        call = lib.cf_engine_bind_shared if shared else lib.cf_engine_bind_leg
        number = call(self.raw, thread, addr)
        if number == -errno.EADDRINUSE:
            return None
        if number < 0:
            raise BindError.of(-number, f"{address} port {port}")
        return number
