"""Connect and ConnectionBind, and peers that connect: TCP between the relayed address and peers (RFC 6062 sections 5.2 to 5.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confero.protocols.stun import Address, Kind, Method, build
from confero.protocols.stun import attributes as a

from .actions import Connect, Disconnect, Join, Reply
from .refusals import Refusal

if TYPE_CHECKING:
    from .allocation import Allocation
    from .requests import Desk, Request
    from .types import Client

CONNECT_S = 30.0
"""How long a connection to a peer may take; section 5.2 wants 30 s at least."""
BIND_S = 30.0
"""How long a connection waits for its client; sections 5.2 and 5.3."""


class PeerConnection:
    """A TCP connection of an allocation: being made, waiting for its client, or joined to it."""

    __slots__ = ("allocation", "client", "id", "peer", "request", "wakes_at")

    def __init__(self, number: int, allocation: Allocation, peer: Address, request: Request | None = None) -> None:
        self.id = number
        self.allocation = allocation
        self.peer = peer
        self.request = request
        """The Connect request, until it is answered."""
        self.client: Client | None = None
        """The client's connection that carries the data, once there is one."""
        self.wakes_at: float | None = None


def connect(desk: Desk, request: Request, now: float) -> None:
    """Section 5.2: begins a connection; the answer waits for it, except to the same request come again. Raises Refusal."""
    # 437 without an allocation on this connection; and there is no Connect for UDP.
    allocation = desk.allocation_of(request)
    if not allocation.is_tcp:
        raise Refusal(400, "Connect for a UDP allocation")
    peer = request.want(a.XOR_PEER_ADDRESS)
    # 446 as long as there is one to this peer, in whatever state.
    if peer in allocation.connections:
        raise Refusal(446, f"a connection to {peer[0]} port {peer[1]} is there")
    # 443 and 403.
    desk.reach_peer(allocation, peer)
    connection = _new(desk, allocation, peer, request)
    desk.table.add(connection, now + CONNECT_S)
    desk.table.out.append(Connect(allocation.id, connection.id, peer))


def _new(desk: Desk, allocation: Allocation, peer: Address, request: Request | None = None) -> PeerConnection:
    if len(allocation.connections) >= desk.settings.connections_per_allocation:
        raise Refusal(508, "all connections of the allocation are taken")
    if len(desk.table.connections) >= desk.settings.connections:
        raise Refusal(508, "all connections to peers are taken")
    number = 0
    while number == 0 or number in desk.table.connections:
        number = int.from_bytes(desk.random.randbytes(4), "big")
    return PeerConnection(number, allocation, peer, request)


def connected(desk: Desk, number: int, success: bool, now: float) -> None:
    """The data path says what came of a ``Connect``."""
    connection = desk.table.connections.get(number)
    if connection is None or connection.request is None:
        return
    request, connection.request = connection.request, None
    desk.table.deadlines.forget(connection)
    if success:
        # 30 seconds for the client to come for it.
        desk.table.deadlines.wake(connection, now + BIND_S)
        desk.answer(request, 0, request.success([a.CONNECTION_ID.of(number)]))
    else:
        desk.table.forget(connection)
        desk.answer(request, 447, request.error(447))


def accepted(desk: Desk, allocation: Allocation, peer: Address, now: float) -> int | None:
    """Section 5.3: a peer has connected. The connection's number, or None: close it at once."""
    until = allocation.permissions.get(peer[0], now)
    if not allocation.is_tcp or until <= now or peer in allocation.connections:
        return None
    try:
        connection = _new(desk, allocation, peer)
    except Refusal:
        return None
    desk.table.add(connection, now + BIND_S)
    rows = [a.XOR_PEER_ADDRESS.of(peer), a.CONNECTION_ID.of(connection.id)]
    said = build(Method.CONNECTION_ATTEMPT, Kind.INDICATION, desk.random.randbytes(12), rows)
    desk.table.out.append(Reply(allocation.client, said))
    return connection.id


def connection_bind(desk: Desk, request: Request, now: float) -> None:
    """Section 5.4: from here on this client connection is the peer's connection. Raises Refusal."""
    if request.client.transport == "udp" or request.client in desk.table.by_client:
        raise Refusal(400, "a connection of its own, over TCP or TLS, is wanted")
    connection = desk.table.connections.get(request.want(a.CONNECTION_ID))
    # Of this very user, there, and not joined yet.
    if connection is None or connection.request is not None or connection.client is not None:
        raise Refusal(400, "no connection waits with this number")
    if connection.allocation.holder.username != request.proven.username:
        raise Refusal(400, "no connection of this user waits with this number")
    connection.client = request.client
    desk.table.deadlines.forget(connection)
    desk.table.joined[request.client] = connection
    # The reply goes before the data.
    desk.replies[request.message.method, 0] += 1
    join = Join(request.client, connection.id, connection.allocation.id, request.success())
    desk.table.out.append(join)


def overdue(desk: Desk, connection: PeerConnection) -> None:
    """It was not made in time, or nobody came for it."""
    request = connection.request
    desk.table.forget(connection)
    desk.table.out.append(Disconnect(connection.id))
    if request is not None:
        desk.answer(request, 447, request.error(447))


def ended(desk: Desk, connection: PeerConnection) -> None:
    """One of its ends has closed; the data path is told to close what is left."""
    desk.table.forget(connection)
    desk.table.out.append(Disconnect(connection.id))
