"""TCP between relayed addresses and peers (RFC 6062): sockets that listen, connect and wait here until their client comes for them.

Nothing of them is read here. What a peer says before that stays in the kernel, whose buffer is the bound; when the client has come,
the data path gets the socket and carries its bytes.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from confero.errors import Refused
from confero.protocols.stun import Address, family_of
from confero.protocols.turn import actions
from confero.relay import RelayError, UnknownFlow
from confero.runtime.accepting import Acceptor
from confero.runtime.logging import get_logger

log = get_logger(__name__)


class Machine(Protocol):
    """What of ``confero.protocols.turn.Server`` is used here."""

    def connected(self, connection: int, success: bool, now: float) -> list[actions.Action]: ...
    def accepted(self, allocation: int, peer: Address, now: float) -> tuple[int | None, list[actions.Action]]: ...
    def ended(self, connection: int, now: float) -> list[actions.Action]: ...


class Joining(Protocol):
    """What of ``confero.relay.Relay`` is used here."""

    def join(self, connection: int, fd: int, said: bytes, allocation: int) -> None: ...


@dataclass
class _Stream:
    """A connection with a peer, by the machine's number."""

    allocation: int
    socket: socket.socket | None
    """None: it is the data path's."""
    client: int = 0
    """The client's connection that it is joined to."""


@dataclass
class _Place:
    """What listens for an allocation, by address family, and its connections."""

    listening: dict[int, tuple[socket.socket, Acceptor]]
    numbers: set[int] = field(default_factory=set)


class PeerStreams:
    """Does what the machine wants of TCP, and tells it what has come of that."""

    def __init__(
        self,
        path: Joining,
        machine: Machine,
        now: Callable[[], float],
        do: Callable[[Iterable[actions.Action]], None],
        hang_up: Callable[[int], None],
    ) -> None:
        """``do`` does what the machine answers. ``hang_up`` ends a client's connection, and raises nothing."""
        self._path = path
        self._machine = machine
        self._now = now
        self._do = do
        self._hang_up = hang_up
        self._places: dict[int, _Place] = {}
        self._streams: dict[int, _Stream] = {}
        self.connected = 0
        """Connections to peers that were asked for and came to be."""
        self.failed = 0
        """Those that did not."""
        self.accepted = 0
        """Connections of peers."""
        self.refused = 0
        """Those that nobody had permitted, or for which there was no room."""

    def __len__(self) -> int:
        """Connections, those that are being made included."""
        return len(self._streams)

    # -- relayed addresses --

    def listen(self, allocation: int, sockets: Mapping[int, socket.socket]) -> None:
        """These sockets, by address family, listen for the allocation, and are ours from now on."""
        take = partial(self._accept, allocation)
        self._places[allocation] = _Place({family: (one, Acceptor(one, take)) for family, one in sockets.items()})

    def drop(self, allocation: int, family: int) -> None:
        """One of two relayed addresses goes; the machine ends its connections one by one."""
        place = self._places.get(allocation)
        if place is not None and family in place.listening:
            place.listening.pop(family)[1].close()

    def forget(self, allocation: int) -> None:
        """The allocation ends with all that belongs to it. One for UDP has nothing here."""
        place = self._places.pop(allocation, None)
        if place is None:
            return
        for _, acceptor in place.listening.values():
            acceptor.close()
        for number in list(place.numbers):
            self.end(number)

    # -- connections --

    def connect(self, wanted: actions.Connect) -> None:
        """Begins a connection from the relayed address (section 5.2); the machine hears of its end."""
        number, made = wanted.connection, self._begin(wanted)
        if made is None:
            self._failed(number)
            return
        self._keep(number, wanted.allocation, made)
        asyncio.get_running_loop().add_writer(made, self._finish, number)

    def _begin(self, wanted: actions.Connect) -> socket.socket | None:
        """None: it cannot be made."""
        place = self._places.get(wanted.allocation)
        listening = place.listening.get(family_of(wanted.peer[0])) if place is not None else None
        if listening is None:
            return None
        try:
            made = beside(listening[0])
        except OSError as error:
            log.debug("no socket for a connection to a peer", reason=error.strerror)
            return None
        # One that is there at once is writable at once.
        if made.connect_ex(wanted.peer) in (0, errno.EINPROGRESS):
            return made
        made.close()
        return None

    def _finish(self, number: int) -> None:
        """The connection is there, or cannot be had."""
        stream = self._streams[number]
        assert stream.socket is not None
        asyncio.get_running_loop().remove_writer(stream.socket)
        if stream.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self.end(number)
            self._failed(number)
            return
        self.connected += 1
        self._do(self._machine.connected(number, True, self._now()))

    def _failed(self, number: int) -> None:
        self.failed += 1
        self._do(self._machine.connected(number, False, self._now()))

    def _accept(self, allocation: int, connection: socket.socket, host: str) -> None:
        """Section 5.3: a peer has connected."""
        try:
            peer = connection.getpeername()
        except OSError:
            connection.close()  # it has ended already
            return
        number, todo = self._machine.accepted(allocation, (peer[0], peer[1]), self._now())
        if number is None:
            self.refused += 1
            connection.close()
        else:
            self.accepted += 1
            self._keep(number, allocation, connection)
        self._do(todo)

    def join(self, wanted: actions.Join, allocation: int) -> None:
        """Section 5.4: the data path gets the socket; ``allocation`` is its own number.

        Raises UnknownFlow, Refused: then both connections end.
        """
        stream = self._streams.get(wanted.connection)
        if stream is None or stream.socket is None:
            raise UnknownFlow(f"connection {wanted.connection}")
        try:
            self._path.join(wanted.client.connection, stream.socket.fileno(), wanted.data, allocation)
        except (Refused, RelayError):
            self._hang_up(wanted.client.connection)
            self._do(self._machine.ended(wanted.connection, self._now()))
            raise
        stream.socket.detach()
        stream.socket, stream.client = None, wanted.client.connection

    def end(self, number: int) -> None:
        """Closes a connection, and the client's that is joined to it. Idempotent."""
        stream = self._streams.pop(number, None)
        if stream is None:
            return
        place = self._places.get(stream.allocation)
        if place is not None:
            place.numbers.discard(number)
        if stream.socket is not None:
            asyncio.get_running_loop().remove_writer(stream.socket)
            stream.socket.close()
        if stream.client:
            self._hang_up(stream.client)

    def close(self) -> None:
        """Ends everything that is not the data path's. Idempotent."""
        for allocation in list(self._places):
            self.forget(allocation)

    def _keep(self, number: int, allocation: int, made: socket.socket) -> None:
        self._streams[number] = _Stream(allocation, made)
        self._places[allocation].numbers.add(number)


def beside(listening: socket.socket) -> socket.socket:
    """A socket of the address on which another listens, to connect from there (section 5.2). Raises OSError.

    Linux wants SO_REUSEPORT of both for that. The listening one has it for this moment only: with it, its port would look free.
    """
    made = socket.socket(listening.family, socket.SOCK_STREAM)
    try:
        made.setblocking(False)
        for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
            made.setsockopt(socket.SOL_SOCKET, option, 1)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            made.bind(listening.getsockname())
        finally:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 0)
    except OSError:
        made.close()
        raise
    return made
