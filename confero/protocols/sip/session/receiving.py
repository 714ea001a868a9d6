"""What the network brings to a call: requests to whoever handles their method, ACK, CANCEL, and 2xx that come again."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from ..errors import SipError
from ..message import Request, Response
from .actions import Acknowledged, Answer, Key
from .asked import refusal_headers
from .bodies import SDP, sdp_of
from .core import Peer
from .info import take_info
from .parts import Parts

Handler = Callable[["Receiver", Key, Request, float], None]
AFTER_THE_END = ("BYE", "NOTIFY")
"""A BYE that crosses ours, and reports on a transfer (RFC 5057 section 4.1)."""


class Receiver:
    """Nothing that a peer sends raises here."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.core = parts.core
        self.handlers = HANDLERS

    # -- requests --

    def request(self, key: Key, request: Request, now: float) -> None:
        """Answers it, now or when the owner has decided."""
        try:
            self._dispatch(key, request, now)
        except SipError as error:
            self.core.reply(key, request, error.status, headers=refusal_headers(self.core, error))

    def _dispatch(self, key: Key, request: Request, now: float) -> None:
        core = self.core
        peer = core.peer_of(request)
        if peer is None or (core.phase == "ended" and request.method not in AFTER_THE_END):
            raise SipError("there is no such dialog", status=481)
        # 12.2.2, then 8.2.1, then 8.2.2.3.
        peer.dialog.take(request)
        handler = self.handlers.get(request.method)
        missing = core.unsupported(request)
        if handler is None:
            core.reply(key, request, 405, headers=[("Allow", core.config.allow)])
        elif missing:
            core.reply(key, request, 420, headers=[("Unsupported", ", ".join(missing))])
        else:
            handler(self, key, request, now)

    def pracked(self, key: Key, request: Request, now: float) -> None:
        """Raises SipError."""
        if self.parts.callee is None:
            raise SipError("nothing to acknowledge", status=481)
        self.parts.callee.pracked(key, request, now)

    def options(self, key: Key, request: Request, now: float) -> None:
        """11.2: what we can do."""
        config = self.core.config
        more = [("Allow", config.allow), ("Supported", ", ".join(config.extensions)), ("Accept", SDP)]
        self.core.reply(key, request, 200, headers=more)

    def cancelled(self, key: Key, request: Request, now: float) -> None:
        """9.2. The CANCEL itself has been answered by the transaction layer."""
        callee = self.parts.callee
        if callee is not None and callee.key == key:
            callee.cancelled(request, now)
        else:
            self.parts.requests.cancelled(key)

    # -- ACK --

    def ack(self, request: Request, now: float) -> None:
        """The ACK for a 2xx of ours; repeated ones are nothing new."""
        peer = self.core.peer
        with suppress(SipError):
            if peer is None or self.core.peer_of(request) is not peer:
                return
            if self.parts.accepted.acknowledged(request.cseq.number):
                self._acknowledged(peer, request, now)

    def _acknowledged(self, peer: Peer, request: Request, now: float) -> None:
        if self.parts.bye_is_due(peer) or self.core.phase == "ended":
            return
        self.core.emit(Acknowledged())
        if peer.offers.owing == "peer" and peer.offers.carrier in ("2xx", "re-2xx"):
            self._answer_in(request, peer, now)

    def _answer_in(self, ack: Request, peer: Peer, now: float) -> None:
        """RFC 6337 section 2.2 pattern 2: an ACK without the answer leaves nothing to go on with."""
        sdp = None
        with suppress(SipError):
            sdp = sdp_of(ack)
        if sdp is None:
            self.parts.lose(400, "the ACK has no answer", now)
            return
        peer.offers.they_answer(sdp)
        self.core.emit(Answer(sdp, peer.fork))

    # -- responses --

    def response(self, ref: int, response: Response, now: float) -> None:
        """8.1.3.2: one that cannot be used ends the call that hangs on it."""
        try:
            self.core.response(ref, response, now)
        except SipError as error:
            self.parts.lose(500, str(error), now)

    def stray(self, response: Response, now: float) -> None:
        """13.2.2.4: a 2xx to an INVITE outside of its transaction is repeated, or of another phone."""
        caller = self.parts.caller
        with suppress(SipError):
            if not self.core.acknowledge_again(response) and caller is not None:
                caller.stray(response, now)


HANDLERS: dict[str, Handler] = {
    "INVITE": lambda it, key, request, now: it.parts.requests.invited(key, request, now),
    "UPDATE": lambda it, key, request, now: it.parts.requests.updated(key, request, now),
    "PRACK": Receiver.pracked,
    "BYE": lambda it, key, request, now: it.parts.bye(key, request, now),
    "INFO": lambda it, key, request, now: take_info(it.core, key, request),
    "REFER": lambda it, key, request, now: it.parts.referral.referred(key, request),
    "NOTIFY": lambda it, key, request, now: it.parts.referral.notified(key, request, now),
    "OPTIONS": Receiver.options,
}
"""One table for all calls: what it names is looked up in the call, which so holds nothing that holds it."""
