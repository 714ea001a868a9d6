"""After a restart: calls that the process before has left are gone on with where their legs still live, and ended where not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from pydantic import ValidationError

from confero.errors import ConferoError
from confero.protocols.sip.message import Request, Response
from confero.protocols.sip.session import InviteSession, SessionConfig
from confero.protocols.sip.target import Target
from confero.runtime.logging import get_logger

from ..journal import Journal
from ..peers import McuPeers
from .about import About, Owner
from .book import CallBook
from .call import Call
from .means import Credentials, Means
from .media import Terms
from .memo import Flow, Memo

log = get_logger(__name__)

PATIENCE_S = 4.0
"""For an MCU to answer: less than half of its lease for our legs, and the peers are told within 5 s."""
PAUSE_S = 0.25

TrunkCredentials = Callable[[str], Credentials | None]
"""What proves us to the trunk of this name."""


class ResumedCall(Call):
    """It is in the book from the beginning: its peer may say something at once."""

    def __init__(self, means: Means, memo: Memo, credentials: TrunkCredentials) -> None:
        facts = memo.facts
        about = About(
            facts.direction,
            facts.from_uri,
            facts.to_uri,
            facts.started_at,
            facts.id,
            facts.caller,
            facts.trunk,
            facts.account,
        )
        about.answered_at, about.status = facts.answered_at, 200
        about.revision = facts.revision + 1  # the record of its answer may have been made after the line
        terms = Terms(means.owner, security=memo.security, symmetric=memo.symmetric)
        super().__init__(means, about, terms, _target(memo.flow))
        self.alive: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        """Whether its leg is still there."""
        agreed = memo.session.get("agreed")
        self.media.adopt(memo.place, memo.leg, agreed["remote"] if agreed else None, memo.near)
        self.seated(memo.place)
        if memo.menu is None:
            self.keypad.greeted()
        else:
            self.keypad.menu(memo.menu, host=memo.menu_host)
        self.owner = Owner(*memo.owner) if memo.owner else None
        self.state = "answered"

        def prove(request: Request, response: Response, source: Target) -> Sequence[tuple[str, str]] | None:
            """By the trunk as it is set then."""
            known = credentials(facts.trunk) if facts.trunk else None
            return known(request, response, source) if known else None

        authorize = self.authorizer(self.driver, prove)
        config = SessionConfig(contact=memo.contact, user_agent=means.user_agent)
        random, now = means.sender.endpoint.random, means.clock.monotonic()
        session = InviteSession.resumed(config, memo.session, now, random=random, authorize=authorize)
        self.begin((session, []))

    async def set_up(self) -> None:
        if await self.alive:
            log.info("call resumed", call=self.about.id)
            with suppress(ConferoError):  # the leg may end meanwhile: its own task is told so
                await self.media.show()
            await self.keypad.begin()
            return
        self.media.lost()
        self.hang_up("lost in a restart")


def _target(flow: Flow | None) -> Target | None:
    """A connection has ended with the process: the peer is where its Contact says."""
    if flow is None or flow.transport != "udp":
        return None
    return Target(flow.transport, flow.host, flow.port)


class Resumption:
    """``revive`` before anything is received, ``finish`` as soon as something can be sent."""

    def __init__(
        self, means: Means, book: CallBook, mcus: McuPeers, journal: Journal, credentials: TrunkCredentials
    ) -> None:
        self._means = means
        self._book = book
        self._mcus = mcus
        self._journal = journal
        self._credentials = credentials
        self._calls: list[ResumedCall] = []

    def revive(self, entries: Mapping[str, Mapping[str, Any]]) -> None:
        """Calls as the journal has them. What another version has written and we cannot read is left to the MCU's lease."""
        partners: dict[str, str] = {}
        for id, entry in entries.items():
            try:
                memo = Memo.model_validate(entry)
                self._calls.append(ResumedCall(self._means, memo, self._credentials))
                partners[id] = memo.partner
            except (ValidationError, ConferoError, LookupError, TypeError, ValueError) as error:
                log.warning("a call cannot be resumed", call=id, reason=type(error).__name__)
                self._journal.drop(id)
        known: dict[str, Call] = {call.about.id: call for call in self._calls}
        for call in self._calls:
            call.partner = known.get(partners[call.about.id])

    def mcus(self) -> set[str]:
        """Where the calls are that go on."""
        return {call.media.mcu_url for call in self._calls}

    async def finish(self) -> None:
        """Asks each MCU for its legs; legs of ours that belong to no call are ended."""
        for call in self._calls:
            self._book.start(call)
        await asyncio.gather(*(self._ask(url) for url in self.mcus()))

    async def _ask(self, url: str) -> None:
        there, boot = await self._legs_at(url)
        ours = [call for call in self._calls if call.media.mcu_url == url]
        known = {call.media.leg for call in ours}
        for call in ours:
            call.media.boot = boot
            call.alive.set_result(call.media.leg in there)
        await self._end_orphans(url, there - known)

    async def _legs_at(self, url: str) -> tuple[set[str], str]:
        """And which process has them; none where the MCU cannot be reached in time."""
        until = self._means.clock.monotonic() + PATIENCE_S
        while True:
            try:
                reply = await self._mcus.at(url).renew(self._means.owner)
                return set(reply.legs), reply.boot
            except ConferoError as error:
                if self._means.clock.monotonic() >= until:
                    log.warning("an MCU with calls of ours is away", mcu=url, reason=str(error))
                    return set(), ""
                await asyncio.sleep(PAUSE_S)

    async def _end_orphans(self, url: str, legs: Iterable[str]) -> None:
        """Of calls that were not established yet. A leg made since then is in the book."""
        for leg in legs:
            if any(call.media.leg == leg for call in self._book):
                continue
            log.info("a leg without a call is ended", leg=leg)
            try:
                await self._mcus.at(url).delete_leg(leg, "owner-gone")
            except ConferoError as error:
                log.info("leg not ended", leg=leg, reason=str(error))
