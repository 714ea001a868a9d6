"""Whom the decisions ``trunk`` and ``user`` mean: a number at a trunk's servers, the telephones of an account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from confero.errors import Refused
from confero.models import MediaSecurity
from confero.models.sip import SipDecision
from confero.protocols.sip.bindings import Binding
from confero.protocols.sip.target import Target
from confero.protocols.sip.uri import URI
from confero.protocols.sip.values import Address
from confero.runtime.logging import get_logger

from ..calls.forking import Branch
from ..calls.outbound import Party
from ..calls.parties import NOBODY, Calling, Headers, Parties
from ..directory import Directory
from ..outbound import Sender, destination
from ..registrar import Registrar
from .farm import Trunks
from .trunk import Trunk

log = get_logger(__name__)

PATIENCE_S = 6.0
"""A trunk's server answers 100 at once; UDP has repeated the INVITE four times by then."""


class TrunkWay:
    """For ``Parties.ways["trunk"]``."""

    def __init__(self, trunks: Trunks, sender: Sender) -> None:
        self._trunks = trunks
        self._sender = sender

    async def __call__(self, decision: SipDecision, caller: Calling, headers: Headers) -> Sequence[Party]:
        """In the order of the decision, but those last that are known to be away. Raises Refused 503 if there is none."""
        found = [trunk for name in decision.trunks if (trunk := self._trunks.get(name)) is not None]
        if not found:
            raise Refused("That way out is not ready.", status=503, code="trunk-away")
        found.sort(key=lambda trunk: not trunk.available)
        # One leg serves all that are tried: none of them may ask for more protection than the first, which decides.
        strict = found[0].settings.media_security == "required"
        fitting = [
            trunk for trunk in found if strict or trunk.settings.media_security != "required" or trunk is found[0]
        ]
        return [await self._party(trunk, decision, caller, headers) for trunk in fitting]

    async def _party(self, trunk: Trunk, decision: SipDecision, caller: Calling, headers: Headers) -> Party:
        servers = trunk.ordered()
        near = await self._sender.locate([servers[0].destination])
        number = decision.caller_number.get(trunk.name, "")
        from_ = Address(URI.sip(number, trunk.domain), caller.name) if number else NOBODY

        def suspect() -> None:
            for server in servers:
                server.suspect()

        return Party(
            uri=str(URI.sip(decision.number, trunk.domain)),
            from_=str(from_),
            headers=(*headers, *identity_headers(trunk, number)),
            credentials=trunk.credentials(),
            servers=tuple(server.destination for server in servers),
            patience_s=PATIENCE_S,
            local=near[0] if near else Target("udp", "127.0.0.1", 5060),
            trunk=trunk.name,
            suspect=suspect,
            security=cast(MediaSecurity, trunk.settings.media_security),
            symmetric=trunk.settings.symmetric,
        )


def identity_headers(trunk: Trunk, number: str) -> Headers:
    """Who calls, as the trunk is told (RFC 3325): it may know whom others may not."""
    if number:
        return (("P-Asserted-Identity", str(Address(URI.sip(number, trunk.domain)))),)
    asserted = (("P-Asserted-Identity", str(trunk.address)),) if trunk.settings.user else ()
    return (*asserted, ("Privacy", "id"))


class UserWay:
    """For ``Parties.ways["user"]``: one party, whose telephones ring together."""

    def __init__(self, directory: Directory, registrar: Registrar, sender: Sender, parties: Parties) -> None:
        self._directory = directory
        self._registrar = registrar
        self._sender = sender
        self._parties = parties

    async def __call__(self, decision: SipDecision, caller: Calling, headers: Headers) -> Sequence[Party]:
        """Raises Refused 404 ``not-registered``."""
        phones = self._registrar.phones(decision.user, decision.realm) if decision.user else []
        branches = [branch for phone in phones if (branch := await self._branch(phone)) is not None]
        if not branches:
            raise Refused("No telephone of this account is there.", status=404, code="not-registered")
        near = branches[0].near
        assert near is not None, "a branch has been located"
        uri = str(URI.sip(decision.user, decision.realm))
        from_ = str(self._parties.from_(near, caller))
        party = Party(uri, from_, branches=tuple(branches), headers=headers, local=near)
        account = self._directory.account(decision.user, decision.realm)
        if account is None:
            return [party]
        security, exchange = account.media_security, account.key_exchange
        return [replace(party, security=security, key_exchange=exchange, symmetric=account.symmetric)]

    async def _branch(self, phone: Binding) -> Branch | None:
        """None: its Contact leads nowhere."""
        uri = URI.parse(phone.contact)
        near = phone.flow
        if near is None:
            way = Address.parse(phone.path[0]).uri if phone.path else uri
            near = next(iter(await self._sender.locate([destination(way)])), None)
        return None if near is None else Branch(phone.contact, phone.path, phone.flow, near)
