"""What went by: the last messages for ``confero sip trace``, each call's ladder for its record, the mirror to a Homer server."""

from __future__ import annotations

import asyncio
import re
import socket
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from itertools import islice
from typing import NamedTuple

from confero.clock import Clock
from confero.protocols.hep import Mirrored, pack
from confero.protocols.sip.target import Target
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


class Seen(NamedTuple):
    """A message as it went by. Made for each, looked at for few: what takes work is worked out when somebody looks."""

    at: float
    """Unix time."""
    came: bool
    """Towards us."""
    peer: Target
    data: bytes
    call_id: str
    """Empty: it was not understood."""
    here: Callable[[Target], tuple[str, int]]
    """Tells our own address as a peer sees it."""

    @property
    def title(self) -> str:
        """First line and CSeq."""
        return title_of(self.data) if self.call_id else "malformed"

    @property
    def message(self) -> Mirrored:
        """For others."""
        there, here = (self.peer.host, self.peer.port), self.here(self.peer)
        source, destination = (there, here) if self.came else (here, there)
        return Mirrored(self.at, self.peer.transport, source, destination, self.data, self.call_id)


CSEQ = re.compile(rb"^CSeq[ \t]*:[ \t]*([^\r\n]*)", re.I | re.M)


def title_of(data: bytes) -> str:
    """The line of a ladder: what a message is, and its CSeq."""
    line = data.lstrip(b"\r\n").partition(b"\r\n")[0].decode("utf-8", "replace")
    cseq = CSEQ.search(data)
    what = line.removeprefix("SIP/2.0 ").removesuffix(" SIP/2.0")
    return f"{what} ({cseq[1].decode('utf-8', 'replace') if cseq else '?'})"


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
            self.rungs.append(Rung(seen.at, seen.came, (seen.peer.host, seen.peer.port), seen.title))
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

    def saw(self, seen: Seen) -> None:
        """A message goes by."""
        self._kept.append(seen)
        for watcher in self._watchers:
            watcher.offer(seen)
        if self._mirror is not None:
            self._mirror(seen.message)
        if (ladder := self._ladders.get(seen.call_id)) is not None:
            ladder.add(seen)

    def follow(self, call_id: str) -> None:
        """Keep a ladder of this call from now on, and of what has just brought it."""
        ladder = self._ladders[call_id] = Ladder()
        for seen in reversed(list(islice(reversed(self._kept), JUST_NOW))):
            if seen.call_id == call_id:
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
