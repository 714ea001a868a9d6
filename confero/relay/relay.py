"""The relay: threads that pass packets by tables; allocations, permissions, channels and replies go down, requests come up.

One thread (asyncio's) calls all of this. Nothing here waits: orders take effect at the next turn of the thread that they are for,
those for one client in their order, so that a reply never overtakes the channel it speaks of.
``loop.add_reader(relay.fileno(), ...)`` tells when to call :meth:`Relay.events`.
Every ``until`` is in seconds of :meth:`Relay.now`'s clock (``time.monotonic``).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from confero.media._core import ffi, lib

from . import _convert
from .errors import RelayClosed, RelayError, UnknownFlow, from_errno
from .types import Address, Adopt, Event, Flow, RelayConfig, RelayStats, Traffic

_EVENTS_AT_ONCE = 128
_NS = 1_000_000_000


class Relay:
    """Owns the threads and every descriptor that it is given. Runs from :meth:`start` on, or inside ``with``.

    Raises RelayError for a configuration that cannot work.
    """

    def __init__(self, config: RelayConfig | None = None) -> None:
        self.config = config = config or RelayConfig()
        raw = lib.cf_relay_new(_config(config))
        if raw == ffi.NULL:
            raise RelayError(f"no relay with {config} (memory and descriptors permitting)")
        self._raw: Any = ffi.gc(raw, lib.cf_relay_free)
        self._events = ffi.new("cf_relay_event[]", _EVENTS_AT_ONCE)

    @property
    def _relay(self) -> Any:
        if self._raw is None:
            raise RelayClosed("the relay is closed")
        return self._raw

    def _check(self, result: int, what: str) -> int:
        if result < 0:
            raise from_errno(-result, what)
        return result

    def start(self) -> None:
        """Starts the threads; listening sockets come before."""
        self._check(lib.cf_relay_start(self._relay), "start")

    def close(self) -> None:
        """Ends the threads, closes every descriptor and frees everything; may be called again."""
        raw, self._raw = self._raw, None
        if raw is not None:
            ffi.release(raw)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- where clients come in ---------------------------------------------------------------------------------

    def listen(self, fd: int, thread: int = 0) -> None:
        """A bound UDP socket becomes the relay's; with several threads each has one, bound with SO_REUSEPORT.

        On a wildcard address it answers from the address that was asked. Raises RelayError, RelayFull (16 a thread); the
        descriptor is then still the caller's.
        """
        self._check(lib.cf_relay_listen(self._relay, thread, fd), f"listen on descriptor {fd}")

    def adopt(self, fd: int, how: Adopt = Adopt.SNIFF) -> int:
        """A connected TCP socket becomes the relay's: the connection's number.

        Raises RelayFull, RelayBusy; the descriptor is then still the caller's.
        """
        number = ffi.new("uint64_t *")
        self._check(lib.cf_relay_adopt(self._relay, fd, how, number), f"adopt descriptor {fd}")
        return int(number[0])

    def certificate(self, chain: str | os.PathLike[str], key: str | os.PathLike[str]) -> None:
        """Certificate chain and key (PEM) for TLS from now on; connections keep what they began with. Raises RelayError."""
        paths = os.fsencode(chain), os.fsencode(key)
        self._check(lib.cf_relay_certificate(self._relay, *paths), f"certificate {chain} with key {key}")

    # -- what happens ------------------------------------------------------------------------------------------

    def fileno(self) -> int:
        """Readable while events wait."""
        return lib.cf_relay_fileno(self._relay)

    def now(self) -> float:
        """The clock of every ``until``: monotonic, in seconds."""
        return lib.cf_relay_now(self._relay) / _NS

    def events(self) -> list[Event]:
        """At most 128 events, those of a client in order; :meth:`fileno` stays readable if there are more."""
        n = lib.cf_relay_events(self._relay, self._events, _EVENTS_AT_ONCE)
        return [self._event(self._events[i]) for i in range(n)]

    def _event(self, event: Any) -> Event:
        traffic = Traffic()
        if event.type == lib.CF_RELAY_CLOSED:
            traffic = self.traffic(event.allocation)
            lib.cf_relay_forget(self._relay, event.allocation)
        return _convert.event_from(event, traffic)

    # -- allocations -------------------------------------------------------------------------------------------

    def open(
        self,
        client: Flow,
        until: float,
        *,
        relay4: int | None = None,
        relay6: int | None = None,
        bytes_per_second: int = 0,
    ) -> int:
        """An allocation of this client with its relayed UDP sockets, which become the relay's: its number.

        Without any its peers are reached by TCP: their connections come by :meth:`join`.
        ``bytes_per_second`` bounds each way; 0: no limit. That it could not be opened after all (its connection has ended, the
        client has one) is told by Closed with a reason. Raises RelayFull, RelayBusy; the descriptors are then still the caller's.
        """
        number = ffi.new("uint64_t *")
        fd4, fd6 = -1 if relay4 is None else relay4, -1 if relay6 is None else relay6
        raw = _convert.new_client(client)
        self._check(
            lib.cf_relay_open(self._relay, raw, fd4, fd6, _ns(until), bytes_per_second, number), "open an allocation"
        )
        return int(number[0])

    def refresh(self, allocation: int, until: float) -> None:
        """Lives until then. Raises UnknownFlow, RelayBusy, as do the next ones."""
        self._check(lib.cf_relay_refresh(self._relay, allocation, _ns(until)), f"refresh allocation {allocation}")

    def permit(self, allocation: int, host: str, until: float, ports: Sequence[tuple[int, int]] = ()) -> None:
        """Permits a peer's address; with port ranges (first and last, at most 8) only those ports of it."""
        ranges = ffi.new("cf_relay_ports[]", list(ports))
        peer = _convert.new_addr((host, 0))
        rc = lib.cf_relay_permit(self._relay, allocation, peer, _ns(until), ranges, len(ports))
        self._check(rc, f"permit {host} to allocation {allocation}")

    def bind(self, allocation: int, channel: int, peer: Address, until: float) -> None:
        """Binds a channel (0x4000 to 0x4FFF); its peer's address must be permitted before, and stay so for what the peer sends."""
        rc = lib.cf_relay_bind(self._relay, allocation, channel, _convert.new_addr(peer), _ns(until))
        self._check(rc, f"bind channel {channel:#x} of allocation {allocation}")

    def withdraw(self, allocation: int, version: int) -> None:
        """Gives up the relayed address of this IP version (4 or 6): its socket is closed, its permissions and channels end.

        An allocation that has ended already is passed over. Raises RelayBusy.
        """
        with contextlib.suppress(UnknownFlow):
            rc = lib.cf_relay_withdraw(self._relay, allocation, version)
            self._check(rc, f"withdraw IPv{version} of allocation {allocation}")

    def close_allocation(self, allocation: int) -> None:
        """Ends it and closes its sockets; Closed comes when they are. One that has ended already is passed over."""
        with contextlib.suppress(UnknownFlow):
            self._check(lib.cf_relay_close(self._relay, allocation), f"close allocation {allocation}")

    def traffic(self, allocation: int) -> Traffic:
        """What it has relayed so far. Raises UnknownFlow."""
        traffic, drops = ffi.new("cf_relay_traffic *"), ffi.new("uint64_t[]", lib.CF_DROPS)
        self._check(lib.cf_relay_traffic_of(self._relay, allocation, traffic, drops), f"traffic of {allocation}")
        return _convert.traffic_from(traffic, drops)

    # -- clients -----------------------------------------------------------------------------------------------

    def reply(self, client: Flow, data: bytes) -> None:
        """Sends at most 1,500 bytes to a client; to one that has gone, nowhere. Raises RelayError, RelayBusy."""
        rc = lib.cf_relay_reply(self._relay, _convert.new_client(client), data, len(data))
        self._check(rc, f"reply to {client.peer[0]}")

    def join(self, connection: int, fd: int, said: bytes = b"", allocation: int = 0) -> None:
        """From now on the connection's bytes go to this stream socket and back, and both end together; it becomes the relay's.

        ``said``, at most 1,500 bytes, goes to the client before all else. The bytes are counted and limited as those of
        ``allocation``; 0: as nobody's. Of TLS it is the bytes inside. Raises RelayError, UnknownFlow, RelayBusy; the descriptor is
        then still the caller's.
        """
        rc = lib.cf_relay_join(self._relay, connection, fd, allocation, said, len(said))
        self._check(rc, f"join connection {connection}")

    def hang_up(self, connection: int) -> None:
        """Ends a connection when what was said before has been sent. One that has ended already is passed over."""
        with contextlib.suppress(UnknownFlow):
            self._check(lib.cf_relay_hang_up(self._relay, connection), f"hang up connection {connection}")

    def stats(self, thread: int | None = None) -> RelayStats:
        """Counters of one thread, or of all. Raises UnknownFlow: there is no such thread."""
        stats = ffi.new("cf_relay_stats *")
        which = -1 if thread is None else thread
        self._check(lib.cf_relay_stats_of(self._relay, which, stats), f"statistics of thread {thread}")
        return _convert.stats_from(stats)


def _ns(seconds: float) -> int:
    return int(seconds * _NS)


def _config(config: RelayConfig) -> Any:
    raw = ffi.new("cf_relay_config *")
    for name in ("threads", "allocations", "permissions", "connections", "handshakes", "handshakes_source"):
        setattr(raw, name, getattr(config, name))
    raw.first_message_ns, raw.idle_ns = _ns(config.first_message_s), _ns(config.idle_s)
    raw.bytes_per_second, raw.rest_ns = config.bytes_per_second, int(config.rest_ms * 1_000_000)
    raw.seed = int.from_bytes(os.urandom(8))
    return raw
