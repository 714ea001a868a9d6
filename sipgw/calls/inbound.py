"""A call that comes in: where it goes is asked of the application server, then its leg answers."""

from __future__ import annotations

from confero.errors import Refused
from confero.models.sip import SipDecision, SipPlace, SipPlaceAsk, SipRouteAsk
from confero.protocols.sip.events import ServerKey
from confero.protocols.sip.message import Request
from confero.protocols.sip.session import InviteSession
from confero.protocols.sip.target import Target
from confero.runtime.logging import get_logger

from .call import About, Call, HangUp, Means
from .media import Terms

log = get_logger(__name__)


class InboundCall(Call):
    """From an INVITE that may come in: its caller is known as far as he has to be."""

    def __init__(
        self, means: Means, about: About, terms: Terms, key: ServerKey, invite: Request, source: Target
    ) -> None:
        super().__init__(means, about, terms, flow_of(invite, source))
        self._invite = invite
        self._replaced: Call | None = None
        """It ends as soon as this call is one."""
        self._called = invite.target.username
        self._domain = invite.target.host
        config = means.session_config(source, self._called or "confero")
        random, now = means.sender.endpoint.random, means.clock.monotonic()
        self.begin(InviteSession.incoming(config, key, invite, now, random=random))

    async def set_up(self) -> None:
        if self.driver.session.phase == "ended":
            return  # it could not be taken, and has been answered
        replaced = self.means.transfers.replaced(self._invite)
        if replaced is not None:
            await self._take_place_of(replaced)
            return
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
            await self.enter(decision.place)
            return
        self.reject(decision.status or 404, decision.code)

    async def enter(self, place: SipPlace) -> None:
        """Answers the call, in a room."""
        self.seated(place)
        session = self.driver.session
        sdp = await self.media.open(place, session.offered, confirmed=False)
        if session.phase == "early":
            self.driver.do(lambda now: session.accept(now, sdp))

    async def _take_place_of(self, other: Call) -> None:
        """RFC 3891 section 3: into the room of the other call, which ends when this one is answered."""
        if not other.about.room:
            raise Refused("The call is in no room.", status=404, code="replaces-unknown")
        self._replaced = other
        ask = SipPlaceAsk(room=other.about.room, caller=self.about.caller)
        await self.enter(await self.means.appserver.place(ask))

    async def established(self) -> None:
        await super().established()
        if self._replaced is not None:
            self._replaced.happened(HangUp("replaced"))
            self._replaced = None

    def reject(self, status: int, code: str) -> None:
        """Not this call; the session ends by it."""
        self.about.status, self.about.reason = status, code
        session = self.driver.session
        if session.phase == "early":
            self.driver.do(lambda now: session.reject(status, now))


def flow_of(invite: Request, source: Target) -> Target | None:
    """Where the caller is reached for requests of the dialog, if not by its Contact: on its connection, or behind its NAT.

    None where proxies say the way (Record-Route), or where the Contact is where the INVITE came from.
    """
    if invite.record_routes:
        return None
    if source.reliable:
        return source
    contact = invite.contact
    if contact is None or (contact.uri.host.strip("[]"), contact.uri.port or 5060) == (source.host, source.port):
        return None
    # RFC 3581: who asks for rport is behind a NAT, or may be; who does not is where its Contact says.
    return source if "rport" in invite.top_via.parameters else None
