"""The sockets on which clients are heard: UDP for the data path's threads, and TCP whose connections it adopts."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from ipaddress import ip_address

from confero.errors import LocalError, Refused
from confero.relay import Adopt, RelayError
from confero.runtime.accepting import Acceptor, listening_sockets
from confero.runtime.logging import get_logger

log = get_logger(__name__)

BUFFER = 4 << 20
"""Bytes wanted for what waits in a listening socket: all clients' packets come through a few of them."""
BACKLOG = 1024


def wildcards() -> list[str]:
    """Those of the families that this machine has."""
    try:
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).close()
    except OSError:
        return ["0.0.0.0"]
    return ["0.0.0.0", "::"]


def udp_sockets(addresses: Sequence[str], port: int, threads: int) -> list[tuple[int, socket.socket]]:
    """A socket of each address for each thread, with the thread; the kernel spreads clients over them (SO_REUSEPORT).

    With ``port`` 0 all get the port of the first. Raises LocalError.
    """
    made: list[tuple[int, socket.socket]] = []
    for address in addresses:
        for thread in range(threads):
            try:
                made.append((thread, _udp(address, port)))
            except OSError as error:
                for _, one in made:
                    one.close()
                raise LocalError(f"cannot listen on UDP {address} port {port}: {error.strerror}") from error
            port = port or int(made[0][1].getsockname()[1])
    return made


def _udp(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ip_address(address).version == 6 else socket.AF_INET
    made = socket.socket(family, socket.SOCK_DGRAM)
    try:
        made.setblocking(False)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind((address, port))
    except OSError:
        made.close()
        raise
    return made


class TcpDoor:
    """Takes connections and gives them to the data path."""

    def __init__(self, adopt: Callable[[int, Adopt], int]) -> None:
        """``adopt``: of ``confero.relay.Relay``."""
        self._adopt = adopt
        self._acceptors: list[Acceptor] = []
        self.port = 0
        self.refused = 0
        """Connections that the data path had no room for."""

    async def listen(self, addresses: Sequence[str], port: int) -> None:
        """With ``port`` 0 all get the port of the first, which ``port`` then is. Raises LocalError."""
        for address in addresses:
            try:
                found = await listening_sockets(address, port, backlog=BACKLOG, reuse_port=False)
            except OSError as error:
                self.close()
                raise LocalError(f"cannot listen on TCP {address} port {port}: {error.strerror}") from error
            self.port = port = port or int(found[0].getsockname()[1])
            self._acceptors += [Acceptor(one, self._take) for one in found]

    def _take(self, connection: socket.socket, address: str) -> None:
        self.take(connection)

    def take(self, connection: socket.socket) -> None:
        """A connection, which is the data path's from now on, or closed."""
        try:
            self._adopt(connection.fileno(), Adopt.SNIFF)
        except (Refused, RelayError) as error:
            self.refused += 1
            log.debug("a connection is refused", reason=str(error))
            connection.close()
            return
        connection.detach()

    def close(self) -> None:
        """No new ones; those that there are go on. Idempotent."""
        for acceptor in self._acceptors:
            acceptor.close()
