"""Relayed addresses: sockets bound in the relay range, past ports that are a service's or somebody else's."""

from __future__ import annotations

import socket
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from random import Random, SystemRandom

from confero.media.addresses import Advertised
from confero.protocols.turn import TCP, UDP, Relay

TRIES = 64
"""Ports that are tried before an address counts as full: somebody else may have some, or a socket not be closed yet."""
BUFFER = 1 << 20
"""Bytes wanted for what waits in a relayed socket: 0.1 s of a fast video."""
BACKLOG = 16
"""Connections of peers that wait to be taken: as many as an allocation has."""
FAMILIES = {4: 1, 6: 2}
"""By IP version, as STUN has them (RFC 8489 section 14.1)."""


class Pool:
    """The ports of one address that are not given out, of which any can be taken in constant time."""

    def __init__(self, ports: Sequence[int], random: Random) -> None:
        self._ports = list(ports)
        self._at = {port: index for index, port in enumerate(self._ports)}
        self._random = random

    def __len__(self) -> int:
        return len(self._ports)

    def __contains__(self, port: int) -> bool:
        return port in self._at

    def guess(self) -> int:
        """One of them, that nobody can foretell (RFC 6056)."""
        return self._ports[self._random.randrange(len(self._ports))]

    def even(self) -> list[int]:
        """Those whose upper neighbour is free as well."""
        return [port for port in self._ports if port % 2 == 0 and port + 1 in self._at]

    def take(self, port: int) -> None:
        index = self._at.pop(port)
        last = self._ports.pop()
        if last != port:
            self._ports[index], self._at[last] = last, index

    def give(self, port: int) -> None:
        self._at[port] = len(self._ports)
        self._ports.append(port)


@dataclass
class _Place:
    """An address with its ports, those for UDP and those for TCP."""

    address: Advertised
    udp: Pool
    tcp: Pool

    def pool(self, protocol: int) -> Pool:
        return self.udp if protocol == UDP else self.tcp


@dataclass
class _Given:
    """A relayed address that is in use; its socket until the data path takes it."""

    place: _Place
    relay: Relay
    port: int
    socket: socket.socket | None


Bind = Callable[[str, int, int], socket.socket]


class RelayPorts:
    """``confero.protocols.turn.Ports`` with real sockets."""

    def __init__(
        self,
        addresses: Sequence[Advertised],
        low: int,
        high: int,
        reserved: Collection[int],
        *,
        random: Random | None = None,
        bind: Bind | None = None,
    ) -> None:
        """``addresses``: with the internal one that is bound. ``low`` to ``high``, less ``reserved``, are the ports."""
        self._random = random or SystemRandom()
        self._ports = [port for port in range(low, high + 1) if port not in reserved]
        self._places = [self._place(address) for address in addresses]
        self._given: dict[int, _Given] = {}
        self._bind = bind or bind_socket
        self._serial = 0
        self.exhausted = 0
        """How often there was no address."""

    def _place(self, address: Advertised) -> _Place:
        return _Place(address, Pool(self._ports, self._random), Pool(self._ports, self._random))

    def use(self, addresses: Sequence[Advertised]) -> bool:
        """New relayed addresses are of these from now on; those given out stay. False if nothing has changed."""
        known = {place.address: place for place in self._places}
        if list(known) == list(addresses):
            return False
        self._places = [known.get(address) or self._place(address) for address in addresses]
        return True

    @property
    def families(self) -> frozenset[int]:
        """Of the addresses, as STUN numbers them."""
        return frozenset(_family(place.address) for place in self._places)

    def __len__(self) -> int:
        """Addresses in use."""
        return len(self._given)

    def reserve(
        self, family: int, protocol: int = UDP, *, even: bool = False, pair: bool = False
    ) -> tuple[Relay, ...] | None:
        """As ``Ports`` says: of the address with the most room."""
        places = [place for place in self._places if _family(place.address) == family]
        for place in sorted(places, key=lambda one: -len(one.pool(protocol))):
            found = self._reserve(place, protocol, even=even, pair=pair)
            if found is not None:
                return found
        self.exhausted += 1
        return None

    def _reserve(self, place: _Place, protocol: int, *, even: bool, pair: bool) -> tuple[Relay, ...] | None:
        pool = place.pool(protocol)
        for port in candidates(pool, even=even, pair=pair):
            wanted = (port, port + 1) if pair else (port,)
            sockets = self._bind_all(place, wanted, protocol)
            if sockets is not None:
                return tuple(self._give(place, one, protocol, sock) for one, sock in zip(wanted, sockets, strict=True))
        return None

    def _bind_all(self, place: _Place, ports: Sequence[int], protocol: int) -> list[socket.socket] | None:
        made: list[socket.socket] = []
        assert place.address.internal is not None
        try:
            for port in ports:
                made.append(self._bind(place.address.internal, port, protocol))
        except OSError:
            for one in made:
                one.close()
            return None
        return made

    def _give(self, place: _Place, port: int, protocol: int, sock: socket.socket) -> Relay:
        self._serial += 1
        relay = Relay(self._serial, protocol, (place.address.external, port))
        place.pool(protocol).take(port)
        self._given[relay.handle] = _Given(place, relay, port, sock)
        return relay

    def take(self, relay: Relay) -> socket.socket:
        """The socket, which is the caller's from now on. Once for each address. Raises LookupError."""
        given = self._given[relay.handle]
        taken, given.socket = given.socket, None
        if taken is None:
            raise LookupError(f"the socket of {relay.address} has been taken")
        return taken

    def release(self, relay: Relay) -> None:
        """Its port may be given out again; that is tried in vain as long as whoever took its socket has not closed it."""
        given = self._given.pop(relay.handle, None)
        if given is None:
            return
        if given.socket is not None:
            given.socket.close()
        given.place.pool(relay.protocol).give(given.port)

    def close(self) -> None:
        """Closes what was not taken. Idempotent."""
        for given in list(self._given.values()):
            self.release(given.relay)


def candidates(pool: Pool, *, even: bool, pair: bool) -> Iterator[int]:
    """Ports to try, at most ``TRIES`` different ones: guesses, and for a pair a look through all if guesses do not find one.

    Each guess costs a call of the kernel, and the first is mostly free: they are made as they are asked for.
    """

    def fits(port: int) -> bool:
        return port % 2 == 0 and (not pair or port + 1 in pool) if even or pair else True

    tried: set[int] = set()
    for _ in range(TRIES if len(pool) else 0):
        port = pool.guess()
        if fits(port) and port not in tried:
            tried.add(port)
            yield port
    if not tried and (even or pair):
        yield from (pool.even() if pair else [port for port in range(0, 65_536, 2) if port in pool])[:TRIES]


def bind_socket(address: str, port: int, protocol: int) -> socket.socket:
    """A socket for relayed media; one for TCP listens. Raises OSError."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM if protocol == TCP else socket.SOCK_DGRAM)
    try:
        made.setblocking(False)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if protocol == UDP:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        else:
            # Connections of the port's last owner may not be quite over yet.
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((address, port))
        if protocol == TCP:
            made.listen(BACKLOG)  # from here on the port is ours alone
    except OSError:
        made.close()
        raise
    return made


def _family(address: Advertised) -> int:
    return FAMILIES[6 if ":" in address.external else 4]
