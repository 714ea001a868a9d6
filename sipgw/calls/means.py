"""What all calls share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from confero.clock import Clock
from confero.models.sip import SipCaller
from confero.protocols.sip.message import Request, Response
from confero.protocols.sip.session import SessionConfig, Transfer
from confero.protocols.sip.target import Target

from ..outbound import Sender
from ..pages import Pages
from ..peers import AppServerPeer, McuPeers
from ..trace import Trace
from .driver import Driver
from .unproven import Unproven

if TYPE_CHECKING:
    from .call import Call
    from .parties import Parties

Credentials = Callable[[Request, Response, Target], Sequence[tuple[str, str]] | None]
"""For the challenge in a response that came from there: header fields for the next try; None: nothing is proven to that peer."""
Authorize = Callable[[Request, Response], Sequence[tuple[str, str]] | None]


class Exchange(Protocol):
    """Transfers, of one call by another."""

    async def refer(self, call: Call, wish: Transfer) -> None:
        """The peer of ``call`` wants somebody called."""

    def replaced(self, invite: Request) -> Call | None:
        """The call whose place an INVITE takes. Raises Refused."""


@dataclass(frozen=True)
class Means:
    """Given to every call."""

    sender: Sender
    appserver: AppServerPeer
    mcus: McuPeers
    clock: Clock
    trace: Trace
    owner: str
    """In whose name legs are held."""
    user_agent: str
    unproven: Unproven
    begun: Callable[[Call], None]
    """Told when a call's session has its names."""
    write: Callable[[Call], None]
    """Takes the call's record, now and at its end."""
    remember: Callable[[Call], None]
    """Writes down what is needed to go on with an established call after a restart."""
    over: Callable[[Driver], None]
    """Told when a call's session may be forgotten."""
    start: Callable[[Call], None]
    """Runs a call."""
    parties: Parties
    """Whom decisions mean."""
    transfers: Exchange
    pages: Pages
    """Where browsers are told of calls."""
    ring_s: float
    """How long browsers and telephones ring."""
    missed: Callable[[SipCaller, int], None] = lambda caller, status: None
    """Told with which status a caller was turned away."""
    pass_headers: Sequence[str] = ()
    """Header fields that go to pages, and from them."""

    def session_config(self, contact_at: Target, user: str) -> SessionConfig:
        contact = f"<{self.sender.endpoint.contact(contact_at, user)}>"
        return SessionConfig(contact=contact, user_agent=self.user_agent)
