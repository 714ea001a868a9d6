"""The parts of a call, joined; and how it ends, from whatever state and whichever side (RFC 3261 section 15)."""

from __future__ import annotations

from confero.errors import LocalError

from ..message import Request, Response
from .accepted import Accepted
from .actions import Key
from .asked import Requests
from .callee import Callee
from .caller import Caller
from .changing import Changes
from .config import SessionConfig
from .core import Authorize, Core, HeaderList, Peer, Random
from .provisional import answer_offer
from .referral import Referral
from .refresh import SessionTimer

NOT_ACCEPTABLE = "the offer is not acceptable"


class Parts:
    """One call has either a caller's part or a callee's, until it is answered; one that was resumed has neither."""

    def __init__(self, config: SessionConfig, random: Random, authorize: Authorize, *, we_called: bool) -> None:
        core = self.core = Core(config, random, authorize, self, we_called=we_called)
        self.timer = SessionTimer(core)
        self.accepted = Accepted(core)
        self.changes = Changes(core, self.timer, self.accepted, we_called=we_called)
        self.requests = Requests(core, self.timer, self.accepted)
        self.referral = Referral(core)
        self.caller: Caller | None = None
        self.callee: Callee | None = None
        self._bye_waits: HeaderList | None = None
        """We have hung up, and BYE waits for the ACK."""

    def settle(self, now: float) -> None:
        """Goes on with what had to wait for what has just happened."""
        if self.callee is not None:
            self.callee.settle(now)
        self.changes.settle()

    def finished(self) -> bool:
        """Nothing is to be expected any more."""
        core = self.core
        waits = core.busy or self.accepted or self.referral.open or core.alarms
        return core.phase == "ended" and not waits

    # -- the peer's offers --

    def answer(self, peer: Peer, sdp: str, now: float) -> None:
        """Our answer goes where the offer came from (RFC 6337 table 1). Raises LocalError for that of the INVITE."""
        carrier = peer.offers.carrier
        if carrier == "1xx":
            answer_offer(self.core, peer, sdp)
        elif carrier == "2xx" and self.caller is not None:
            self.caller.answer(peer, sdp)
        elif carrier == "re-2xx":
            self.changes.answer_held(peer, sdp)
        elif carrier == "PRACK" and self.callee is not None:
            self.callee.answer_prack(sdp, now)
        elif self.requests.open:
            self.requests.answer(peer, sdp, now)
        else:
            raise LocalError("the INVITE is answered by progress or accept")

    def refuse(self, peer: Peer, status: int, now: float) -> None:
        """What came in a response cannot be refused by one. Raises LocalError for the offer of the INVITE."""
        carrier = peer.offers.carrier
        if carrier == "1xx" and self.core.phase == "established":
            self.changes.cancel(peer)
        elif carrier == "1xx" and self.caller is not None:
            self.caller.cancel(now)
        elif carrier == "2xx" and self.caller is not None:
            self.caller.decline(peer, now, NOT_ACCEPTABLE)
        elif carrier == "re-2xx":
            self.changes.decline_held(peer, now, NOT_ACCEPTABLE)
        elif carrier == "PRACK" and self.callee is not None:
            self.callee.refuse_prack(status, now)
        else:
            raise LocalError("the INVITE is refused by reject")

    # -- we end it --

    def hang_up(self, headers: HeaderList, now: float) -> None:
        """CANCEL, a refusal, or BYE: whichever is due. Nothing when the call is over."""
        core, peer = self.core, self.core.peer
        if core.phase == "early":
            self._give_up(headers, now)
        elif core.phase == "established" and peer is not None:
            if peer.held is not None and peer.offers.carrier == "2xx" and self.caller is not None:
                self.caller.decline(peer, now, "hung up")
            elif peer.held is not None and peer.offers.carrier == "re-2xx":
                self.changes.decline_held(peer, now, "hung up")
            else:
                self._say_bye(peer, headers)
                core.end("us", 200, "hung up", now)

    def _give_up(self, headers: HeaderList, now: float) -> None:
        if self.caller is not None:
            self.caller.cancel(now)
        elif self.callee is not None:
            self.callee.reject(480, None, headers, now)

    def _say_bye(self, peer: Peer, headers: HeaderList) -> None:
        """15: who was called sends no BYE before the ACK, or before it has been waited for long enough."""
        if self.accepted:
            self._bye_waits = headers
        else:
            self.core.bye(peer, headers)

    def bye_is_due(self, peer: Peer) -> bool:
        """The ACK has come, or never will: the BYE that has waited for it is sent. False if none has."""
        if self._bye_waits is None:
            return False
        headers, self._bye_waits = self._bye_waits, None
        self.core.bye(peer, headers)
        return True

    # -- the peer ends it --

    def bye(self, key: Key, request: Request, now: float) -> None:
        """15.1.2: also what else the peer has asked for is answered."""
        core = self.core
        core.reply(key, request, 200)
        self.accepted.forget()
        self._bye_waits = None
        if self.callee is not None:
            self.callee.bye_early()
        core.end("peer", 200, request.headers.get("Reason") or "hung up", now, request)

    # -- nobody is there --

    def lose(self, status: int, why: str, now: float) -> None:
        """The call cannot go on: the peer is told, in case that it hears."""
        core = self.core
        if core.phase == "established" and core.peer is not None:
            core.bye(core.peer)
            core.end("network", status, why, now)
        elif self.caller is not None:
            self.caller.lose(status, why, now)
        elif self.callee is not None:
            self.callee.lose(status, why, now)

    def gone_if_unknown(self, request: Request, response: Response, now: float) -> None:
        """12.2.1.2: the peer does not know the dialog any more."""
        if response.status == 481 and self.core.phase == "established":
            self.lose(481, response.reason, now)

    def refresh(self, now: float) -> None:
        """RFC 4028 section 7.4."""
        self.changes.refresh(now)

    def unacknowledged(self, now: float) -> None:
        """13.3.1.4: no ACK came: the dialog is confirmed, and the session is to be ended by BYE."""
        peer = self.core.peer
        if peer is not None and not self.bye_is_due(peer):
            self.lose(408, "no ACK came", now)

    # -- it is over --

    def wind_up(self, now: float) -> None:
        """What each part has under way is ended."""
        self.timer.stop()
        self.changes.wind_up()
        self.requests.wind_up()
        self.referral.wind_up()
        for part in (self.callee, self.caller):
            if part is not None:
                part.wind_up()
