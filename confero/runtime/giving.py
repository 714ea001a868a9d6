"""Hands connections on to another process, and waits for it, within bounds, while it restarts: see ``confero.runtime.handover``."""

from __future__ import annotations

import array
import asyncio
import errno
import socket
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path

from confero.clock import Clock
from confero.runtime.handover import Handed, pack, peer_uid, trusted
from confero.runtime.logging import get_logger

log = get_logger(__name__)

PATIENCE_S = 10.0
"""When a taker has gone, connections wait so long for it: a restart takes two seconds, and several on a busy machine. From then on
each ends at once, until it is there again."""
WAITING = 256
"""Connections that wait for one taker; a further one is not kept. About as many again the kernel holds, sent and not yet taken."""
RETRY_S = 0.05
"""A taker that is away, or has its queue full, is asked again so often while something waits for it."""
GONE = frozenset({errno.EPIPE, errno.ECONNRESET, errno.ECONNREFUSED, errno.ENOTCONN})


class Giver:
    """The way to one taker."""

    def __init__(
        self, path: Path, clock: Clock, told: Callable[[Handed, bool], None], *, uids: Iterable[int] = ()
    ) -> None:
        """``path``: where the taker listens. ``told`` hears of each connection once: True, it was handed over; False, nobody took
        it, and it was closed. ``uids``: users whose processes may take, besides our own.
        """
        self.path = path
        self._clock = clock
        self._told = told
        self._uids = trusted(uids)
        self._loop = asyncio.get_running_loop()
        self._channel: socket.socket | None = None
        self._waiting: deque[tuple[socket.socket, Handed]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._away_since: float | None = clock.monotonic()
        """Also while it is there and takes nothing."""

    def __len__(self) -> int:
        """Connections that wait."""
        return len(self._waiting)

    def is_there(self) -> bool:
        """Whether the taker listens; asks for it if it did not when last asked. To be called now and then, so that it is known
        since when it is away.
        """
        return self._channel is not None or self._connect()

    def give(self, connection: socket.socket, handed: Handed) -> None:
        """Hands it on, now or within ``PATIENCE_S``, or closes it. It is ours from here on: nobody else may touch it."""
        if len(self._waiting) >= WAITING:
            self._drop(connection, handed)
            return
        self._waiting.append((connection, handed))
        self._flush()

    def _flush(self) -> None:
        while self._waiting and self.is_there():
            if not self._send(*self._waiting[0]):
                break
        if not self._waiting:
            return
        now = self._clock.monotonic()
        if self._away_since is None:
            self._away_since = now
        if now - self._away_since >= PATIENCE_S:
            self._drop_all()
        elif self._timer is None:
            self._timer = self._loop.call_later(RETRY_S, self._retry)

    def _retry(self) -> None:
        self._timer = None
        self._flush()

    def _send(self, connection: socket.socket, handed: Handed) -> bool:
        """The first that waits. False: not now, as the kernel's queue is full, or holds as many descriptors as it may."""
        assert self._channel is not None
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [connection.fileno()]))]
        try:
            self._channel.sendmsg([pack(handed)], rights, socket.MSG_NOSIGNAL)
        except OSError as error:
            if error.errno not in GONE:
                return False
            self._gone()
            return True
        self._away_since = None
        self._waiting.popleft()
        connection.close()
        self._told(handed, True)
        return True

    def _connect(self) -> bool:
        channel = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
        try:
            channel.connect(str(self.path))
            uid = peer_uid(channel)
        except OSError:
            channel.close()
            return False
        if uid not in self._uids:
            log.error("connections are not handed to a stranger", path=str(self.path), uid=uid)
            channel.close()
            return False
        self._channel = channel
        self._away_since = None
        log.info("connections can be handed on", path=str(self.path))
        self._loop.add_reader(channel, self._gone)  # a taker says nothing: this is its end
        return True

    def _gone(self) -> None:
        channel, self._channel = self._channel, None
        if channel is not None:
            self._loop.remove_reader(channel)
            channel.close()
            self._away_since = self._clock.monotonic()
            log.info("nobody takes connections any more", path=str(self.path))

    def _drop_all(self) -> None:
        while self._waiting:
            self._drop(*self._waiting.popleft())

    def _drop(self, connection: socket.socket, handed: Handed) -> None:
        connection.close()
        self._told(handed, False)

    def close(self) -> None:
        """Ends what waits. Idempotent."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._drop_all()
        self._gone()
