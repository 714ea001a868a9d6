"""CreatePermission and ChannelBind (RFC 8656 sections 10.2 and 12.2)."""

from __future__ import annotations

from confero.protocols.stun import attributes as a

from .allocation import Allocation
from .refusals import Refusal
from .requests import Desk, Request

CHANNELS = range(0x4000, 0x5000)
"""Section 12."""


def create_permission(desk: Desk, request: Request, now: float) -> bytes:
    """Section 10.2: all that it names, or nothing. Raises Refusal."""
    allocation = desk.allocation_of(request)
    # At least one address, all of them well formed.
    peers = request.message.all(a.XOR_PEER_ADDRESS)
    if not peers:
        raise Refusal(400, "no XOR-PEER-ADDRESS")
    # 443 for another family, 403 for what the server does not reach. The port is ignored.
    wanted = {ip: desk.reach(allocation, ip) for ip, _ in peers}
    _check_room(desk, allocation, list(wanted), now)
    for ip, ports in wanted.items():
        desk.table.permit(allocation, ip, ports, now)
    return request.success()


def _check_room(desk: Desk, allocation: Allocation, ips: list[str], now: float) -> None:
    limit = desk.settings.permissions_per_allocation
    new = [ip for ip in ips if ip not in allocation.permissions]
    if len(allocation.permissions) + len(new) > limit:
        allocation.forget_expired(now)
        if len(allocation.permissions) + len(new) > limit:
            raise Refusal(508, "all permissions of the allocation are taken")


def channel_bind(desk: Desk, request: Request, now: float) -> bytes:
    """Section 12.2. Raises Refusal."""
    allocation = desk.allocation_of(request)
    # Both attributes, and a channel number that there is. Channels are of datagrams (RFC 6062 section 5).
    number, peer = request.want(a.CHANNEL_NUMBER), request.want(a.XOR_PEER_ADDRESS)
    if number not in CHANNELS:
        raise Refusal(400, f"no channel: {number:#x}")
    if allocation.is_tcp:
        raise Refusal(400, "a TCP allocation has no channels")
    # The channel means no other peer, the peer has no other channel; for five minutes after they ended, too.
    bound = allocation.channels.get(number)
    if (bound is not None and bound.peer != peer) or allocation.channel_of(peer) not in (None, number):
        allocation.forget_expired(now)
        bound = allocation.channels.get(number)
        if (bound is not None and bound.peer != peer) or allocation.channel_of(peer) not in (None, number):
            raise Refusal(400, "the channel or the peer is bound otherwise")
    # 443, 403, and 508 for want of room.
    ports = desk.reach_peer(allocation, peer)
    if number not in allocation.channels and len(allocation.channels) >= desk.settings.channels_per_allocation:
        raise Refusal(508, "all channels of the allocation are taken")
    _check_room(desk, allocation, [peer[0]], now)
    # The binding for ten minutes, the permission for five.
    desk.table.permit(allocation, peer[0], ports, now)
    desk.table.bind(allocation, number, peer, now)
    return request.success()
