"""All calls: which one a message belongs to, and what becomes of requests that belong to none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

from confero.protocols.sip.build import response_to
from confero.protocols.sip.errors import SipError
from confero.protocols.sip.events import AckIn, CancelIn, RequestIn, ServerKey, StrayResponse, TimedOut, TransportFailed
from confero.protocols.sip.message import Request
from confero.runtime.logging import get_logger
from confero.runtime.tasks import TaskBag

from ..endpoint import Endpoint
from .call import Call, HangUp, LegLost

log = get_logger(__name__)

Handler = Callable[[RequestIn], None]
"""Answers a request outside of a dialog, now or later."""


class CallBook:
    """The endpoint's user. ``handlers``: what is done with requests outside of dialogs, by their method."""

    def __init__(self, endpoint: Endpoint, tasks: TaskBag) -> None:
        self._endpoint = endpoint
        self._tasks = tasks
        self._by_names: dict[tuple[str, str], Call] = {}
        """By Call-ID and our tag."""
        self._by_invite: dict[ServerKey, Call] = {}
        self.handlers: dict[str, Handler] = {}
        self._empty = asyncio.Event()
        self._empty.set()

    def __len__(self) -> int:
        return len(self._by_names)

    def __iter__(self) -> Iterator[Call]:
        return iter(list(self._by_names.values()))

    # -- calls come and go --

    def start(self, call: Call) -> None:
        """Runs a call."""
        self._tasks.spawn(call.run(), name=f"call {call.about.id}")

    def incoming(self, key: ServerKey, call: Call) -> None:
        """... that came by this INVITE, which may be cancelled."""
        self._by_invite[key] = call
        self.start(call)

    def begun(self, call: Call) -> None:
        session = call.driver.session
        self._by_names[session.call_id, session.local_tag] = call
        self._empty.clear()

    def over(self, call: Call) -> None:
        session = call.driver.session
        self._by_names.pop((session.call_id, session.local_tag), None)
        for key in [key for key, one in self._by_invite.items() if one is call]:
            del self._by_invite[key]
        if not self._by_names:
            self._empty.set()

    async def empty(self) -> None:
        """Returns when no call is left."""
        await self._empty.wait()

    def hang_up_all(self, reason: str) -> None:
        for call in self:
            call.happened(HangUp(reason))

    def legs_lost(self, mcu_url: str, there: set[str] | None) -> None:
        """What an MCU says of the legs that it has; None: it is gone."""
        for call in self:
            if call.media.mcu_url == mcu_url and call.media.leg and (there is None or call.media.leg not in there):
                call.happened(LegLost("mcu-lost" if there is None else "media-ended"))

    def named(self, call_id: str, tag: str) -> Call | None:
        """By Call-ID and our tag."""
        return self._by_names.get((call_id, tag))

    # -- the endpoint's side --

    def request(self, event: RequestIn) -> None:
        try:
            tag = event.request.to.tag
        except SipError:
            tag = None
        if tag is None:
            self._outside(event)
            return
        call = self._by_names.get((event.request.call_id, tag))
        if call is None:
            # 12.2.2: a dialog that we do not know (any more).
            self._endpoint.respond(event.key, response_to(event.request, 481))
            return
        call.driver.do(lambda now: call.driver.session.request(event.key, event.request, now))

    def _outside(self, event: RequestIn) -> None:
        handler = self.handlers.get(event.request.method)
        if handler is not None:
            handler(event)
            return
        response = response_to(event.request, 405, to_tag=self._tag())
        response.headers.add("Allow", ", ".join(sorted({*self.handlers, "ACK", "BYE", "CANCEL"})))
        self._endpoint.respond(event.key, response)

    def acknowledged(self, event: AckIn) -> None:
        call = self._call_of(event.request)
        if call is not None:
            call.driver.do(lambda now: call.driver.session.ack(event.request, now))

    def cancelled(self, event: CancelIn) -> None:
        call = self._by_invite.get(event.key) or self._call_of(event.request)
        if call is not None:
            call.driver.do(lambda now: call.driver.session.cancelled(event.key, event.request, now))
        else:
            self._endpoint.respond(event.key, response_to(event.request, 487, to_tag=self._tag()))

    def stray(self, event: StrayResponse) -> None:
        try:
            tag = event.response.from_.tag or ""
        except SipError:
            return
        call = self._by_names.get((event.response.call_id, tag))
        if call is not None:
            call.driver.do(lambda now: call.driver.session.stray(event.response, now))

    def server_ended(self, event: TimedOut | TransportFailed) -> None:
        """The session has its own timer for an ACK that does not come, and for all else it does not matter."""

    def _call_of(self, request: Request) -> Call | None:
        try:
            return self._by_names.get((request.call_id, request.to.tag or ""))
        except SipError:
            return None

    def _tag(self) -> str:
        return self._endpoint.random.randbytes(8).hex()
