"""Transfers: whom a telephone wants called, and calls that take another call's place (RFC 3515, RFC 3891, RFC 5589)."""

from __future__ import annotations

from collections.abc import Sequence

from confero.errors import ConferoError, Refused
from confero.ids import new_id
from confero.models.sip import SipCaller, SipPlaceAsk, SipRouteAsk
from confero.protocols.sip.errors import SipError
from confero.protocols.sip.fields import Replaces
from confero.protocols.sip.message import Request
from confero.protocols.sip.session import Transfer, replaces_in
from confero.protocols.sip.uri import URI
from confero.runtime.logging import get_logger

from .about import About
from .book import CallBook
from .call import Call
from .joining import joining, pair, place_for
from .outbound import OutboundCall, Party
from .parties import Calling, Headers, Parties, terms_to
from .status import status_of

log = get_logger(__name__)

DIALLED = ("address", "trunk", "user")
"""What the dial plan may say of whom a transfer names: there is somebody to be called. Rooms are not called, they are entered."""
DECLINED = 603
REFUSALS = {
    481: Refused("No such call is here.", status=404, code="replaces-unknown"),
    486: Refused("The call has been answered.", status=409, code="replaces-answered"),
    603: Refused("The call is over.", status=410, code="replaces-over"),
}
"""RFC 3891 section 3, by the session's verdict."""


class Transfers:
    """For all calls of a gateway."""

    def __init__(self, book: CallBook, parties: Parties) -> None:
        self._book = book
        self._parties = parties

    # -- REFER --

    async def refer(self, call: Call, wish: Transfer) -> None:
        """The telephone of ``call`` wants somebody called: he comes into its room, and it is told how that goes.

        The dial plan decides, as if the telephone had called him. What it refuses ends no call.
        """
        try:
            if (consulted := self._consulted(call, wish)) is not None:
                await self._join(call, consulted, wish)
                return
            party, *others = await self._called(call, wish)
            place = await call.means.appserver.place(
                SipPlaceAsk(room=call.about.room, caller=SipCaller(from_user=URI.parse(wish.target).username[:128]))
            )
        except (ConferoError, ValueError) as error:
            status, why = _verdict(error)
            log.info("transfer refused", call=call.about.id, status=status, reason=why)
            call.driver.attempt(lambda now: call.driver.session.refuse_transfer(wish.id, now, status))
            return
        if not call.driver.attempt(lambda now: call.driver.session.accept_transfer(wish.id, now)):
            return  # the telephone has hung up meanwhile
        about = About("out", party.from_, party.uri, call.means.clock.wall(), caller=call.about.caller)

        def tell(status: int, reason: str) -> None:
            if status == 200:
                hand_over(call, called)
            call.driver.attempt(lambda now: call.driver.session.transfer_progress(wish.id, status, reason, now))

        called = OutboundCall(
            call.means, about, terms_to(party, call.means.owner), place, party, tell, call.means.ring_s, others=others
        )
        self._book.start(called)

    async def _join(self, call: Call, consulted: Call, wish: Transfer) -> None:
        """Nobody is called: both calls end here. Raises ConferoError."""
        joined = joining(call, consulted)
        place = await place_for(joined)
        if not call.driver.attempt(lambda now: call.driver.session.accept_transfer(wish.id, now)):
            return

        async def move() -> None:
            await joined.moves.go_to(place)
            call.driver.attempt(lambda now: call.driver.session.transfer_progress(wish.id, 200, "OK", now))
            consulted.hang_up("transferred")

        pair(call, joined)
        joined.moves.later(move)

    def _consulted(self, call: Call, wish: Transfer) -> Call | None:
        """The call here that Refer-To names, if it does. Raises Refused, ValueError."""
        said = URI.parse(wish.target).header("Replaces")
        replaces = Replaces.parse(said) if said else None
        found = self._book.named(replaces.call_id, replaces.to_tag) if replaces is not None else None
        if replaces is None or found is None:
            return None
        if found is call or not call.about.room or found.driver.session.judge(replaces) != 200:
            raise Refused("That call cannot be taken over.", status=403, code="transfer-refused")
        return found

    async def _called(self, call: Call, wish: Transfer) -> Sequence[Party]:
        """Raises ConferoError, and ValueError for what is no URI."""
        target = URI.parse(wish.target)
        if not call.about.room or target.scheme not in ("sip", "sips"):
            raise Refused("Nobody can be called there from here.", status=403, code="transfer-refused")
        replaces = target.header("Replaces")
        ask = SipRouteAsk(
            call=new_id("c"),
            direction="in",
            caller=call.about.caller,
            user=target.username[:512],
            domain=target.host[:255],
        )
        decision = await call.means.appserver.route(ask)
        if decision.action not in DIALLED:
            raise Refused(decision.code or "Nobody is called there.", status=403, code="transfer-refused")
        caller = call.about.caller
        calling = Calling(caller.from_name, caller.from_user or caller.account, caller.anonymous)
        return await self._parties.of(decision, calling, _headers(call, wish, replaces))

    # -- Replaces --

    def replaced(self, invite: Request) -> Call | None:
        """The call whose place an INVITE takes; None: it wants none. Raises Refused.

        Whoever knows the names of a dialog was told them by one of its ends: that is the proof (RFC 3891 section 9).
        """
        try:
            replaces = replaces_in(invite)
        except SipError as error:
            raise Refused(str(error), status=400, code="replaces-malformed") from error
        if replaces is None:
            return None
        call = self._book.named(replaces.call_id, replaces.to_tag)
        verdict = call.driver.session.judge(replaces) if call is not None else 481
        if verdict != 200:
            raise REFUSALS[verdict]
        return call


def hand_over(call: Call, successor: Call) -> None:
    """Whoever was joined with ``call``, so that the end of one was the end of the other, is joined with its successor."""
    partner, call.partner = call.partner, None
    if partner is not None:
        partner.partner, successor.partner = successor, partner


def _headers(call: Call, wish: Transfer, replaces: str | None) -> Headers:
    """What the new INVITE says of who has asked for it (RFC 3892 section 2.1), and whose place it takes (RFC 5589 section 7)."""
    session = call.driver.session
    said = wish.referred_by or (f"<{URI.parse(call.about.from_uri)}>" if not session.we_called else "")
    headers = [("Referred-By", said)] if said else []
    return (*headers, ("Replaces", replaces)) if replaces else tuple(headers)


def _verdict(error: ConferoError | ValueError) -> tuple[int, str]:
    """The status that answers a REFER, and why."""
    if not isinstance(error, ConferoError):
        return 400, str(error)
    status, why = status_of(error)
    return (DECLINED if status == 403 else status), why
