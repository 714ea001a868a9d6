"""Transfers: REFER and the reports on what became of it, both ways (RFC 3515, RFC 4488, RFC 6665)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from confero.errors import LocalError

from ..errors import SipError
from ..fields import Event, SubscriptionState, read
from ..message import Request, Response
from .actions import Key, Transfer, TransferProgress
from .core import Core, HeaderList, Peer

MOST = 4
"""Transfers of one call that are open at a time, each way; further ones are refused with 503."""
FRAG = "message/sipfrag;version=2.0"
STATUS_LINE = re.compile(rb"^SIP/2\.0 ([1-6][0-9]{2})(?: ([^\r\n]{0,80}))?\s*(?:\r?\n|$)")
TARGET = re.compile(r"<([^<>]*)>")


@dataclass
class Wish:
    """A REFER of the peer."""

    key: Key
    request: Request
    reports: bool
    """Whether it wants to know what becomes of it (RFC 4488)."""
    accepted: bool = False


class Referral:
    """Transfers of one call, by the CSeq of their REFER, which is also the subscription's ``id`` (RFC 3515 section 2.4.6)."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._wishes: dict[int, Wish] = {}
        """The peer's."""
        self._orders: dict[int, bool] = {}
        """Ours, and whether the peer has accepted them."""

    @property
    def open(self) -> bool:
        """Reports go on when the call itself is over (RFC 5057 section 4.1)."""
        return bool(self._wishes or self._orders)

    # -- we ask the peer --

    def send(self, peer: Peer, target: str, headers: HeaderList) -> int:
        """REFER to the peer; the id of the transfer. Raises LocalError."""
        if len(self._orders) >= MOST:
            raise LocalError(f"{MOST} transfers of this call are open")
        request = self._core.compose(peer, "REFER", [("Refer-To", target), *headers])
        id = request.cseq.number
        self._orders[id] = False
        self._core.send(request, peer.dialog, lambda sent, response, now: self._sent(id, response, now))
        return id

    def _sent(self, id: int, response: Response, now: float) -> None:
        if response.status < 200 or id not in self._orders:
            return
        if response.status >= 300 or (response.headers.get("Refer-Sub") or "").strip().lower() == "false":
            self._over(id, response.status, response.reason)
        else:
            self._orders[id] = True
            # RFC 6665 section 4.1.2.4: the first report comes within timer N.
            self._expect(id, self._core.config.timers.lifetime, now)

    def _expect(self, id: int, within: float, now: float) -> None:
        self._core.alarms.set(f"order {id}", now + within, lambda now: self._over(id, 408, "no report"))

    def _over(self, id: int, status: int, reason: str) -> None:
        self._orders.pop(id, None)
        self._core.alarms.stop(f"order {id}")
        self._core.emit(TransferProgress(id, status, reason, True))

    def notified(self, key: Key, request: Request, now: float) -> None:
        """A NOTIFY (RFC 3515 section 2.4.4). Raises SipError: 489 for other events, 481 for none of our transfers."""
        event = read(request, Event)
        if event is None or event.package.lower() != "refer":
            raise SipError("only reports on transfers are subscribed to", status=489)
        id = self._order_of(event.id)
        found = STATUS_LINE.match(request.body)
        if found is None:
            raise SipError("a report has a status line", status=400)
        status, reason = int(found[1]), (found[2] or b"").decode("utf-8", "replace")
        state = read(request, SubscriptionState) or SubscriptionState("active")
        self._core.reply(key, request, 200)
        if state.state == "terminated" or status >= 200:
            self._over(id, status, reason)
            return
        self._core.emit(TransferProgress(id, status, reason, False))
        longest = self._core.config.subscription
        lasts = longest if state.expires is None else min(state.expires, longest)
        self._expect(id, lasts + self._core.config.timers.lifetime, now)

    def _order_of(self, id: str | None) -> int:
        """The first REFER's reports need no id (RFC 3515 section 2.4.6). Raises SipError."""
        if id is None and self._orders:
            return min(self._orders)
        found = next((order for order in self._orders if str(order) == id), None)
        if found is None:
            raise SipError("no transfer of ours", status=481)
        return found

    # -- the peer asks us --

    def referred(self, key: Key, request: Request) -> None:
        """A REFER of the peer (RFC 3515 section 2.4.2). Raises SipError."""
        if not self._core.config.refer:
            raise SipError("no transfers here", status=403)
        if len(self._wishes) >= MOST:
            raise SipError(f"{MOST} transfers of this call are open", status=503)
        targets = request.headers.all("Refer-To")
        if len(targets) != 1:
            raise SipError("a REFER has one Refer-To", status=400)
        found = TARGET.search(targets[0])
        target = found[1] if found else targets[0].split(";")[0].strip()
        id = request.cseq.number
        self._wishes[id] = Wish(key, request, self._wants_reports(request))
        self._core.emit(Transfer(id, target, request.headers.get("Referred-By") or "", request))

    def _wants_reports(self, request: Request) -> bool:
        """RFC 4488 section 4: none, if it says so, and knows that we may do without."""
        return (request.headers.get("Refer-Sub") or "").strip().lower() != "false"

    def accept(self, id: int, now: float) -> None:
        """202, and a first report (RFC 3515 section 2.4.4). Raises LocalError for an unknown id."""
        wish = self._wish(id)
        wish.accepted = True
        headers = [] if wish.reports else [("Refer-Sub", "false")]
        self._core.reply(wish.key, wish.request, 202, headers=[("Contact", self._core.config.contact), *headers])
        if not wish.reports:
            del self._wishes[id]
            return
        self._core.alarms.set(f"wish {id}", now + self._core.config.subscription, lambda now: self._expired(id))
        self._report(id, 100, "Trying", f"active;expires={int(self._core.config.subscription)}")

    def refuse(self, id: int, status: int) -> None:
        """Raises LocalError for an unknown id."""
        wish = self._wish(id)
        del self._wishes[id]
        self._core.reply(wish.key, wish.request, status)

    def progress(self, id: int, status: int, reason: str, now: float) -> None:
        """How the call goes that the peer wanted: a final status ends the reports. Without effect when nobody wants them."""
        if id not in self._wishes:
            return
        left = self._core.config.subscription
        state = f"active;expires={int(left)}" if status < 200 else "terminated;reason=noresource"
        self._report(id, status, reason, state)
        if status >= 200:
            self._forget(id)

    def _wish(self, id: int) -> Wish:
        wish = self._wishes.get(id)
        if wish is None or wish.accepted:
            raise LocalError(f"no transfer {id} waits for an answer")
        return wish

    def _expired(self, id: int) -> None:
        self._report(id, 100, "Trying", "terminated;reason=timeout")
        self._forget(id)

    def _forget(self, id: int) -> None:
        self._wishes.pop(id, None)
        self._core.alarms.stop(f"wish {id}")

    def _report(self, id: int, status: int, reason: str, state: str) -> None:
        """RFC 3515 section 2.4.5: the status line of the call's response is enough."""
        peer = self._core.peer_of(self._wishes[id].request)
        if peer is None:
            return
        request = self._core.compose(peer, "NOTIFY", [("Event", f"refer;id={id}"), ("Subscription-State", state)])
        request.headers.set("Content-Type", FRAG)
        request.body = f"SIP/2.0 {status} {reason}\r\n".encode()
        self._core.send(request, peer.dialog, lambda sent, response, now: self._reported(id, response))

    def _reported(self, id: int, response: Response) -> None:
        """RFC 6665 section 4.2.2: whoever does not take a report gets no more of them."""
        if response.status >= 300:
            self._forget(id)

    def wind_up(self) -> None:
        """The call is over: what we have not decided on is declined; what has been accepted is reported on to its end."""
        for id in [id for id, wish in self._wishes.items() if not wish.accepted]:
            self.refuse(id, 603)
