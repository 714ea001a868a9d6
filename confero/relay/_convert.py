"""Between Python's values and the C structs of the relay."""

from __future__ import annotations

import socket
from typing import Any

from confero.media._core import ffi, lib

from .errors import RelayError
from .types import DROPS, TRANSPORTS, Address, Client, Closed, Disconnected, Flow, NotStun, RelayStats, Request, Traffic

_FAMILIES = {4: (socket.AF_INET, 4), 6: (socket.AF_INET6, 16)}
_MAPPED = bytes(10) + b"\xff\xff"
_COUNTERS = (
    *("requests", "replies", "allocations", "connections", "accepted", "refused", "timed_out", "handshakes"),
    *("handshakes_failed", "joined", "receive_drops", "turns"),
)
_FLOWS = ("to_peer_packets", "to_peer_bytes", "to_client_packets", "to_client_bytes")


def fill_addr(addr: Any, address: Address) -> None:
    """Writes a ``cf_addr``; IPv4-mapped IPv6 becomes IPv4. Raises RelayError for what is no address."""
    host, port = address
    try:
        packed = socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host)
    except (OSError, ValueError):
        raise RelayError(f"{host!r} is not an IP address") from None
    if not 0 <= port <= 65535:
        raise RelayError(f"{port} is not a port")
    if packed[:12] == _MAPPED:
        packed = packed[12:]
    addr.family, addr.port = (4 if len(packed) == 4 else 6), port
    ffi.memmove(addr.ip, packed, len(packed))


def read_addr(addr: Any) -> Address:
    """The address of a ``cf_addr``; an empty one is ``("", 0)``."""
    if addr.family == 0:
        return ("", 0)
    family, size = _FAMILIES[addr.family]
    return (socket.inet_ntop(family, bytes(ffi.buffer(addr.ip, size))), addr.port)


def new_addr(address: Address) -> Any:
    addr = ffi.new("cf_addr *")
    fill_addr(addr, address)
    return addr


def new_client(client: Flow) -> Any:
    """A ``cf_relay_client``."""
    out = ffi.new("cf_relay_client *")
    out.connection, out.thread = client.connection, client.thread
    out.transport = TRANSPORTS.index(client.transport)
    fill_addr(ffi.addressof(out, "peer"), client.peer)
    fill_addr(ffi.addressof(out, "local"), client.local)
    return out


def read_client(client: Any) -> Client:
    peer, local = read_addr(client.peer), read_addr(client.local)
    return Client(TRANSPORTS[client.transport], peer, local, client.connection, client.thread)


def event_from(event: Any, traffic: Traffic) -> Request | NotStun | Disconnected | Closed:
    """One ``cf_relay_event``; ``traffic`` goes into Closed."""
    if event.type == lib.CF_RELAY_CLOSED:
        return Closed(event.allocation, event.value, traffic)
    client = read_client(event.client)
    if event.type == lib.CF_RELAY_DISCONNECTED:
        return Disconnected(client, event.value)
    kind = Request if event.type == lib.CF_RELAY_REQUEST else NotStun
    return kind(client, bytes(ffi.buffer(event.data, event.len)))


def traffic_from(traffic: Any, drops: Any = None) -> Traffic:
    """A ``cf_relay_traffic``, and the drops of an allocation."""
    by_reason = {name: drops[i] for i, name in enumerate(DROPS)} if drops is not None else {}
    return Traffic(**{name: getattr(traffic, name) for name in _FLOWS}, drops=by_reason)


def stats_from(stats: Any) -> RelayStats:
    """A ``cf_relay_stats``."""
    return RelayStats(
        by_transport={name: traffic_from(stats.by_transport[i]) for i, name in enumerate(TRANSPORTS)},
        drops={name: stats.drops[i] for i, name in enumerate(DROPS)},
        **{name: getattr(stats, name) for name in _COUNTERS},
    )
