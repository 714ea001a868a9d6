"""Looks at the first bytes of each connection without taking them, until it is certain what they are."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass

from confero.clock import Clock
from confero.protocols.sniff import MAX_PEEK, More, Sniffed, sniff
from confero.runtime.handover import Address
from confero.runtime.logging import get_logger

from .lobby import Lobby

log = get_logger(__name__)

LOOK_AGAIN_S = 0.05
"""After the kernel has woken us although fewer bytes than wanted are there."""
ESTABLISHED = 1
"""tcpi_state, the first byte of TCP_INFO: neither side has closed."""


@dataclass(eq=False)
class Caller:
    """A connection in the lobby."""

    connection: socket.socket
    client: Address
    wanted: int = 1
    """Bytes for which the kernel is to wake us."""
    pause: asyncio.TimerHandle | None = None


Decided = Callable[[socket.socket, Address, Sniffed], None]
Dropped = Callable[[str], None]


class Door:
    """Takes accepted connections, and gives each to ``decided`` once it is known, untouched. The rest it closes.

    A peeked socket stays readable, so that waiting for it again would return at once, for ever. Therefore the kernel is told
    how many bytes make it readable (SO_RCVLOWAT): the number that ``sniff`` wants next. Only where it wakes us nevertheless, under
    pressure for memory, we look again by the clock. A side that has closed, and so will never send them, wakes us too.
    """

    def __init__(self, lobby: Lobby[Caller], clock: Clock, decided: Decided, dropped: Dropped) -> None:
        """``dropped`` is told why: ``gone``, ``silent`` or ``crowded``."""
        self._lobby = lobby
        self._clock = clock
        self._decided = decided
        self._dropped = dropped
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def take(self, connection: socket.socket, address: str) -> None:
        """A connection that was just accepted, from this address; ours from here on."""
        try:
            client = connection.getpeername()
        except OSError:  # it has gone already
            connection.close()
            self._dropped("gone")
            return
        caller = Caller(connection, (address, client[1]))
        victim = self._lobby.enter(caller, address, self._clock.monotonic())
        if victim is not None:
            self._drop(victim, "crowded")
        self._loop.add_reader(connection, self._readable, caller)
        self._arm()

    def _readable(self, caller: Caller) -> None:
        try:
            data = caller.connection.recv(MAX_PEEK, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        answer = sniff(data) if data else None
        if isinstance(answer, Sniffed):
            self._decide(caller, answer)
        elif answer is None or not self._wait_for(caller, answer, len(data)):
            self._drop(caller, "gone")

    def _wait_for(self, caller: Caller, more: More, there: int) -> bool:
        """False: what is wanted will not come, as one of the sides has closed."""
        early = there < caller.wanted
        if early and caller.connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] != ESTABLISHED:
            return False
        if early:
            self._loop.remove_reader(caller.connection)
            caller.pause = self._loop.call_later(LOOK_AGAIN_S, self._look_again, caller)
        else:
            caller.wanted = more.wanted
            caller.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, more.wanted)
        return True

    def _look_again(self, caller: Caller) -> None:
        caller.pause = None
        self._loop.add_reader(caller.connection, self._readable, caller)

    def _decide(self, caller: Caller, sniffed: Sniffed) -> None:
        self._let_go(caller)
        if caller.wanted > 1:
            caller.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
        self._decided(caller.connection, caller.client, sniffed)

    def _let_go(self, caller: Caller) -> None:
        """Out of lobby and event loop before anybody else has the socket: epoll goes by the open file, not by our number."""
        self._lobby.leave(caller)
        if caller.pause is not None:
            caller.pause.cancel()
        self._loop.remove_reader(caller.connection)

    def _drop(self, caller: Caller, why: str) -> None:
        self._let_go(caller)
        caller.connection.close()
        self._dropped(why)

    def _arm(self) -> None:
        at = self._lobby.get_timer()
        if at is not None and self._timer is None:
            self._timer = self._loop.call_later(max(0.0, at - self._clock.monotonic()), self._due)

    def _due(self) -> None:
        self._timer = None
        for caller in self._lobby.expire(self._clock.monotonic()):
            self._drop(caller, "silent")
        self._arm()

    def close(self) -> None:
        """Nobody waits any longer. Idempotent."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for caller in self._lobby.clear():
            self._drop(caller, "gone")
