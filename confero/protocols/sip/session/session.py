"""A call from its INVITE to its last BYE: what the owner and the network do goes in, what is to be done comes out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from confero.errors import LocalError

from ..dialog import Dialog, tag_of
from ..errors import SipError
from ..headers import Headers
from ..message import Request, Response
from .accepted import Accepted
from .actions import Acknowledged, Action, Answer, Key
from .bodies import sdp_of
from .callee import Callee
from .caller import Caller, first_invite
from .config import SessionConfig
from .core import Authorize, Core, HeaderList, Peer, Phase, Random, no_credentials
from .info import take_info
from .modify import Modify, refusal_headers
from .offers import Agreed
from .provisional import answer_offer
from .referral import Referral
from .refresh import SessionTimer
from .values import Replaces

Handler = Callable[[Key, Request, float], None]


class InviteSession:
    """One call (RFC 3261 sections 12 to 15). Made by ``call`` or ``incoming``; every method that takes ``now`` (monotonic
    seconds) gives the actions to do, in order.

    What the owner does wrongly (an offer while one is open, an answer to nothing) raises LocalError and changes nothing.
    What the peer does wrongly is answered, and never raises.
    """

    def __init__(self, config: SessionConfig, random: Random, authorize: Authorize, *, we_called: bool) -> None:
        core = self._core = Core(config, random, authorize)
        self._timer = SessionTimer(core, self._refresh, self._expired)
        self._accepted = Accepted(core, self._unacknowledged)
        self._modify = Modify(core, self._timer, self._accepted, we_called=we_called)
        self._referral = Referral(core)
        self._caller: Caller | None = None
        self._callee: Callee | None = None
        self._bye_waits: HeaderList | None = None
        """We have hung up, and BYE waits for the ACK (section 15)."""
        self.we_called = we_called
        self.call_id = ""
        self.local_tag = ""
        self._handlers: dict[str, Handler] = {
            "INVITE": self._modify.invited,
            "UPDATE": self._modify.updated,
            "PRACK": self._pracked,
            "BYE": self._bye,
            "INFO": lambda key, request, now: take_info(core, key, request),
            "REFER": lambda key, request, now: self._referral.referred(key, request),
            "NOTIFY": self._referral.notified,
            "OPTIONS": self._options,
        }

    # -- beginnings --

    @classmethod
    def call(
        cls,
        config: SessionConfig,
        uri: str,
        from_: str,
        now: float,
        *,
        random: Random,
        sdp: str | None,
        to: str | None = None,
        call_id: str | None = None,
        routes: tuple[str, ...] = (),
        headers: HeaderList = (),
        authorize: Authorize = no_credentials,
    ) -> tuple[InviteSession, list[Action]]:
        """Calls ``uri``. ``from_`` and ``to`` are header values without tag (``to``: the URI if not given); without ``sdp``
        the peer makes the offer. ``routes``: proxies to pass. ``headers``: whatever else the INVITE is to say."""
        session = cls(config, random, authorize, we_called=True)
        invite = first_invite(session._core, uri, from_, to or f"<{uri}>", call_id, routes, headers)
        session.call_id, session.local_tag = invite.call_id, tag_of(invite.from_)
        session._caller = Caller(session._core, session._timer, invite, sdp)
        session._caller.start()
        return session, session._take(now)

    @classmethod
    def incoming(
        cls,
        config: SessionConfig,
        key: Key,
        invite: Request,
        now: float,
        *,
        random: Random,
        authorize: Authorize = no_credentials,
    ) -> tuple[InviteSession, list[Action]]:
        """The peer calls. The owner goes on by ``progress``, ``accept`` or ``reject``, unless the session has ended at once
        (``ended``) because the INVITE cannot be taken."""
        session = cls(config, random, authorize, we_called=False)
        session._callee = Callee(session._core, session._timer, session._accepted, key, invite)
        session._callee.examine(now)
        peer = session._core.peer
        if peer is not None:
            session.call_id, session.local_tag = peer.dialog.call_id, peer.dialog.local_tag
        return session, session._take(now)

    @classmethod
    def resumed(
        cls,
        config: SessionConfig,
        state: dict[str, Any],
        now: float,
        *,
        random: Random,
        authorize: Authorize = no_credentials,
    ) -> InviteSession:
        """A confirmed call as ``to_json`` wrote it down before a restart."""
        session = cls(config, random, authorize, we_called=state["we_called"])
        core, peer = session._core, Peer(Dialog.from_json(state["dialog"]))
        peer.offers.agreed = Agreed(**state["agreed"]) if state["agreed"] else None
        core.peers[peer.fork] = core.peer = peer
        core.phase = "established"
        core.peer_allows = frozenset(state["peer_allows"])
        session.call_id, session.local_tag = peer.dialog.call_id, peer.dialog.local_tag
        session._timer.resume(state["interval"], state["we_refresh"], now)
        return session

    def to_json(self) -> dict[str, Any]:
        """What ``resumed`` needs. Raises LocalError for a call that is not established."""
        peer = self._core.peer
        if peer is None or self.phase != "established":
            raise LocalError("only an established call can be resumed")
        agreed = peer.offers.agreed
        return {
            "dialog": peer.dialog.to_json(),
            "we_called": self.we_called,
            "agreed": agreed and {"local": agreed.local, "remote": agreed.remote, "offerer": agreed.offerer},
            "peer_allows": sorted(self._core.peer_allows),
            "interval": self._timer.interval,
            "we_refresh": self._timer.we_refresh,
        }

    # -- state --

    @property
    def phase(self) -> Phase:
        return self._core.phase

    @property
    def dialog(self) -> Dialog | None:
        """The one that counts; None for a call of ours that nobody has answered."""
        return self._core.peer.dialog if self._core.peer else None

    @property
    def agreed(self) -> Agreed | None:
        """Both descriptions that hold now."""
        return self._core.peer.offers.agreed if self._core.peer else None

    @property
    def offered(self) -> str | None:
        """The peer's offer that waits for our answer; that of the INVITE too."""
        return next((peer.offers.offered for peer in self._core.peers.values() if peer.offers.owing == "us"), None)

    @property
    def peer_allows(self) -> frozenset[str]:
        """The methods that the peer says it knows."""
        return self._core.peer_allows

    @property
    def finished(self) -> bool:
        """Nothing is to be expected any more: the owner may forget the session."""
        over = self.phase == "ended" and not (self._core.busy or self._accepted or self._referral.open)
        return over and not len(self._core.alarms)

    def next_deadline(self) -> float | None:
        """When ``poll`` is to be called at the latest."""
        return self._core.alarms.next()

    def poll(self, now: float) -> list[Action]:
        """Does what is due."""
        self._core.alarms.ring(now)
        return self._take(now)

    def _take(self, now: float) -> list[Action]:
        """After whatever has happened: goes on with what had to wait for it."""
        if self._callee is not None:
            self._callee.settle(now)
        self._modify.settle()
        return self._core.take()

    # -- the owner: a call that is not answered yet --

    def progress(self, status: int, now: float, sdp: str | None = None, headers: HeaderList = ()) -> list[Action]:
        """A provisional response, as reliable as the configuration and the caller have it. ``sdp``: early media."""
        self._called().progress(status, sdp, headers, now)
        return self._take(now)

    def accept(self, now: float, sdp: str | None = None, headers: HeaderList = ()) -> list[Action]:
        """Answers the call; ``sdp`` is the answer, or the offer where the INVITE had none; None if it has been sent already.
        ``Established`` comes when the 200 has gone out, which may have to wait for a PRACK; ``Acknowledged`` with the ACK."""
        self._called().accept(sdp, headers, now)
        return self._take(now)

    def reject(self, status: int, now: float, reason: str | None = None, headers: HeaderList = ()) -> list[Action]:
        """Does not answer the call: 3xx to 6xx."""
        self._called().reject(status, reason, headers, now)
        return self._take(now)

    def _called(self) -> Callee:
        if self._callee is None or self.phase == "ended":
            raise LocalError("there is no call to be answered")
        return self._callee

    # -- the owner: offers and answers --

    def want_offer(self, now: float) -> list[Action]:
        """``OfferDue`` is told as soon as ``offer`` may be called: at once, if nothing is in its way."""
        self._running()
        self._modify.want()
        return self._take(now)

    def offer(self, sdp: str | None, now: float, fork: str | None = None) -> list[Action]:
        """Our offer: by re-INVITE, in an unanswered call by UPDATE, and where ``OfferWanted`` was told in the response to that.
        None asks the peer for an offer (re-INVITE without SDP)."""
        peer = self._fork(fork)
        if self._modify.asked_for_offer and sdp is not None:
            self._modify.offer_as_asked(peer, sdp, now)
        else:
            self._modify.offer(peer, sdp)
        return self._take(now)

    def answer(self, sdp: str, now: float, fork: str | None = None) -> list[Action]:
        """Our answer to an ``Offer``. The offer of a call that is not answered yet is answered by ``progress`` or ``accept``."""
        peer = self._owing(fork)
        carrier = peer.offers.carrier
        if carrier == "1xx":
            answer_offer(self._core, peer, sdp)
        elif carrier == "2xx" and self._caller is not None:
            self._caller.answer(peer, sdp)
        elif carrier == "re-2xx":
            self._modify.answer_held(peer, sdp)
        elif carrier == "PRACK" and self._callee is not None:
            self._callee.answer_prack(sdp, now)
        elif self._modify.asked:
            self._modify.answer(peer, sdp, now)
        else:
            raise LocalError("the INVITE is answered by progress or accept")
        return self._take(now)

    def refuse(self, now: float, status: int = 488, fork: str | None = None) -> list[Action]:
        """Does not take what the peer offers or asks for. The call goes on as it was; only an offer in a 2xx, or in a
        provisional response, cannot be refused otherwise than by ending the call (section 14.1)."""
        if self._modify.asked:
            self._modify.refuse(status)
            return self._take(now)
        peer = self._owing(fork)
        carrier = peer.offers.carrier
        if carrier == "1xx" and self._caller is not None:
            self._caller.cancel(now)
        elif carrier == "2xx" and self._caller is not None:
            self._caller.decline(peer, now)
        elif carrier == "re-2xx":
            self._modify.decline_held(peer, now)
        elif carrier == "PRACK" and self._callee is not None:
            self._callee.refuse_prack(status, now)
        else:
            raise LocalError("the INVITE is refused by reject")
        return self._take(now)

    def _owing(self, fork: str | None) -> Peer:
        owing = [peer for peer in self._core.peers.values() if peer.offers.owing == "us" and fork in (None, peer.fork)]
        if not owing or self.phase == "ended":
            raise LocalError("no offer of the peer is open")
        return owing[0]

    def _fork(self, fork: str | None) -> Peer:
        if self.phase == "ended":
            raise LocalError("the call is over")
        peer = (
            self._core.peers.get(fork)
            if fork is not None
            else self._core.peer or next(iter(self._core.peers.values()), None)
        )
        if peer is None:
            raise LocalError("there is no such dialog")
        return peer

    # -- the owner: the rest --

    def hang_up(self, now: float, headers: HeaderList = ()) -> list[Action]:
        """Ends the call from whatever state: CANCEL, a refusal (480), or BYE. ``headers``: a Reason, say. Idempotent."""
        peer = self._core.peer
        if self.phase == "early":
            self._give_up(headers, now)
        elif self.phase == "established" and peer is not None:
            if peer.held is not None and self._caller is not None:
                self._decline_held(peer, now)
            elif self._accepted:
                # 15: who was called sends no BYE before the ACK, or before it has been waited for long enough.
                self._bye_waits = headers
                self._core.end("us", 200, "hung up", now)
            else:
                self._core.bye(peer, headers)
                self._core.end("us", 200, "hung up", now)
        return self._take(now)

    def _give_up(self, headers: HeaderList, now: float) -> None:
        if self._caller is not None:
            self._caller.cancel(now)
        elif self._callee is not None:
            self._callee.reject(480, None, headers, now)

    def _decline_held(self, peer: Peer, now: float) -> None:
        if self._caller is not None and peer.offers.carrier == "2xx":
            self._caller.decline(peer, now, 487)
        else:
            self._modify.decline_held(peer, now)

    def transfer(self, target: str, now: float, headers: HeaderList = ()) -> tuple[int, list[Action]]:
        """Asks the peer to call ``target`` (a Refer-To value); the transfer's id for ``TransferProgress``."""
        self._running()
        id = self._referral.send(self._fork(None), target, headers)
        return id, self._take(now)

    def accept_transfer(self, id: int, now: float) -> list[Action]:
        """We shall call whom the peer wants: tell by ``transfer_progress`` how it goes."""
        self._referral.accept(id, now)
        return self._take(now)

    def refuse_transfer(self, id: int, now: float, status: int = 603) -> list[Action]:
        """We shall not."""
        self._referral.refuse(id, status)
        return self._take(now)

    def transfer_progress(self, id: int, status: int, reason: str, now: float) -> list[Action]:
        """The status of the call that the peer wanted; a final one ends the reports."""
        self._referral.progress(id, status, reason, now)
        return self._take(now)

    def info(self, content_type: str, body: bytes, now: float, headers: HeaderList = ()) -> list[Action]:
        """Sends an INFO; whether it was taken does not matter to the call."""
        request = self._core.compose(self._fork(None), "INFO", headers)
        request.headers.set("Content-Type", content_type)
        request.body = body
        peer = self._fork(None)
        self._core.send(request, peer.dialog.next_seq, self._gone_if_unknown)
        return self._take(now)

    def _running(self) -> None:
        if self.phase != "established":
            raise LocalError("the call is not established")

    # -- the network: responses --

    def response(self, ref: int, response: Response, now: float) -> list[Action]:
        """A response to the request ``ref``."""
        try:
            self._core.response(ref, response, now)
        except SipError as error:
            # 8.1.3.2: one that cannot be used. The call that hangs on it is over.
            self._broken(str(error), now)
        return self._take(now)

    def timed_out(self, ref: int, now: float) -> list[Action]:
        """No final came for it: as if it had been 408 (section 8.1.3.1)."""
        return self.response(ref, Response(408, "Request Timeout", Headers(), b""), now)

    def transport_failed(self, ref: int, now: float) -> list[Action]:
        """It could not be sent: as if it had been answered with 503 (section 8.1.3.1)."""
        return self.response(ref, Response(503, "Service Unavailable", Headers(), b""), now)

    def stray(self, response: Response, now: float) -> list[Action]:
        """A 2xx to an INVITE outside of its transaction: repeated, or of another phone (section 13.2.2.4)."""
        try:
            if not self._core.acknowledge_again(response) and self._caller is not None:
                self._caller.stray(response, now)
        except SipError:
            pass
        return self._take(now)

    def _broken(self, why: str, now: float) -> None:
        peer = self._core.peer
        if peer is not None and peer.dialog.confirmed and self.phase == "established":
            self._core.bye(peer)
        self._core.end("network", 500, why, now)

    def _gone_if_unknown(self, request: Request, response: Response, now: float) -> None:
        """12.2.1.2: the peer does not know the dialog."""
        peer = self._core.peer
        if response.status == 481 and self.phase == "established" and peer is not None:
            self._core.bye(peer)
            self._core.end("peer", 481, response.reason, now, response)

    # -- the network: requests --

    def request(self, key: Key, request: Request, now: float) -> list[Action]:
        """A request within one of the session's dialogs; always answered, now or when the owner has decided."""
        try:
            self._dispatch(key, request, now)
        except SipError as error:
            self._core.reply(key, request, error.status, headers=refusal_headers(self._core, error))
        return self._take(now)

    def _dispatch(self, key: Key, request: Request, now: float) -> None:
        core = self._core
        peer = core.peer_of(request)
        if peer is None or (core.phase == "ended" and request.method not in ("BYE", "NOTIFY")):
            raise SipError("there is no such dialog", status=481)
        # 12.2.2, then 8.2.1, then 8.2.2.3.
        peer.dialog.take(request)
        handler = self._handlers.get(request.method)
        if handler is None:
            core.reply(key, request, 405, headers=[("Allow", core.config.allow)])
            return
        missing = core.unsupported(request)
        if missing:
            core.reply(key, request, 420, headers=[("Unsupported", ", ".join(missing))])
            return
        handler(key, request, now)

    def ack(self, request: Request, now: float) -> list[Action]:
        """The ACK for a 2xx of ours."""
        core, peer = self._core, self._core.peer
        if peer is not None and core.peer_of(request) is peer and self._accepted.acknowledged(request.cseq.number):
            self._acknowledged(peer, request, now)
        return self._take(now)

    def _acknowledged(self, peer: Peer, request: Request, now: float) -> None:
        core = self._core
        if self._bye_waits is not None:
            self._bye_at_last(peer)
            return
        if core.phase == "ended":
            return
        core.emit(Acknowledged())
        if peer.offers.owing == "peer" and peer.offers.carrier in ("2xx", "re-2xx"):
            self._answer_in_ack(peer, request, now)

    def _answer_in_ack(self, peer: Peer, request: Request, now: float) -> None:
        """RFC 6337 section 2.2 pattern 2: an ACK without the answer leaves nothing to go on with."""
        try:
            sdp = sdp_of(request)
        except SipError:
            sdp = None
        if sdp is None:
            self._core.bye(peer)
            self._core.end("network", 400, "the ACK has no answer", now)
            return
        peer.offers.they_answer(sdp)
        self._core.emit(Answer(sdp, peer.fork))

    def cancelled(self, key: Key, request: Request, now: float) -> list[Action]:
        """A CANCEL for the INVITE ``key``."""
        if self._callee is not None and self._callee.key == key:
            self._callee.cancelled(request, now)
        else:
            self._modify.cancelled(key)
        return self._take(now)

    def _pracked(self, key: Key, request: Request, now: float) -> None:
        if self._callee is None:
            raise SipError("nothing to acknowledge", status=481)
        self._callee.pracked(key, request, now)

    def _bye(self, key: Key, request: Request, now: float) -> None:
        """15.1.2."""
        core = self._core
        core.reply(key, request, 200)
        self._accepted.forget()
        self._bye_waits = None
        if self._callee is not None:
            self._callee.bye_early()
        core.end("peer", 200, request.headers.get("Reason") or "hung up", now)

    def _options(self, key: Key, request: Request, now: float) -> None:
        """11.2: what we can do."""
        config = self._core.config
        more = [("Allow", config.allow), ("Supported", ", ".join(config.extensions)), ("Accept", "application/sdp")]
        self._core.reply(key, request, 200, headers=more)

    # -- time --

    def _refresh(self, now: float) -> None:
        self._modify.refresh(now)

    def _expired(self, now: float) -> None:
        """RFC 4028 section 10."""
        if self._core.peer is not None and self.phase == "established":
            self._core.bye(self._core.peer)
            self._core.end("network", 408, "the session timer has expired", now)

    def _unacknowledged(self, now: float) -> None:
        """13.3.1.4: no ACK came: the dialog is confirmed, and the session is to be ended by BYE."""
        peer = self._core.peer
        if peer is None:
            return
        if self._bye_waits is not None:
            self._bye_at_last(peer)
        elif self.phase == "established":
            self._core.bye(peer)
            self._core.end("network", 408, "no ACK came", now)

    def _bye_at_last(self, peer: Peer) -> None:
        headers, self._bye_waits = self._bye_waits or (), None
        self._core.bye(peer, headers)

    # -- being replaced --

    def judge(self, replaces: Replaces) -> int:
        """Whether an INVITE may take this call's place (RFC 3891 section 3): 200, or the status of its refusal."""
        dialog = next((p.dialog for p in self._core.peers.values() if _names(replaces, p.dialog)), None)
        if dialog is None:
            return 481
        if self.phase == "ended":
            return 603
        if self.phase == "established":
            return 486 if replaces.early_only else 200
        # An early dialog can be replaced by whoever has been called by us, not where we are called.
        return 200 if self.we_called else 481


def _names(replaces: Replaces, dialog: Dialog) -> bool:
    return dialog.id == (replaces.call_id, replaces.to_tag, replaces.from_tag)
