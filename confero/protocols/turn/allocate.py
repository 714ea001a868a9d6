"""Allocate and Refresh (RFC 8656 sections 7.2 and 8.2, RFC 6062 section 5.1)."""

from __future__ import annotations

from confero.protocols.stun import IPV4, IPV6, FamilyError
from confero.protocols.stun import attributes as a
from confero.protocols.stun.attributes import Row

from .refusals import REASONS, Refusal
from .requests import Desk, Request
from .types import TCP, UDP, Relay

REPEATED_S = 40.0
"""For how long a request with the same transaction id is the same request (RFC 8489 section 6.3.1)."""
NOT_FOR_TCP = (a.EVEN_PORT, a.RESERVATION_TOKEN, a.DONT_FRAGMENT)


def allocate(desk: Desk, request: Request, now: float) -> bytes:
    """Section 7.2; step 1, who asks, has been answered. Raises Refusal."""
    message, table = request.message, desk.table
    # 2. The 5-tuple is not in use; but the same request, come again, is answered as before.
    old = table.by_client.get(request.client)
    if old is not None:
        same = old.reply[8:20] == message.transaction_id and old.holder.username == request.proven.username
        if same and now < old.made + REPEATED_S:
            return old.reply
        raise Refusal(437, "there is an allocation already")
    # 3. REQUESTED-TRANSPORT, of a protocol that is relayed.
    protocol = request.want(a.REQUESTED_TRANSPORT)
    if protocol != UDP and not (protocol == TCP and desk.settings.tcp):
        raise Refusal(442, f"protocol {protocol} is not relayed")
    if protocol == TCP:
        _check_tcp(request)
    # 4. DONT-FRAGMENT is unknown to a server that cannot do it.
    if a.DONT_FRAGMENT in message and not desk.settings.dont_fragment:
        raise Refusal(420, "DONT-FRAGMENT", a.UNKNOWN_ATTRIBUTES.of((a.DONT_FRAGMENT.number,)))
    # 5. to 9. What is asked for is consistent.
    _check_wishes(desk, request)
    # 10. and 11. Quotas, and other servers.
    _check_room(desk, request)
    relays, spare, partly = _choose(desk, request, protocol)
    lifetime = desired_lifetime(desk, request)
    allocation = table.open(request.client, request.proven, relays, now + lifetime, now)
    rows: list[Row] = [a.XOR_RELAYED_ADDRESS.of(relay.address) for relay in relays]
    rows.append(a.LIFETIME.of(lifetime))
    if spare is not None:
        token = desk.random.randbytes(8)
        table.keep(token, spare, request.proven.user, now)
        rows.append(a.RESERVATION_TOKEN.of(token))
    rows.append(a.XOR_MAPPED_ADDRESS.of(request.client.peer))
    if partly is not None:
        rows.append(a.ADDRESS_ERROR_CODE.of(partly))
    allocation.reply = request.success(rows)
    return allocation.reply


def _check_tcp(request: Request) -> None:
    """RFC 6062 section 5.1: over TCP or TLS alone, and without what is of datagrams."""
    if request.client.transport == "udp":
        raise Refusal(400, "a TCP allocation is asked for over TCP or TLS")
    if any(attribute in request.message for attribute in NOT_FOR_TCP):
        raise Refusal(400, "an attribute that is for UDP allocations")


def _check_wishes(desk: Desk, request: Request) -> None:
    message = request.message
    family, additional = message.get(a.REQUESTED_ADDRESS_FAMILY), message.get(a.ADDITIONAL_ADDRESS_FAMILY)
    even, token = message.get(a.EVEN_PORT), message.get(a.RESERVATION_TOKEN)
    # 5. A token says all that the others would.
    if token is not None and (even, family, additional) != (None, None, None):
        raise Refusal(400, "a reservation token beside a port or a family")
    # 6. One of the two.
    if family is not None and additional is not None:
        raise Refusal(400, "a requested family beside an additional one")
    # 7. The family is served; the usual one where none is named.
    wanted = desk.settings.usual_family if family is None else family
    if wanted not in desk.settings.families and token is None and additional is None:
        raise Refusal(440, f"family {wanted} is not served")
    # 8. A reserved neighbour is for one family.
    if even and additional is not None:
        raise Refusal(400, "a pair of ports beside an additional family")
    # 9. IPv6 beside IPv4, not the other way round.
    if additional is not None and additional != IPV6:
        raise Refusal(400, f"additional family {additional}")


