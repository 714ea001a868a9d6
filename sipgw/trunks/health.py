"""Whether a trunk's server is there: asked by OPTIONS in intervals, and at once when a call has met silence."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from confero.clock import Clock
from confero.protocols.sip.build import RandomBytes, new_call_id, new_request, new_tag
from confero.protocols.sip.locate import Destination
from confero.protocols.sip.message import Request
from confero.protocols.sip.values import Address
from confero.runtime.logging import get_logger

from ..asking import ask
from ..outbound import Sender

log = get_logger(__name__)

PATIENCE_S = 4.0
"""UDP has repeated the question three times by then."""
DOWN_S = 5.0
"""A server that is down is asked at least so often."""
AWAY = (408, 503)
"""Answers that mean that nobody is behind them; any other shows a server that lives."""

State = Literal["unknown", "up", "down"]


@dataclass
class Server:
    """One server of a trunk."""

    uri: str
    priority: int
    destination: Destination
    state: State = "unknown"
    reason: str = ""
    since: float = 0.0
    """Unix time of the last change."""
    answer_s: float | None = None
    """How long the last answer took."""
    wanted: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    @property
    def rank(self) -> tuple[bool, int]:
        """In which order servers are tried: those that are down last."""
        return self.state == "down", self.priority

    def suspect(self) -> None:
        """It was silent: ask it now, not in its turn."""
        self.wanted.set()


class Watch:
    """Asks one server again and again: ``run`` it as a task. Interval 0: only when it is suspected."""

    def __init__(
        self,
        server: Server,
        who: Address,
        sender: Sender,
        clock: Clock,
        interval_s: float,
        changed: Callable[[Server], None],
        user_agent: str,
    ) -> None:
        """``who``: our address at the trunk. ``changed`` is told when a server comes or goes."""
        self._server = server
        self._who = who
        self._sender = sender
        self._clock = clock
        self._interval_s = interval_s
        self._changed = changed
        self._user_agent = user_agent

    async def run(self) -> None:
        if self._interval_s == 0:
            await self._server.wanted.wait()
        while True:
            self._server.wanted.clear()
            await self.look()
            await self._pause()

    async def _pause(self) -> None:
        interval = self._interval_s or None
        if self._server.state == "down":
            interval = min(interval or DOWN_S, DOWN_S)
        if interval is not None:
            interval *= self._sender.endpoint.random.uniform(0.8, 1.0)
        try:
            async with asyncio.timeout(interval):
                await self._server.wanted.wait()
        except TimeoutError:
            return

    async def look(self) -> None:
        """Once."""
        began = self._clock.monotonic()
        request = options(self._server.uri, self._who, self._sender.endpoint.random)
        request.headers.add("User-Agent", self._user_agent)
        answer = await ask(self._sender, request, servers=[self._server.destination], patience_s=PATIENCE_S)
        self._server.answer_s = self._clock.monotonic() - began if answer is not None else None
        if answer is None:
            self._note("down", "no answer")
        elif answer[0].status in AWAY:
            self._note("down", f"{answer[0].status} {answer[0].reason}"[:64])
        else:
            self._note("up", f"{answer[0].status} {answer[0].reason}"[:64])

    def _note(self, state: State, reason: str) -> None:
        server = self._server
        changed, server.state, server.reason = server.state != state, state, reason
        if changed:
            server.since = self._clock.wall()
            log.log(30 if state == "down" else 20, f"trunk server {state}", server=server.uri, reason=reason)
            self._changed(server)


def options(uri: str, who: Address, random: RandomBytes) -> Request:
    """RFC 3261 section 11.1."""
    to = Address.parse(f"<{uri}>")
    request = new_request(
        "OPTIONS", uri, from_=who.with_tag(new_tag(random)), to=to, call_id=new_call_id(random), cseq=1
    )
    request.headers.add("Accept", "application/sdp")
    return request
