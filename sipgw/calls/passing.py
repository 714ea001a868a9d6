"""A call that comes in and goes out again: who has called waits, telephones ring, both meet in a room of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confero.errors import Refused
from confero.models.sip import SipCaller, SipDecision, SipPlace, SipPlaceAsk
from confero.protocols.sip.session import Ended
from confero.runtime.logging import get_logger

from ..userdata import Fields, to_tell
from .about import About
from .happenings import HangUp, RingSaid
from .outbound import OutboundCall
from .parties import Calling, terms_to

if TYPE_CHECKING:
    from .inbound import InboundCall

log = get_logger(__name__)

NO_ANSWER = 480
BAD_GATEWAY = 502
"""For a caller who cannot do what the other side asks for: prove our password, or call somebody else himself."""
OURS = (401, 407)


class Phones:
    """The telephones that are called for ``call``, and what has become of them."""

    def __init__(self, call: InboundCall, place: SipPlace) -> None:
        self.place = place
        """The caller's, in the room where they meet."""
        self.answered = self.failed = False
        self.status, self.reason = NO_ANSWER, ""
        self.out: OutboundCall | None = None
        self._call = call
        self._rings = 0
        """The last provisional status of theirs that the caller has not been told."""

    def progress(self, status: int, reason: str) -> None:
        """What the call out tells."""
        if status < 200:
            self._rings = status
        elif status < 300:
            self.answered = True
            if self._call.ring is not None:
                self._call.ring.end("accepted")
        else:
            self.failed, self.reason = True, reason
            self.status = BAD_GATEWAY if status in OURS or status < 400 else status
        self._call.happened(RingSaid())

    async def pass_on(self) -> None:
        """The caller is told how far they are, and hears them if they sound already (RFC 3960 section 3)."""
        status, self._rings = self._rings, 0
        if status:
            sounds = self.out is not None and self.out.sounds
            await self._call.progress(status, self.place if sounds else None)

    @property
    def words(self) -> Fields:
        """What their side has said with its answer, or its refusal."""
        if self.out is None:
            return ()
        return to_tell(self.out.told, self._call.means.pass_headers) if self.answered else self.out.last_words

    def join(self) -> None:
        """From now on the end of one is the end of the other."""
        if self.out is not None:
            self._call.partner, self.out.partner = self.out, self._call

    def let_go(self) -> None:
        """Ends the telephones' side unless it was joined. Idempotent."""
        if self.out is not None and self._call.partner is not self.out:
            self.out.happened(HangUp("the caller has hung up, or somebody else has answered"))


async def call_phones(call: InboundCall, decision: SipDecision) -> Phones | None:
    """Makes the telephones ring that a decision means. None: there are none, but browsers. Raises Refused, Unavailable."""
    means, caller = call.means, call.about.caller
    calling = Calling(caller.from_name, caller.from_user or caller.account, caller.anonymous)
    headers = to_tell(call.told, means.pass_headers)
    try:
        party, *others = await means.parties.of(decision, calling, headers)
    except Refused as error:
        if decision.browsers:
            log.debug("only browsers ring", call=call.about.id, reason=error.detail)
            return None
        raise
    mine = await means.appserver.place(SipPlaceAsk(caller=caller))
    called = SipCaller(from_name=decision.user or decision.number)
    theirs = await means.appserver.place(SipPlaceAsk(room=mine.room, caller=called))
    phones = Phones(call, mine)
    about = About("out", call.about.from_uri, party.uri, means.clock.wall(), account=call.about.account)
    phones.out = OutboundCall(
        means, about, terms_to(party, means.owner), theirs, party, phones.progress, ring_s=means.ring_s, others=others
    )
    means.start(phones.out)
    return phones


async def ring_phones(call: InboundCall, phones: Phones) -> None:
    """Until one has answered, none will, or the caller has given up."""
    while not (phones.answered or phones.failed):
        happening = await call.next()
        await call.deal_with(happening)
        if isinstance(happening, Ended) or call.driver.session.phase != "early":
            return
        await phones.pass_on()
