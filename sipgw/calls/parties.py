"""Whom to call: what the application server has decided, as parties with addresses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from confero.errors import Refused
from confero.models.sip import SipDecision
from confero.protocols.sip.target import Target
from confero.protocols.sip.uri import URI
from confero.protocols.sip.values import Address

from ..outbound import Sender
from .media import Terms
from .outbound import Party

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Calling:
    """As whom."""

    name: str
    number: str = ""
    """User part of the caller's address."""
    anonymous: bool = False


Way = Callable[[SipDecision, Calling, Headers], Awaitable[Sequence[Party]]]
"""From a decision, the caller and header fields to parties in the order of trying. Raises Refused."""


def terms_to(party: Party, owner: str) -> Terms:
    """How media is offered: as browsers take it where only such are called, which is who calls over WebSocket (RFC 7118)."""
    flows = [branch.flow for branch in party.branches] or [party.flow]
    scripts = all(flow is not None and flow.transport in ("ws", "wss") for flow in flows)
    if scripts:
        return Terms(owner, security="required", key_exchange="ice")
    return Terms(owner, security=party.security, key_exchange=party.key_exchange, symmetric=party.symmetric)


NOBODY = Address(URI.parse("sip:anonymous@anonymous.invalid"), "Anonymous")


class Parties:
    """``ways`` by action; others may add theirs."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self.ways: dict[str, Way] = {"address": self._address}

    async def of(self, decision: SipDecision, caller: Calling, headers: Headers) -> Sequence[Party]:
        """At least one. Raises Refused 404 ``not-found`` if there is nobody."""
        way = self.ways.get(decision.action)
        found = await way(decision, caller, headers) if way is not None else ()
        if not found:
            raise Refused("Nobody can be called there.", status=404, code="not-found")
        return found

    async def _address(self, decision: SipDecision, caller: Calling, headers: Headers) -> Sequence[Party]:
        """As it stands (RFC 3263)."""
        try:
            there = URI.parse(f"sip:{decision.domain}")
            uri = URI.sip(decision.number, there.host, there.port)
        except ValueError as error:
            raise Refused("That is no address.", status=422, code="address-invalid") from error
        near = await self._sender.near(uri)
        if near is None:
            return ()
        return [Party(str(uri), str(self.from_(near, caller)), headers=headers, local=near)]

    def from_(self, near: Target, caller: Calling) -> Address:
        """From header, without tag: the caller at our address, or nobody (RFC 3323 section 4.1.1.3)."""
        if caller.anonymous:
            return NOBODY
        host, port = self._sender.endpoint.sent_by(near)
        return Address(URI.sip(caller.number or "confero", host, port), caller.name)
