"""A call from its INVITE to its last BYE: what the owner and the network do goes in, what is to be done comes out."""

from __future__ import annotations

from typing import Any

from confero.errors import LocalError

from ..dialog import Dialog, tag_of
from ..fields import Replaces
from ..message import Request, Response
from .actions import Action, Key
from .callee import Callee
from .caller import Caller, first_invite
from .config import SessionConfig
from .core import Authorize, HeaderList, Peer, Phase, Random, no_credentials
from .offers import Agreed
from .parts import Parts
from .receiving import Receiver
from .replacing import judged, names


class InviteSession:
    """One call (RFC 3261 sections 12 to 15). Made by ``call`` or ``incoming``; every method that takes ``now`` (monotonic
    seconds) gives the actions to do, in order.

    What the owner does wrongly (an offer while one is open, an answer to nothing) raises LocalError and changes nothing.
    What the peer does wrongly is answered, and never raises.
    """

    def __init__(self, config: SessionConfig, random: Random, authorize: Authorize, *, we_called: bool) -> None:
        parts = self._parts = Parts(config, random, authorize, we_called=we_called)
        self._core = parts.core
        self._receiver = Receiver(parts)
        self.we_called = we_called
        self.call_id = ""
        self.local_tag = ""

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
        caller = session._parts.caller = Caller(session._core, session._parts.timer, invite, sdp)
        caller.start()
        caller.wait(now)
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
        parts = session._parts
        callee = parts.callee = Callee(parts.core, parts.timer, parts.accepted, key, invite)
        callee.examine(now)
        session.call_id = invite.call_id
        if parts.core.peer is not None:
            session.local_tag = parts.core.peer.dialog.local_tag
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
        session._parts.timer.resume(state["interval"], state["we_refresh"], now)
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
            "interval": self._parts.timer.interval,
            "we_refresh": self._parts.timer.we_refresh,
        }

    # -- state --

    @property
    def contact(self) -> str:
        """Ours, as the peer has it."""
        return self._core.config.contact

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
        return self._parts.finished()

    def dissolve(self) -> None:
        """For one that has ``finished``: it lets go of its owner, and its parts of one another, so that it is gone as soon as
        nobody holds it, and no collector of cycles has to find it. What can be read stays; steps do what they do after the end,
        which is nothing. Raises LocalError while something is to be expected."""
        if not self.finished:
            raise LocalError("the call is not over yet")
        self._core.let_go()

    def next_deadline(self) -> float | None:
        """When ``poll`` is to be called at the latest."""
        return self._core.alarms.next()

    def poll(self, now: float) -> list[Action]:
        """Does what is due."""
        self._core.alarms.ring(now)
        return self._take(now)

    def _take(self, now: float) -> list[Action]:
        self._parts.settle(now)
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
        if self._parts.callee is None or self.phase == "ended":
            raise LocalError("there is no call to be answered")
        return self._parts.callee

    # -- the owner: offers and answers --

    def want_offer(self, now: float) -> list[Action]:
        """``OfferDue`` is told as soon as ``offer`` may be called: at once, if nothing is in its way."""
        self._running()
        self._parts.changes.want()
        return self._take(now)

    def offer(self, sdp: str | None, now: float, fork: str | None = None) -> list[Action]:
        """Our offer: by re-INVITE, in an unanswered call by UPDATE, and where ``OfferWanted`` was told in the response to that.
        None asks the peer for an offer (re-INVITE without SDP)."""
        peer = self._fork(fork)
        if self._parts.requests.want_offer and sdp is not None:
            self._parts.requests.offer_as_asked(peer, sdp, now)
        else:
            self._parts.changes.offer(peer, sdp)
        return self._take(now)

    def answer(self, sdp: str, now: float, fork: str | None = None) -> list[Action]:
        """Our answer to an ``Offer``. The offer of a call that is not answered yet is answered by ``progress`` or ``accept``."""
        self._parts.answer(self._owing(fork), sdp, now)
        return self._take(now)

    def refuse(self, now: float, status: int = 488, fork: str | None = None) -> list[Action]:
        """Does not take what the peer offers or asks for. The call goes on as it was; only an offer in a 2xx, or in a
        provisional response, cannot be refused otherwise than by ending the call (section 14.1)."""
        if self._parts.requests.open:
            self._parts.requests.refuse(status)
        else:
            self._parts.refuse(self._owing(fork), status, now)
        return self._take(now)

    def _owing(self, fork: str | None) -> Peer:
        owing = [peer for peer in self._core.peers.values() if peer.offers.owing == "us" and fork in (None, peer.fork)]
        if not owing or self.phase == "ended":
            raise LocalError("no offer of the peer is open")
        return owing[0]

    def _fork(self, fork: str | None) -> Peer:
        if self.phase == "ended":
            raise LocalError("the call is over")
        first = next(iter(self._core.peers.values()), None)
        peer = self._core.peers.get(fork) if fork is not None else self._core.peer or first
        if peer is None:
            raise LocalError("there is no such dialog")
        return peer

    # -- the owner: the rest --

    def hang_up(self, now: float, headers: HeaderList = ()) -> list[Action]:
        """Ends the call from whatever state: CANCEL, a refusal (480), or BYE. ``headers``: a Reason, say. Idempotent."""
        self._parts.hang_up(headers, now)
        return self._take(now)

    def transfer(self, target: str, now: float, headers: HeaderList = ()) -> tuple[int, list[Action]]:
        """Asks the peer to call ``target`` (a Refer-To value); the transfer's id for ``TransferProgress``."""
        self._running()
        id = self._parts.referral.send(self._fork(None), target, headers)
        return id, self._take(now)

    def accept_transfer(self, id: int, now: float) -> list[Action]:
        """We shall call whom the peer wants: tell by ``transfer_progress`` how it goes."""
        self._parts.referral.accept(id, now)
        return self._take(now)

    def refuse_transfer(self, id: int, now: float, status: int = 603) -> list[Action]:
        """We shall not."""
        self._parts.referral.refuse(id, status)
        return self._take(now)

    def transfer_progress(self, id: int, status: int, reason: str, now: float) -> list[Action]:
        """The status of the call that the peer wanted; a final one ends the reports."""
        self._parts.referral.progress(id, status, reason, now)
        return self._take(now)

    def info(self, content_type: str, body: bytes, now: float, headers: HeaderList = ()) -> list[Action]:
        """Sends an INFO; whether it is taken does not matter to the call. Raises LocalError when too many are under way."""
        peer = self._fork(None)
        if self._core.crowded:
            raise LocalError("the peer has not answered the INFOs before this one")
        request = self._core.compose(peer, "INFO", headers)
        request.headers.set("Content-Type", content_type)
        request.body = body
        self._core.send(request, peer.dialog, self._parts.gone_if_unknown)
        return self._take(now)

    def _running(self) -> None:
        if self.phase != "established":
            raise LocalError("the call is not established")

    # -- the network --

    def response(self, ref: int, response: Response, now: float) -> list[Action]:
        """A response to the request ``ref``."""
        self._receiver.response(ref, response, now)
        return self._take(now)

    def timed_out(self, ref: int, now: float) -> list[Action]:
        """No final came for it: as if it had been 408 (section 8.1.3.1)."""
        return self.response(ref, Response(408, "Request Timeout"), now)

    def transport_failed(self, ref: int, now: float) -> list[Action]:
        """It could not be sent: as if it had been answered with 503 (section 8.1.3.1)."""
        return self.response(ref, Response(503, "Service Unavailable"), now)

    def stray(self, response: Response, now: float) -> list[Action]:
        """A 2xx to an INVITE outside of its transaction: the layer's StrayResponse."""
        self._receiver.stray(response, now)
        return self._take(now)

    def request(self, key: Key, request: Request, now: float) -> list[Action]:
        """A request with our tag in To; always answered, now or when the owner has decided."""
        self._receiver.request(key, request, now)
        return self._take(now)

    def ack(self, request: Request, now: float) -> list[Action]:
        """The ACK for a 2xx of ours."""
        self._receiver.ack(request, now)
        return self._take(now)

    def cancelled(self, key: Key, request: Request, now: float) -> list[Action]:
        """A CANCEL for the INVITE ``key``."""
        self._receiver.cancelled(key, request, now)
        return self._take(now)

    # -- being replaced --

    def judge(self, replaces: Replaces) -> int:
        """Whether an INVITE may take this call's place (RFC 3891 section 3): 200, or the status of its refusal."""
        if not any(names(replaces, peer.dialog) for peer in self._core.peers.values()):
            return 481
        return judged(replaces, self.phase, we_called=self.we_called)
