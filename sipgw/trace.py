"""What went by: the last messages for ``confero sip trace``, each call's ladder for its record, the mirror to a Homer server."""

from __future__ import annotations

import asyncio
import socket
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from itertools import islice

from confero.clock import Clock
from confero.protocols.hep import Mirrored, pack
from confero.runtime.logging import get_logger

log = get_logger(__name__)

KEPT = 2048
"""Messages that a new watcher is shown first."""
WAITING = 512
"""Messages that may wait for a slow watcher; it misses what comes while so many do, and is told how many."""
LADDERS = 4096
"""Calls whose ladders are kept until their records are written; the oldest goes first."""
JUST_NOW = 32
"""Of the last messages: so many may have come between an INVITE and the moment that it is a call."""
RUNGS = 64
"""Lines of a ladder: enough for an INVITE with authentication, holds and a transfer. Then only the count grows."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A message as it went by."""

    message: Mirrored
    came: bool
    """Towards us."""
    title: str
    """First line and CSeq."""


@dataclass
class Watcher:
    """Somebody who watches; ``next`` gives him what goes by."""

    queue: deque[Seen] = field(default_factory=deque)
    missed: int = 0
    _woken: asyncio.Event = field(default_factory=asyncio.Event)

    def offer(self, seen: Seen) -> None:
        if len(self.queue) >= WAITING:
            self.missed += 1
        else:
            self.queue.append(seen)
        self._woken.set()

    async def next(self) -> Seen:
        while not self.queue:
            self._woken.clear()
            await self._woken.wait()
        return self.queue.popleft()


@dataclass(frozen=True, slots=True)
class Rung:
    """One message of a call."""

    at: float
    """Unix time."""
    came: bool
    peer: tuple[str, int]
    title: str
    """First line with the CSeq."""


@dataclass
class Ladder:
    """The messages of one call, a line each."""

    rungs: list[Rung] = field(default_factory=list)
    more: int = 0
    """Messages beyond ``RUNGS``."""

    def add(self, seen: Seen) -> None:
        if len(self.rungs) < RUNGS:
            message = seen.message
            peer = message.source if seen.came else message.destination
            self.rungs.append(Rung(message.at, seen.came, peer, seen.title))
        else:
            self.more += 1


class Trace:
    """Told of every message; costs little where nobody watches."""

    def __init__(self, clock: Clock, mirror: Callable[[Mirrored], None] | None = None) -> None:
        self._clock = clock
        self._mirror = mirror
        self._kept: deque[Seen] = deque(maxlen=KEPT)
        self._watchers: list[Watcher] = []
        self._ladders: OrderedDict[str, Ladder] = OrderedDict()

    def saw(self, message: Mirrored, *, came: bool, title: str) -> None:
        """``title``: first line and CSeq; ``came``: towards us."""
        seen = Seen(message, came, title)
        self._kept.append(seen)
        for watcher in self._watchers:
            watcher.offer(seen)
        if self._mirror is not None:
            self._mirror(message)
        if (ladder := self._ladders.get(message.correlation)) is not None:
            ladder.add(seen)

    def follow(self, call_id: str) -> None:
        """Keep a ladder of this call from now on, and of what has just brought it."""
        ladder = self._ladders[call_id] = Ladder()
        for seen in reversed(list(islice(reversed(self._kept), JUST_NOW))):
            if seen.message.correlation == call_id:
                ladder.add(seen)
        if len(self._ladders) > LADDERS:
            self._ladders.popitem(last=False)

    def ladder(self, call_id: str) -> Ladder:
        """As far as it has come."""
        return self._ladders.get(call_id) or Ladder()

    def take(self, call_id: str) -> Ladder:
        """The ladder of a call that is over."""
        return self._ladders.pop(call_id, None) or Ladder()

    @contextmanager
    def watch(self) -> Iterator[Watcher]:
        """A watcher, who first gets what was kept."""
        watcher = Watcher()
        for seen in list(self._kept)[-WAITING:]:
            watcher.offer(seen)
        self._watchers.append(watcher)
        try:
            yield watcher
        finally:
            self._watchers.remove(watcher)


class HepMirror:
    """Sends each message to a Homer server over UDP; what cannot be sent at once is lost and counted."""

    def __init__(self, server: tuple[str, int], *, agent: int, key: str = "") -> None:
        """``server``: address and port."""
        family = socket.AF_INET6 if ip_address(server[0]).version == 6 else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
        self._socket.connect(server)
        self._agent = agent
        self._key = key
        self.lost = 0

    def __call__(self, message: Mirrored) -> None:
        try:
            self._socket.send(pack(message, agent=self._agent, key=self._key))
        except OSError:
            self.lost += 1

    def close(self) -> None:
        self._socket.close()
