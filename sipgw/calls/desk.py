"""Calls as the application server asks for them: made, looked at, answered, keyed into, ended."""

from __future__ import annotations

from confero.errors import Refused
from confero.models import DigitsSend
from confero.models.calls import CallEnd, CallInfo, SipCallOut, SipRingAnswer
from confero.models.sip import SipCaller, SipPlace

from ..load import Load
from ..userdata import to_tell
from .about import About, Owner
from .book import CallBook
from .call import Call
from .happenings import HangUp, RingSaid
from .means import Means
from .outbound import OutboundCall
from .parties import Calling, Parties, terms_to

HUNG_UP = "hung up from a browser"
NOTHING = CallEnd()


class Desk:
    """All raise Refused 404 ``call-unknown`` for a call that is not, or no more."""

    def __init__(self, means: Means, book: CallBook, parties: Parties, load: Load) -> None:
        self._means = means
        self._book = book
        self._parties = parties
        self._load = load

    async def call_out(self, wish: SipCallOut) -> CallInfo:
        """A telephone is called into a room. Raises Refused: 404 ``not-found``, 409 ``call-exists``, 503 ``gateway-busy``."""
        decision = wish.decision
        if decision.place is None:
            raise Refused("There is no place for that call.", status=422, code="place-missing")
        if self._load.refuses():
            raise Refused("No further calls can be made now.", status=503, code="gateway-busy")
        headers = to_tell(wish, self._means.pass_headers)
        party, *others = await self._parties.of(decision, Calling(wish.owner_name), headers)
        if self._book.find(wish.id) is not None:
            raise Refused("There is such a call.", status=409, code="call-exists")
        about = About("out", party.from_, party.uri, self._means.clock.wall(), id=wish.id)
        about.caller = SipCaller(participant=wish.owner, from_name=wish.owner_name)
        terms = terms_to(party, self._means.owner)
        call = OutboundCall(self._means, about, terms, decision.place, party, ring_s=self._means.ring_s, others=others)
        call.owner = Owner(wish.room, wish.owner)
        call.seated(decision.place)
        self._book.start(call)
        return info_of(call)

    def call(self, name: str) -> CallInfo:
        """By the call's id, or as which its telephone is in the room."""
        return info_of(self._find(name))

    def calls(self) -> list[CallInfo]:
        """All that are running."""
        return [info_of(call) for call in self._book.running()]

    def end(self, name: str, words: CallEnd = NOTHING) -> None:
        """Hangs up, or gives up what rings; the telephone's side is told ``words``."""
        self._find(name).happened(HangUp(HUNG_UP, to_tell(words, self._means.pass_headers)))

    async def digits(self, name: str, digits: DigitsSend) -> None:
        """Raises also what the MCU refuses: 409 ``no-media``, ``no-events``."""
        call = self._find(name)
        if not call.media.leg:
            raise Refused("The call has no sound yet.", status=409, code="no-media")
        await call.media.mcu.send_digits(call.media.leg, digits)

    def move(self, name: str, place: SipPlace) -> None:
        """Into another room, when it is the call's turn. Raises Refused 409 ``no-media`` before there is any sound."""
        call = self._find(name)
        if not call.media.leg:
            raise Refused("The call has no sound yet.", status=409, code="no-media")
        call.later(lambda: call.go_to(place))

    def answer(self, name: str, answer: SipRingAnswer) -> None:
        """What somebody says whose browser rings. Raises as ``Ring.says``."""
        call = self._find(name)
        if call.ring is None:
            raise Refused("There is no such call.", status=404, code="call-unknown")
        call.ring.says(answer.participant, answer.action, to_tell(answer, self._means.pass_headers))
        call.happened(RingSaid())

    def _find(self, name: str) -> Call:
        call = self._book.find(name)
        if call is None:
            raise Refused("There is no such call.", status=404, code="call-unknown")
        return call


def info_of(call: Call) -> CallInfo:
    about = call.about
    return CallInfo(
        id=about.id,
        direction="out" if about.direction == "out" else "in",
        room=about.room or None,
        participant=about.participant or None,
        owner=call.owner.participant if call.owner else None,
        name=call.name,
        state=call.state,
        status=about.status,
        reason=about.reason,
        user_data=call.told.user_data,
        headers=dict(call.told.headers),
    )
