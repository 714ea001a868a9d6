"""A request whose maker is proven, the replies that can be made to it, and what the handlers of requests work with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from confero.protocols.stun import Address, ErrorCode, Kind, Message, build, family_of
from confero.protocols.stun import attributes as a
from confero.protocols.stun.attributes import Attribute, Row

from .actions import Reply
from .allocation import Allocation
from .auth import Proven
from .peers import PeerPolicy
from .refusals import REASONS, Refusal
from .settings import Alternate, Settings
from .table import Table
from .types import Client, PortRanges, Random

V = TypeVar("V")


class Request(NamedTuple):
    """A message, where it came from, and who has made it."""

    client: Client
    message: Message
    proven: Proven
    software: str

    def success(self, rows: Iterable[Row] = ()) -> bytes:
        """A proven success response."""
        return self._reply(Kind.SUCCESS, rows)

    def error(self, code: int, rows: Iterable[Row] = ()) -> bytes:
        """A proven error response."""
        return self._reply(Kind.ERROR, (a.ERROR_CODE.of(ErrorCode(code, REASONS[code])), *rows))

    def _reply(self, kind: Kind, rows: Iterable[Row]) -> bytes:
        if self.software:
            rows = (*rows, a.SOFTWARE.of(self.software))
        message = self.message
        fingerprint = a.FINGERPRINT in message
        return build(
            message.method,
            kind,
            message.transaction_id,
            rows,
            integrity=self.proven.integrity,
            fingerprint=fingerprint,
        )

    def want(self, attribute: Attribute[V]) -> V:
        """An attribute that has to be there. Raises Refusal 400."""
        value = self.message.get(attribute)
        if value is None:
            raise Refusal(400, f"no {attribute.name}")
        return value


@dataclass
class Desk:
    """What every handler may use, and the operator's word on new allocations."""

    settings: Settings
    policy: PeerPolicy
    table: Table
    random: Random
    draining: bool = False
    """No new allocations."""
    alternates: tuple[Alternate, ...] = field(default=())
    """Where clients are sent instead, if there are any, when draining or above ``redirect_above``."""
    redirect_above: int | None = None
    """Allocations from which on clients are sent elsewhere."""
    replies: Counter[tuple[int, int]] = field(default_factory=Counter)
    """By method and code; 0 is success."""

    def answer(self, request: Request, code: int, reply: bytes) -> None:
        """Sends a reply to who is known."""
        self.replies[request.message.method, code] += 1
        self.table.out.append(Reply(request.client, reply))

    def allocation_of(self, request: Request) -> Allocation:
        """Section 5: the 5-tuple's allocation, of this very user. Raises Refusal 437 or 441."""
        allocation = self.table.by_client.get(request.client)
        if allocation is None:
            raise Refusal(437, "no allocation")
        if allocation.holder.username != request.proven.username:
            raise Refusal(441, "somebody else's allocation")
        return allocation

    def reach(self, allocation: Allocation, ip: str) -> PortRanges:
        """The ports of an address that this allocation may reach. Raises Refusal 443 or 403."""
        if family_of(ip) not in allocation.leases:
            raise Refusal(443, f"{ip} is not of the family of the relayed address")
        ports = self.policy.ports(ip, tcp=allocation.is_tcp)
        if ports is None:
            raise Refusal(403, f"{ip} is not reached from here")
        return ports

    def reach_peer(self, allocation: Allocation, peer: Address) -> PortRanges:
        """As ``reach``, for one port of it."""
        ports = self.reach(allocation, peer[0])
        if not self.policy.admits(peer, tcp=allocation.is_tcp):
            raise Refusal(403, f"port {peer[1]} of {peer[0]} is not reached from here")
        return ports
