"""A call that goes out: a phone is made to ring, and comes into the room when it is answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from confero.models.sip import SipPlace
from confero.protocols.sip.message import Request, Response
from confero.protocols.sip.session import Ended, InviteSession
from confero.protocols.sip.target import Target
from confero.runtime.logging import get_logger

from .call import About, Call, Means
from .media import Reason, Terms

log = get_logger(__name__)

Credentials = Callable[[Request, Response], Sequence[tuple[str, str]] | None]
"""For a challenge; None: not to this peer."""


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
    local: Target = field(default=Target("udp", "127.0.0.1", 5060))
    """Roughly where it is, for our Contact."""


class OutboundCall(Call):
    """``on_progress`` is told each SIP status until the final one; 200 when it is answered."""

    def __init__(
        self,
        means: Means,
        about: About,
        terms: Terms,
        place: SipPlace,
        party: Party,
        on_progress: Callable[[int, str], None] = lambda status, reason: None,
        ring_s: float = 60.0,
    ) -> None:
        super().__init__(means, about, terms, party.flow)
        self._place = place
        self._party = party
        self._on_progress = on_progress
        self.ring_s = ring_s
        self._early = ""
        """The answer of a ringing phone that has been taken."""

    async def set_up(self) -> None:
        self.seated(self._place)
        offer = await self.media.open(self._place, None, confirmed=False)
        self._asked = True
        party, means = self._party, self.means
        config = replace(means.session_config(party.local, "confero"), ring_for=self.ring_s)
        authorize = party.credentials or (lambda request, response: None)
        now = means.clock.monotonic()
        self.begin(
            InviteSession.call(
                config,
                party.uri,
                party.from_,
                now,
                random=means.sender.endpoint.random,
                sdp=offer,
                to=party.to,
                routes=party.routes,
                headers=party.headers,
                authorize=authorize,
            )
        )

    async def ringing(self, status: int, reason: str) -> None:
        self.advance("ringing", status, reason)
        self._on_progress(status, reason)

    async def _answered(self, sdp: str) -> None:
        """The first answer counts, early or not; another phone's, when it is that one which is taken, is asked for anew."""
        if not self._asked and self._early and sdp != self._early:
            self._try(lambda now: self.driver.session.want_offer(now))
            return
        if self._asked:
            self._early = sdp
            await super()._answered(sdp)

    async def established(self) -> None:
        await super().established()
        # It has answered where we called it: media may go to where it says.
        await self.media.confirm()
        self._on_progress(200, "OK")

    def ended(self, end: Ended) -> None:
        super().ended(end)
        if self.about.answered_at is None:
            self._on_progress(end.status if end.status >= 300 else 487, end.reason)

    def reason_of_leg(self) -> Reason:
        return "left" if self.about.answered_at else "removed"
