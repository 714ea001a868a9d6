"""Whom to call: what the application server has decided, as parties with addresses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from confero.errors import Refused
from confero.models.sip import SipDecision
from confero.protocols.sip.uri import URI
from confero.protocols.sip.values import Address

from ..outbound import Sender
from .outbound import Party

Headers = tuple[tuple[str, str], ...]
Way = Callable[[SipDecision, str, Headers], Awaitable[Sequence[Party]]]
"""From a decision, the caller's name and header fields to parties in the order of trying. Raises Refused."""


class Parties:
    """``ways`` by action; others may add theirs."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self.ways: dict[str, Way] = {"address": self._address}

    async def of(self, decision: SipDecision, caller: str, headers: Headers) -> Sequence[Party]:
        """At least one. Raises Refused 404 ``not-found`` if there is nobody."""
        way = self.ways.get(decision.action)
        found = await way(decision, caller, headers) if way is not None else ()
        if not found:
            raise Refused("Nobody can be called there.", status=404, code="not-found")
        return found

    async def _address(self, decision: SipDecision, caller: str, headers: Headers) -> Sequence[Party]:
        """As it stands (RFC 3263)."""
        try:
            there = URI.parse(f"sip:{decision.domain}")
            uri = URI.sip(decision.number, there.host, there.port)
        except ValueError as error:
            raise Refused("That is no address.", status=422, code="address-invalid") from error
        near = await self._sender.near(uri)
        if near is None:
            return ()
        from_ = Address(URI.parse(self._sender.endpoint.contact(near)), caller)
        return [Party(str(uri), str(from_), headers=headers, local=near)]
