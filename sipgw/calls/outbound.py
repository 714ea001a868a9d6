"""A call that goes out: a phone is made to ring, and comes into the room when it is answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from confero.errors import ConferoError
from confero.models import MediaSecurity
from confero.models.sip import SipPlace
from confero.protocols.sip.locate import Destination
from confero.protocols.sip.message import Request
from confero.protocols.sip.session import Ended, InviteSession
from confero.protocols.sip.target import Target
from confero.runtime.logging import get_logger

from ..outbound import UNWILLING, Errand
from .about import About
from .call import Call
from .driver import Reply
from .forking import Branch, Forking
from .means import Credentials, Means
from .media import KeyExchange, Reason, Terms
from .status import status_of

log = get_logger(__name__)

UNUSABLE, BAD_GATEWAY = 488, 502


@dataclass(frozen=True)
class Party:
    """Whom to call, and as whom."""

    uri: str
    from_: str
    """From header without tag."""
    to: str | None = None
    routes: tuple[str, ...] = ()
    """Proxies to pass, as Route values."""
    headers: tuple[tuple[str, str], ...] = ()
    credentials: Credentials | None = None
    flow: Target | None = None
    """A registered phone's connection."""
    branches: tuple[Branch, ...] = ()
    """Telephones that ring together; ``uri`` is then only whom they belong to."""
    servers: tuple[Destination, ...] = ()
    """Where the INVITE goes instead of where its URI leads, in the order of trying."""
    patience_s: float | None = None
    """A server that is silent for so long is given up."""
    trunk: str = ""
    suspect: Callable[[], None] = lambda: None
    """Told when it was silent."""
    local: Target = field(default=Target("udp", "127.0.0.1", 5060))
    """Roughly where it is, for our Contact."""
    security: MediaSecurity = "optional"
    """Of the sound, as its trunk or account wants it."""
    key_exchange: KeyExchange = "sdes"
    symmetric: bool = False


def unheard(status: int, reason: str) -> None:
    """Nobody wants to know how a call goes."""


class OutboundCall(Call):
    """``on_progress`` is told each SIP status until the final one; 200 when it is answered."""

    def __init__(
        self,
        means: Means,
        about: About,
        terms: Terms,
        place: SipPlace,
        party: Party,
        on_progress: Callable[[int, str], None] = unheard,
        ring_s: float = 60.0,
        others: Sequence[Party] = (),
    ) -> None:
        """``others``: whom to call in place of ``party`` if it is not there, one after the other; with the same leg."""
        super().__init__(means, about, terms, party.flow)
        self.keypad.greeted()
        self._place = place
        self._party = party
        self._others = list(others)
        self._offer_sdp = ""
        self._rung = False
        self._on_progress = on_progress
        self.ring_s = ring_s
        self._told = False
        """Whoever wanted the call knows how it went: answered, once the answer has been taken, or not."""
        self._taken = ""
        """The answer that has been taken; of a phone that rings, perhaps."""

    async def set_up(self) -> None:
        self.seated(self._place)
        self._offer_sdp = await self.media.open(self._place, None, confirmed=False)
        self.negotiation.asked = True
        self._call(self._party)

    def _call(self, party: Party) -> None:
        means = self.means
        self._party, self.about.trunk = party, party.trunk
        driver = self.driver = self.new_driver(party.flow, lambda request, reply: self._send(party, request, reply))
        config = replace(means.session_config(party.local, "confero"), ring_for=self.ring_s)
        now = means.clock.monotonic()
        self.begin(
            InviteSession.call(
                config,
                party.uri,
                party.from_,
                now,
                random=means.sender.endpoint.random,
                sdp=self._offer_sdp,
                to=party.to,
                routes=party.routes,
                headers=party.headers,
                authorize=self.authorizer(driver, party.credentials),
            )
        )

    def _send(self, party: Party, request: Request, reply: Reply) -> Errand:
        """The INVITE, or the next try of it: that goes to the server that has asked for it."""
        sender = self.means.sender
        if party.branches:
            return Forking(sender, request, party.branches, reply)
        asked_by = self.driver.heard_from
        if asked_by is not None:
            return sender.start(request, reply, flow=asked_by)
        return sender.start(request, reply, flow=party.flow, servers=party.servers, patience_s=party.patience_s)

    async def ringing(self, status: int, reason: str) -> None:
        self._rung = True
        self.advance("ringing", status, reason)
        self._on_progress(status, reason)

    async def take_answer(self, sdp: str) -> None:
        """The first answer counts, early or not."""
        if not self.negotiation.asked:
            return
        self._taken = sdp
        await super().take_answer(sdp)
        if self.driver.session.phase == "established":
            await self.proven()

    @property
    def sounds(self) -> bool:
        """There may be something to be heard of the phone, be it that it only rings."""
        return bool(self._taken)

    async def established(self) -> None:
        await super().established()
        agreed = self.driver.session.agreed
        if agreed is not None and agreed.remote != self._taken:
            # Another phone has answered than the one that was heard first: it is asked for its answer anew.
            self.driver.attempt(lambda now: self.driver.session.want_offer(now))
        else:
            # It has answered where we called it: media may go to where it says.
            await self.proven()
        self._told = True
        self._on_progress(200, "OK")

    def ended(self, end: Ended) -> None:
        if self._was_silent(end):
            self._party.suspect()
            if self._others:
                log.info("the next one is called", call=self.about.id, trunk=self._party.trunk, status=end.status)
                self._call(self._others.pop(0))
                return
        super().ended(end)
        self._tell_failure(end.status if end.status >= 300 else 487, end.reason)

    def _fail(self, error: ConferoError) -> None:
        super()._fail(error)
        status, reason = status_of(error)
        # An answer that cannot be used is the called one's fault, not that of whoever wanted the call.
        self._tell_failure(BAD_GATEWAY if status == UNUSABLE else status, reason)

    def _tell_failure(self, status: int, reason: str) -> None:
        """Once, and only to who does not know of an answer."""
        if not self._told:
            self._told = True
            self._on_progress(status, reason)

    def _was_silent(self, end: Ended) -> bool:
        """Whether nobody who could decide was reached: another may. What a callee says, 4xx or 6xx, is final."""
        if self.about.answered_at is not None or end.by == "us":
            return False
        return end.status == UNWILLING or (end.status == 408 and not self._rung)

    def let_go(self) -> None:
        super().let_go()
        self._on_progress = unheard

    def reason_of_leg(self) -> Reason:
        return "left" if self.about.answered_at else "removed"
