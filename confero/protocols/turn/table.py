"""All that the server keeps: allocations by their clients, reserved ports by their tokens, counts of users, and what is due."""

from __future__ import annotations

from collections.abc import Iterable

from confero.protocols.stun import family_of

from .actions import Action, Bind, Close, Closed, Disconnect, Drop, Open, Opened, Permit, Reason, Refresh, Told
from .allocation import Allocation, Lease
from .auth import Proven
from .connections import PeerConnection
from .deadlines import Deadlines, Timed
from .settings import Settings
from .types import Client, PortRanges, Ports, Relay

PERMISSION_S = 300.0
"""RFC 8656 section 9."""
CHANNEL_S = 600.0
"""Section 12."""


class Reservation:
    """A port that waits for who has its token (section 7.2)."""

    __slots__ = ("relay", "token", "user", "wakes_at")

    def __init__(self, token: bytes, relay: Relay, user: str) -> None:
        self.token = token
        self.relay = relay
        self.user = user
        """It counts as one of this user's allocations."""
        self.wakes_at: float | None = None


class Table:
    """Keeps the data path's tables and its own alike: each change is an action in ``out``, in order."""

    def __init__(self, settings: Settings, ports: Ports) -> None:
        self.out: list[Action] = []
        self.ports = ports
        self.deadlines: Deadlines[Timed] = Deadlines()
        self.by_client: dict[Client, Allocation] = {}
        self.by_id: dict[int, Allocation] = {}
        self.reservations: dict[bytes, Reservation] = {}
        self.connections: dict[int, PeerConnection] = {}
        """To peers (RFC 6062), by their ids."""
        self.joined: dict[Client, PeerConnection] = {}
        """By the clients' connections that carry their data."""
        self._settings = settings
        self._users: dict[str, int] = {}
        self._serial = 0

    @property
    def held(self) -> int:
        """Allocations and reservations."""
        return len(self.by_id) + len(self.reservations)

    def held_by(self, user: str) -> int:
        return self._users.get(user, 0)

    def take(self) -> list[Action]:
        """What is to be done, once."""
        out, self.out = self.out, []
        return out

    def open(self, client: Client, holder: Proven, relays: Iterable[Relay], until: float, now: float) -> Allocation:
        self._serial += 1
        leases = {relay.family: Lease(relay, until) for relay in relays}
        allocation = Allocation(self._serial, client, holder, leases, now)
        self.by_client[client] = self.by_id[allocation.id] = allocation
        self._count(holder.user, 1)
        self.deadlines.wake(allocation, until)
        these = tuple(lease.relay for lease in leases.values())
        self.out.append(Open(allocation.id, client, these, until, self._settings.bytes_per_s))
        self.out.append(Told(Opened(allocation.id, holder.user, client, these)))
        return allocation

    def refresh(self, allocation: Allocation, family: int, until: float) -> None:
        allocation.leases[family] = Lease(allocation.leases[family].relay, until)
        self.deadlines.wake(allocation, until)
        longest = max(lease.until for lease in allocation.leases.values())
        self.out.append(Refresh(allocation.id, family, until, longest))

    def drop(self, allocation: Allocation, family: int, reason: Reason, now: float) -> None:
        """One relayed address goes; the allocation with the last of them."""
        if len(allocation.leases) == 1:
            self.close(allocation, reason, now)
            return
        relay = allocation.leases[family].relay
        for connection in [one for one in allocation.connections.values() if family_of(one.peer[0]) == family]:
            self.forget(connection)
            self.out.append(Disconnect(connection.id))
        allocation.forget_family(family)
        self.out.append(Drop(allocation.id, family))
        self.ports.release(relay)

    def close(self, allocation: Allocation, reason: Reason, now: float) -> None:
        """Done once; nothing of it is left."""
        if self.by_id.pop(allocation.id, None) is None:
            return
        del self.by_client[allocation.client]
        self.deadlines.forget(allocation)
        for connection in list(allocation.connections.values()):
            self.forget(connection)
        self._count(allocation.holder.user, -1)
        self.out.append(Close(allocation.id, reason))
        self.out.append(Told(Closed(allocation.id, allocation.holder.user, reason, now - allocation.made)))
        for lease in allocation.leases.values():
            self.ports.release(lease.relay)

    def permit(self, allocation: Allocation, ip: str, ports: PortRanges, now: float) -> None:
        until = allocation.permissions[ip] = now + PERMISSION_S
        self.deadlines.wake(allocation, until)
        self.out.append(Permit(allocation.id, ip, until, ports))

    def bind(self, allocation: Allocation, channel: int, peer: tuple[str, int], now: float) -> None:
        until = now + CHANNEL_S
        allocation.bind(channel, peer, until)
        self.deadlines.wake(allocation, until)
        self.out.append(Bind(allocation.id, channel, peer, until))

    def add(self, connection: PeerConnection, until: float) -> None:
        """One more connection of an allocation; it is looked at again then."""
        self.connections[connection.id] = connection.allocation.connections[connection.peer] = connection
        self.deadlines.wake(connection, until)

    def forget(self, connection: PeerConnection) -> None:
        """Done once. The data path has closed it, or is told to."""
        if self.connections.pop(connection.id, None) is not None:
            self.deadlines.forget(connection)
            del connection.allocation.connections[connection.peer]
            if connection.client is not None:
                del self.joined[connection.client]

    def keep(self, token: bytes, relay: Relay, user: str, now: float) -> None:
        """Reserves a port for who comes with the token."""
        reservation = self.reservations[token] = Reservation(token, relay, user)
        self._count(user, 1)
        self.deadlines.wake(reservation, now + self._settings.reservation_s)

    def claim(self, token: bytes, user: str) -> Relay | None:
        """The reserved port; None if there is none, or it is somebody else's. It is not reserved any more."""
        reservation = self.reservations.get(token)
        if reservation is None or reservation.user != user:
            return None
        self._unreserve(reservation)
        return reservation.relay

    def lapse(self, reservation: Reservation) -> None:
        """Nobody came."""
        self._unreserve(reservation)
        self.ports.release(reservation.relay)

    def _unreserve(self, reservation: Reservation) -> None:
        del self.reservations[reservation.token]
        self.deadlines.forget(reservation)
        self._count(reservation.user, -1)

    def tidy(self, allocation: Allocation, now: float) -> None:
        """Its time has come, or that of something in it."""
        for family in [family for family, lease in allocation.leases.items() if lease.until <= now]:
            self.drop(allocation, family, "expired", now)
        if allocation.id in self.by_id:
            ends = allocation.forget_expired(now)
            if ends is not None:
                self.deadlines.wake(allocation, ends)

    def _count(self, user: str, change: int) -> None:
        left = self._users.get(user, 0) + change
        if left:
            self._users[user] = left
        else:
            del self._users[user]
