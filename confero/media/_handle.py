"""The C engine behind one reference that can be taken away from all who share it."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any, Literal

from ._core import ffi, lib
from .addresses import parse_ip
from .errors import BindError, EngineClosed, EngineError

SocketKind = Literal["shared", "listener", "leg", "passive", "active"]
"""UDP for all WebRTC legs of a thread, TCP for the same; UDP for one RTP leg, TCP that waits for its peer, or connects to it."""


_OPENERS: dict[SocketKind, Callable[[Any, int, Any], int]] = {
    "shared": lib.cf_engine_bind_shared,
    "listener": lib.cf_engine_listen_shared,
    "leg": lib.cf_engine_bind_leg,
    "passive": lambda engine, thread, addr: lib.cf_engine_stream_leg(engine, thread, addr, 1),
    "active": lambda engine, thread, addr: lib.cf_engine_stream_leg(engine, thread, addr, 0),
}


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

    def bind(self, thread: int, address: str, port: int, kind: SocketKind) -> int | None:
        """A socket's number, or None if the port is taken. Raises BindError when it cannot be bound at all."""
        ip = parse_ip(address)
        addr = ffi.new("cf_addr *", {"family": ip.version, "port": port, "ip": list(ip.packed)})
        number = _OPENERS[kind](self.raw, thread, addr)
        if number == -errno.EADDRINUSE:
            return None
        if number < 0:
            raise BindError.of(-number, f"{address} port {port}")
        return number
