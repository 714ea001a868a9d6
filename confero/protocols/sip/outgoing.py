"""Our own requests: started, matched with their responses, cancelled, given up."""

from __future__ import annotations

from confero.errors import LocalError, Unavailable

from .build import cancel_for
from .client import INVITE_CLIENT, NON_INVITE_CLIENT, Client
from .events import ClientKey, StrayResponse
from .holdoff import HoldOff
from .hub import Hub
from .matching import COOKIE, client_key
from .message import Request, Response
from .target import Target
from .transaction import BY_CLASS, Transaction


class Outgoing:
    """The client transactions of a layer."""

    def __init__(self, hub: Hub, most: int) -> None:
        self._hub = hub
        self._most = most
        self._clients: dict[tuple[str, str], Client] = {}
        self.hold_off = HoldOff()

    def __len__(self) -> int:
        return len(self._clients)

    def start(self, request: Request, target: Target, now: float) -> ClientKey:
        """Sends the request, and looks after it. Raises LocalError for one without a branch of its own, Unavailable if
        there are too many."""
        if request.method == "ACK":
            raise LocalError("an ACK starts no transaction")
        key = client_key(request)
        if not key.branch.startswith(COOKIE) or key in self._clients:
            raise LocalError(f"a request needs a branch of its own, and {key.branch!r} is none")
        if len(self._clients) >= self._most:
            raise Unavailable(f"{self._most} requests are under way already", code="sip-busy")
        figure = INVITE_CLIENT if request.method == "INVITE" else NON_INVITE_CLIENT
        client = Transaction(key, request, target, figure, self._hub, self._ended)
        client.last = request
        self._clients[key] = client
        self._hub.join(client)
        self._hub.send(request, target)
        client.start(now)
        return key

    def cancel(self, key: ClientKey, now: float) -> ClientKey:
        """Ends an INVITE that has no final (RFC 3261 section 9.1); does nothing to one that has, or that is gone.

        Returns the key of the CANCEL, whose responses are told like others. Raises LocalError for other methods.
        """
        if key.method != "INVITE":
            raise LocalError(f"only an INVITE is cancelled, not {key.method}")
        client = self._clients.get(key)
        if client is not None and not client.cancelling:
            client.cancelling = True
            self._cancel_if_heard(client, now)
        return ClientKey(key.branch, "CANCEL")

    def _cancel_if_heard(self, client: Client, now: float) -> None:
        """9.1: CANCEL waits for a provisional response, so that it does not overtake the INVITE."""
        if client.state != "proceeding" or client.request is None:
            return
        # The same way as the INVITE, with its branch. It may be one too many: there is no more than one for each INVITE.
        cancel = cancel_for(client.request)
        key = ClientKey(client.key.branch, "CANCEL")
        other = Transaction(key, cancel, client.target, NON_INVITE_CLIENT, self._hub, self._ended)
        other.last = cancel
        self._clients[key] = other
        self._hub.join(other)
        self._hub.send(cancel, client.target)
        other.start(now)
        client.end_by("cancelled", now)

    def receive(self, response: Response, source: Target, now: float) -> None:
        """Raises SipError."""
        # 8.1.3.3: another Via below ours means that it is not for us.
        if len(response.headers.all("Via")) != 1:
            self._hub.tally.unmatched += 1
            return
        key = client_key(response)
        client = self._clients.get(key)
        if client is None:
            self._unmatched(response, source)
            return
        if response.status == 503:
            self.hold_off.note(client.target, response, now)
        self._take(client, response, source, now)

    def _take(self, client: Client, response: Response, source: Target, now: float) -> None:
        cause = BY_CLASS.get(response.status // 100)
        client.arrived_from = source
        told = len(self._hub.events)
        waiting = client.state == "calling"
        if cause is not None:
            client.take(cause, now, response)
        if len(self._hub.events) == told:
            self._hub.tally.absorbed += 1
        if waiting and client.cancelling:
            self._cancel_if_heard(client, now)

    def _unmatched(self, response: Response, source: Target) -> None:
        """RFC 6026 section 7.2 and 8.3: dropped, but for a 2xx to an INVITE, for whoever sent it waits for an ACK or a BYE."""
        if response.status // 100 == 2 and response.cseq.method == "INVITE":
            self._hub.emit(StrayResponse(response, source))
        else:
            self._hub.tally.unmatched += 1

    def met_ourselves(self, request: Request) -> bool:
        """Is it one of ours that has come back as it was? (16.3 item 4; a changed Request-URI makes it a spiral, which is fine.)"""
        vias = request.vias
        for via in vias[1:]:
            ours = self._clients.get((via.branch.lower(), request.method))
            if ours is not None and ours.request is not None:
                return ours.request.call_id == request.call_id and ours.request.uri == request.uri
        return False

    def _ended(self, client: Client) -> None:
        del self._clients[client.key]
        self._hub.leave(client)
