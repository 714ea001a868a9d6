"""A call that comes in: where it goes is asked of the application server, then its leg answers."""

from __future__ import annotations

from confero.models.sip import SipDecision, SipRouteAsk
from confero.protocols.sip.events import ServerKey
from confero.protocols.sip.message import Request
from confero.protocols.sip.session import InviteSession
from confero.protocols.sip.target import Target
from confero.runtime.logging import get_logger

from ..flows import flow_of
from .call import About, Call, Means
from .media import Terms

log = get_logger(__name__)


class InboundCall(Call):
    """From an INVITE that may come in: its caller is known as far as he has to be."""

    def __init__(
        self, means: Means, about: About, terms: Terms, key: ServerKey, invite: Request, source: Target
    ) -> None:
        super().__init__(means, about, terms, flow_of(invite, source))
        self._called = invite.target.username
        self._domain = invite.target.host
        config = means.session_config(source, self._called or "confero")
        random, now = means.sender.endpoint.random, means.clock.monotonic()
        self.begin(InviteSession.incoming(config, key, invite, now, random=random))

    async def set_up(self) -> None:
        if self.driver.session.phase == "ended":
            return  # it could not be taken, and has been answered
        decision = await self.means.appserver.route(
            SipRouteAsk(
                call=self.about.id,
                direction="in",
                caller=self.about.caller,
                user=self._called[:512],
                domain=self._domain[:255],
            )
        )
        await self.go(decision)

    async def go(self, decision: SipDecision) -> None:
        """Raises Refused for what is rejected or cannot be done here."""
        if decision.action == "room" and decision.place is not None:
            self.seated(decision.place)
            session = self.driver.session
            sdp = await self.media.open(decision.place, session.offered, confirmed=False)
            if session.phase == "early":
                self.driver.do(lambda now: session.accept(now, sdp))
            return
        self.reject(decision.status or 404, decision.code)

    def reject(self, status: int, code: str) -> None:
        """Not this call; the session ends by it."""
        self.about.status, self.about.reason = status, code
        session = self.driver.session
        if session.phase == "early":
            self.driver.do(lambda now: session.reject(status, now))
