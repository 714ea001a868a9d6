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
from .call import Call
from .driver import Driver
from .happenings import HangUp, LegLost

log = get_logger(__name__)

Handler = Callable[[RequestIn], None]
"""Answers a request outside of a dialog, now or later."""


class CallBook:
    """The endpoint's user. ``handlers``: what is done with requests outside of dialogs, by their method."""

    def __init__(self, endpoint: Endpoint, tasks: TaskBag) -> None:
        self._endpoint = endpoint
        self._tasks = tasks
        self._by_names: dict[tuple[str, str], tuple[Call, Driver]] = {}
        """By Call-ID and our tag: the call, and which of its sessions it is."""
        self._running: dict[str, Call] = {}
        """By the call's id, from its first step to its last."""
        self._by_invite: dict[ServerKey, Driver] = {}
        self._invites: dict[Driver, ServerKey] = {}
        """The same the other way round."""
        self._expected: set[ServerKey] = set()
        self.handlers: dict[str, Handler] = {}
        self._empty = asyncio.Event()
        self._empty.set()

    def __len__(self) -> int:
        """Calls that are not over; a session is remembered for a while after its end."""
        return len(self._running)

    def __iter__(self) -> Iterator[Call]:
        return iter({call: None for call, _ in self._by_names.values()})

    # -- calls come and go --

    def start(self, call: Call) -> None:
        """Runs a call."""
        self._running[call.about.id] = call
        self._empty.clear()
        self._tasks.spawn(self._run(call), name=f"call {call.about.id}")

    async def _run(self, call: Call) -> None:
        try:
            await call.run()
        finally:
            del self._running[call.about.id]
            if not self._running:
                self._empty.set()

    def running(self) -> list[Call]:
        """All that are not over."""
        return list(self._running.values())

    def find(self, name: str) -> Call | None:
        """The running call of this id, or of the participant as which its telephone is in a room."""
        running = self._running
        return running.get(name) or next((call for call in running.values() if call.about.participant == name), None)

    def expect(self, key: ServerKey) -> None:
        """There may be a call by this INVITE, once it is known who sends it."""
        self._expected.add(key)

    def expected(self, key: ServerKey) -> bool:
        """Whether it is still wanted: it has not been cancelled meanwhile. No more is expected."""
        wanted = key in self._expected
        self._expected.discard(key)
        return wanted

    def incoming(self, key: ServerKey, call: Call) -> None:
        """... that came by this INVITE, which may be cancelled."""
        if not call.driver.over:
            self._by_invite[key], self._invites[call.driver] = call.driver, key
        self.start(call)

    def begun(self, call: Call) -> None:
        """A session of the call has its names, unless it has been over at once."""
        session = call.driver.session
        if not call.driver.over:
            self._by_names[session.call_id, session.local_tag] = call, call.driver

    def over(self, driver: Driver) -> None:
        """Nothing is expected of this session any more."""
        session = driver.session
        self._by_names.pop((session.call_id, session.local_tag), None)
        key = self._invites.pop(driver, None)
        if key is not None:
            del self._by_invite[key]

    async def empty(self) -> None:
        """Returns when no call is left. Sessions that have ended, and only wait for late messages, do not count."""
        await self._empty.wait()

    def hang_up_all(self, reason: str) -> None:
        for call in list(self._running.values()):
            call.happened(HangUp(reason))

    def legs_lost(self, mcu_url: str, legs: set[str], boot: str | None = None) -> None:
        """These are not at their MCU any more: it has ended them (``media-ended``), or was ended itself (``mcu-lost``), as
        ``boot`` tells, that of the process which is there now. None: it is silent."""
        if not legs:
            return
        for call in self.running():
            if call.media.mcu_url == mcu_url and call.media.leg in legs:
                made_by = call.media.boot or boot
                call.happened(LegLost("media-ended" if made_by == boot and boot is not None else "mcu-lost"))

    def legs(self) -> dict[str, set[str]]:
        """Of calls, by the MCU that they are at."""
        found: dict[str, set[str]] = {}
        for call in self._running.values():
            if call.media.leg:
                found.setdefault(call.media.mcu_url, set()).add(call.media.leg)
        return found

    def mcus(self) -> set[str]:
        """Where there are legs of calls."""
        return set(self.legs())

    def key(self, leg: str, digit: str) -> None:
        """A key in a leg's media. Of two calls with one leg there is none."""
        call = self._at(leg)
        if call is not None:
            call.keypad.key("media", digit)

    def changed(self, leg: str, *, muted: bool, held: bool) -> None:
        """A host, or the room's rules, have the leg so now."""
        call = self._at(leg)
        if call is not None:
            call.keypad.changed(muted=muted, held=held)

    def _at(self, leg: str) -> Call | None:
        return next((call for call in self._running.values() if call.media.leg == leg and call.state != "ended"), None)

    def named(self, call_id: str, tag: str) -> Call | None:
        """By Call-ID and our tag."""
        found = self._by_names.get((call_id, tag))
        return found[0] if found is not None else None

    # -- the endpoint's side --

    def request(self, event: RequestIn) -> None:
        try:
            tag = event.request.to.tag
        except SipError:
            tag = None
        if tag is None:
            self._outside(event)
            return
        found = self._by_names.get((event.request.call_id, tag))
        if found is None:
            # 12.2.2: a dialog that we do not know (any more).
            self._endpoint.respond(event.key, response_to(event.request, 481))
            return
        found[1].requested(event)

    def _outside(self, event: RequestIn) -> None:
        handler = self.handlers.get(event.request.method)
        if handler is not None:
            handler(event)
            return
        response = response_to(event.request, 405, to_tag=self._tag())
        response.headers.add("Allow", ", ".join(sorted({*self.handlers, "ACK", "BYE", "CANCEL"})))
        self._endpoint.respond(event.key, response)

    def acknowledged(self, event: AckIn) -> None:
        driver = self._driver_of(event.request)
        if driver is not None:
            driver.do(lambda now: driver.session.ack(event.request, now))

    def cancelled(self, event: CancelIn) -> None:
        self._expected.discard(event.key)
        driver = self._by_invite.get(event.key) or self._driver_of(event.request)
        if driver is not None:
            driver.do(lambda now: driver.session.cancelled(event.key, event.request, now))
        else:
            self._endpoint.respond(event.key, response_to(event.request, 487, to_tag=self._tag()))

    def stray(self, event: StrayResponse) -> None:
        try:
            tag = event.response.from_.tag or ""
        except SipError:
            return
        found = self._by_names.get((event.response.call_id, tag))
        if found is not None:
            driver = found[1]
            driver.do(lambda now: driver.session.stray(event.response, now))

    def server_ended(self, event: TimedOut | TransportFailed) -> None:
        """The session has its own timer for an ACK that does not come, and for all else it does not matter."""

    def _driver_of(self, request: Request) -> Driver | None:
        try:
            found = self._by_names.get((request.call_id, request.to.tag or ""))
        except SipError:
            return None
        return found[1] if found is not None else None

    def _tag(self) -> str:
        return self._endpoint.random.randbytes(8).hex()
