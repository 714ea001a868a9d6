"""An INVITE session on the endpoint: its actions become messages, its deadlines timers, its events calls of its owner."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from confero.clock import Clock
from confero.errors import LocalError
from confero.protocols.sip.bindings import SCRIPTS
from confero.protocols.sip.events import RequestIn, ServerKey
from confero.protocols.sip.message import Request, Response
from confero.protocols.sip.session import (
    Cancel,
    Event,
    InviteSession,
    Respond,
    SendAck,
    SendRequest,
)
from confero.protocols.sip.session.actions import Action
from confero.protocols.sip.target import Target
from confero.runtime.logging import get_logger

from ..outbound import Errand, Sender

log = get_logger(__name__)

Do = Callable[[float], Sequence[Action]]
"""A step of the session, given the time."""
MOST_FLOWS = 64
"""Tags of phones behind one call that are told apart."""


def nothing(*told: object) -> None:
    """In place of whoever was told."""


class Driver:
    """Owns the session's timers and transactions. ``finished`` is told when there is nothing left to expect; from then on the
    driver knows nobody, so that a call that is over is no knot."""

    def __init__(
        self,
        sender: Sender,
        clock: Clock,
        on_event: Callable[[Event], None],
        finished: Callable[[Driver], None],
        *,
        flow: Target | None = None,
        begins: Begin | None = None,
        after_step: Callable[[], None] = nothing,
    ) -> None:
        """``flow``: where the peer is known to be, if its Contact is not to be trusted (NAT, a connection of its own).
        ``begins``: how a request goes out that makes a dialog, if not to where its URI leads. ``after_step``: told when the
        session has done something and it is on its way."""
        self.flow = flow
        self.heard_from: Target | None = None
        """Where the last response came from."""
        self.near = ""
        """The host that the peer's last message within its dialog came from."""
        self._begins = begins
        self._flows: dict[str, Target | None] = {}
        """By the tags of phones that were called together: where each is."""
        self._sender = sender
        self._clock = clock
        self._on_event = on_event
        self._finished = finished
        self._after_step = after_step
        self._session: InviteSession | None = None
        self._sendings: dict[int, Errand] = {}
        self._timer: asyncio.TimerHandle | None = None
        self.over = False
        """Nothing is to be expected any more: ``finished`` has been told."""
        self._actions: deque[Action] = deque()
        self._performing = False
        self._quiet = asyncio.Event()
        self._quiet.set()

    @property
    def begun(self) -> bool:
        """Whether there is a session yet."""
        return self._session is not None

    @property
    def session(self) -> InviteSession:
        assert self._session is not None, "begin comes first"
        return self._session

    def begin(self, begun: tuple[InviteSession, Sequence[Action]]) -> None:
        """What ``InviteSession.call`` or ``incoming`` returned."""
        self._session, actions = begun
        self._perform(actions)

    def do(self, step: Do) -> None:
        """Lets the session do something. Raises what it raises."""
        self._perform(step(self._clock.monotonic()))

    def attempt(self, step: Do) -> bool:
        """A step that may come too late: the session has gone on, and what is open is told in its own event. False: it has."""
        try:
            self.do(step)
        except LocalError as error:
            log.debug("too late", reason=str(error))
            return False
        return True

    # -- inside --

    def _perform(self, actions: Sequence[Action]) -> None:
        """In order, also where an action leads to another step at once."""
        self._actions.extend(actions)
        if self._performing:
            return
        self._performing = True
        try:
            while self._actions:
                self._perform_one(self._actions.popleft())
        finally:
            self._performing = False
        self._after_step()
        self._keep_time()

    def _perform_one(self, action: Action) -> None:
        match action:
            case SendRequest(ref, request):
                self._send(ref, request)
            case SendAck(request):
                self._sender.acknowledge(request, flow=self._flow_to(request))
            case Respond(key, response):
                assert isinstance(key, ServerKey)
                self._sender.endpoint.respond(key, response)
            case Cancel(ref):
                if ref in self._sendings:
                    self._sendings[ref].cancel()
            case _:
                self._on_event(action)

    def _send(self, ref: int, request: Request) -> None:
        self._quiet.clear()
        reply = Reply(self, ref)
        errand = self._start(request, reply)
        if not reply.settled:
            self._sendings[ref] = errand

    def _start(self, request: Request, reply: Reply) -> Errand:
        if self._begins is not None and request.to.tag is None:
            return self._begins(request, reply)
        return self._sender.start(request, reply, flow=self._flow_to(request))

    def _flow_to(self, request: Request) -> Target | None:
        return self._flows.get(request.to.tag or "", self.flow)

    def reached(self, tag: str, flow: Target | None) -> None:
        """The phone that answers with this tag is there."""
        if len(self._flows) < MOST_FLOWS:
            self._flows[tag] = flow

    def responded(self, ref: int, response: Response, source: Target) -> None:
        self.heard_from, self.near = source, source.host
        if response.status >= 200:
            self._settled(ref)
        self.do(lambda now: self.session.response(ref, response, now))

    def requested(self, event: RequestIn) -> None:
        """A request of the peer within the dialog."""
        self.near = event.source.host
        if event.source.transport in SCRIPTS:
            # Whose connection has ended is there again by another one, and by nothing else (RFC 7118 section 5).
            self.flow = event.source
        self.do(lambda now: self.session.request(event.key, event.request, now))

    def unanswered(self, ref: int, *, sent: bool) -> None:
        self._settled(ref)
        session = self.session
        self.do(lambda now: session.timed_out(ref, now) if sent else session.transport_failed(ref, now))

    def _settled(self, ref: int) -> None:
        self._sendings.pop(ref, None)
        if not self._sendings:
            self._quiet.set()

    async def quiet(self) -> None:
        """Returns when every request of ours has been answered, or given up."""
        await self._quiet.wait()

    def _keep_time(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        session = self.session
        due = session.next_deadline()
        if due is not None:
            delay = max(0.0, due - self._clock.monotonic())
            self._timer = asyncio.get_running_loop().call_later(delay, self._poll)
        elif session.finished and not self.over:
            self._end()

    def _end(self) -> None:
        self.over = True
        finished = self._finished
        self._on_event, self._finished, self._after_step, self._begins = nothing, nothing, nothing, None
        self.session.dissolve()
        finished(self)

    def _poll(self) -> None:
        self._timer = None
        self.do(lambda now: self.session.poll(now))

    def abandon(self) -> None:
        """No timer runs any more: the process ends, and the journal has the call."""
        if self._timer is not None:
            self._timer.cancel()


class Reply:
    """Tells the driver what became of one request."""

    def __init__(self, driver: Driver, ref: int) -> None:
        self._driver = driver
        self._ref = ref
        self.settled = False
        """The last has been heard of it, which may be before ``start`` returns what is under way."""

    def responded(self, response: Response, source: Target) -> None:
        self.settled = self.settled or response.status >= 200
        self._driver.responded(self._ref, response, source)

    def unanswered(self, *, sent: bool) -> None:
        self.settled = True
        self._driver.unanswered(self._ref, sent=sent)

    def reached(self, tag: str, flow: Target | None) -> None:
        """As ``Driver.reached``."""
        self._driver.reached(tag, flow)


Begin = Callable[[Request, Reply], Errand]
"""Sends a request that makes a dialog; who answers with which tag is told by ``Reply.reached`` where that matters."""