def _check_room(desk: Desk, request: Request) -> None:
    settings, table, user = desk.settings, desk.table, request.proven.user
    crowded = desk.redirect_above is not None and len(table.by_id) >= desk.redirect_above
    # 11. first: who is sent elsewhere need not be told that it is full here.
    if (desk.draining or crowded) and (rows := alternates(desk, request)):
        raise Refusal(300, "served elsewhere", *rows)
    if desk.draining:
        raise Refusal(508, "the server is about to go")
    wanted = 2 if request.message.get(a.EVEN_PORT) else 1
    # A reserved port is counted already.
    wanted -= a.RESERVATION_TOKEN in request.message
    if table.held_by(user) + wanted > settings.allocations_per_user:
        raise Refusal(486, "the user's quota is reached")
    if table.held + wanted > settings.allocations:
        raise Refusal(508, "all allocations are taken")


def alternates(desk: Desk, request: Request) -> list[Row]:
    """RFC 8489 section 10: one of the client's own family first, then one of the other; nothing if there is none of its own."""
    own = IPV6 if ":" in request.client.peer[0] else IPV4
    first = next((one for one in desk.alternates if one.family == own), None)
    if first is None:
        return []
    other = next((one for one in desk.alternates if one.family != own), None)
    rows: list[Row] = [a.ALTERNATE_SERVER.of(one.address) for one in (first, other) if one is not None]
    # Over TLS the name in another certificate, to those who can know what it is for.
    if first.domain and request.client.transport == "tls" and request.proven.integrity.sha256:
        rows.append(a.ALTERNATE_DOMAIN.of(first.domain))
    return rows


def _choose(desk: Desk, request: Request, protocol: int) -> tuple[tuple[Relay, ...], Relay | None, FamilyError | None]:
    """The relayed addresses, the neighbour that is reserved, and why there is one address where two were asked for."""
    message, table = request.message, desk.table
    token = message.get(a.RESERVATION_TOKEN)
    if token is not None:
        reserved = table.claim(token, request.proven.user)
        if reserved is None:
            raise Refusal(508, "no such reservation")
        return (reserved,), None, None
    even = message.get(a.EVEN_PORT)
    if message.get(a.ADDITIONAL_ADDRESS_FAMILY) is not None:
        return _choose_both(desk, protocol, even=even is not None)
    family = message.get(a.REQUESTED_ADDRESS_FAMILY) or desk.settings.usual_family
    found = table.ports.reserve(family, protocol, even=even is not None, pair=bool(even))
    if found is None:
        raise Refusal(508, "no port is left")
    return found[:1], found[1] if even else None, None


def _choose_both(
    desk: Desk, protocol: int, *, even: bool
) -> tuple[tuple[Relay, ...], Relay | None, FamilyError | None]:
    """9. An address of each family, or of one of them and the other's error."""
    relays: list[Relay] = []
    failed: list[FamilyError] = []
    for family in (IPV4, IPV6):
        served = family in desk.settings.families
        found = desk.table.ports.reserve(family, protocol, even=even) if served else None
        if found is not None:
            relays += found
        else:
            code = 508 if served else 440
            failed.append(FamilyError(family, code, REASONS[code]))
    if not relays:
        raise Refusal(508, "no port is left")
    return tuple(relays), None, failed[0] if failed else None


def desired_lifetime(desk: Desk, request: Request) -> int:
    """Sections 7.2 and 8.2: what is asked for, at most the greatest, at least the default. Seconds."""
    settings = desk.settings
    asked = request.message.get(a.LIFETIME)
    return (
        settings.default_lifetime_s
        if asked is None
        else max(min(asked, settings.max_lifetime_s), settings.default_lifetime_s)
    )


def refresh(desk: Desk, request: Request, now: float) -> bytes:
    """Section 8.2: sets the time-to-expiry, or deletes at a lifetime of nothing. Raises Refusal."""
    allocation = desk.allocation_of(request)
    family = request.message.get(a.REQUESTED_ADDRESS_FAMILY)
    # With a family it is for that relayed address, without one for all of them.
    if family is not None and family not in allocation.leases:
        raise Refusal(443, f"no relayed address of family {family}")
    families = list(allocation.leases) if family is None else [family]
    if request.message.get(a.LIFETIME) == 0:
        for one in families:
            desk.table.drop(allocation, one, "deleted", now)
        return request.success([a.LIFETIME.of(0)])
    lifetime = desired_lifetime(desk, request)
    for one in families:
        desk.table.refresh(allocation, one, now + lifetime)
    return request.success([a.LIFETIME.of(lifetime)])
