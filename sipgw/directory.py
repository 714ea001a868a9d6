"""Trunks and accounts as the application server has them: followed, held while it is away, kept over a start without it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Protocol

from pydantic import ValidationError

from confero.errors import ConferoError
from confero.models.sip import SipConfigReply, SipGatewayAccount, SipGatewayTrunk
from confero.runtime.logging import get_logger

from .sealed import SealedFile

log = get_logger(__name__)

WAIT_S = 25.0
"""How long a question may wait for something new."""
RETRY_S = (0.5, 10.0)
"""After the first failure, and at most."""


class Source(Protocol):
    """Who knows: the application server. Raises ConferoError."""

    async def config(self, version: int, wait_s: float) -> SipConfigReply: ...


class Directory:
    """What is enabled. ``changed`` is called after each change, in the event loop."""

    def __init__(self, source: Source, kept: SealedFile, jitter: Callable[[], float] = random.random) -> None:
        self.trunks: dict[str, SipGatewayTrunk] = {}
        self.accounts: dict[tuple[str, str], SipGatewayAccount] = {}
        """By user and realm."""
        self.version = -1
        """-1: nothing is known yet."""
        self.changed: list[Callable[[], None]] = []
        self._source = source
        self._kept = kept
        self._jitter = jitter
        self._reached = True

    def account(self, user: str, realm: str) -> SipGatewayAccount | None:
        return self.accounts.get((user, realm))

    def recall(self) -> None:
        """What was known when the gateway last ran; nothing if that is not there or cannot be read."""
        try:
            data = self._kept.read()
            if data is not None:
                self._take(SipConfigReply.model_validate_json(data))
        except (ConferoError, ValidationError) as error:
            log.warning("what was kept of trunks and accounts is of no use", reason=str(error))
        # Another application server, or another database, may count otherwise: asked as one who knows nothing.
        self.version = -1

    async def follow(self) -> None:
        """Run it as a task."""
        wait = RETRY_S[0]
        while True:
            try:
                await self.ask()
                wait = RETRY_S[0]
            except ConferoError as error:
                if self._reached:
                    log.warning(
                        "the application server is not reached: trunks and accounts stay as known", reason=str(error)
                    )
                self._reached = False
                await asyncio.sleep(wait * (0.5 + self._jitter() / 2))
                wait = min(wait * 2, RETRY_S[1])

    async def ask(self) -> None:
        """Once: takes what is new, or returns after ``WAIT_S`` without. Raises ConferoError."""
        reply = await self._source.config(self.version, WAIT_S if self.version >= 0 else 0.0)
        self._reached = True
        if not reply.changed:
            return
        self._take(reply)
        log.info("trunks and accounts", version=reply.version, trunks=len(self.trunks), accounts=len(self.accounts))
        try:
            self._kept.write(reply.model_dump_json().encode())
        except ConferoError as error:
            log.warning("trunks and accounts are not kept", reason=str(error))

    def _take(self, reply: SipConfigReply) -> None:
        self.version = reply.version
        self.trunks = {trunk.name: trunk for trunk in reply.trunks}
        self.accounts = {(account.user, account.realm): account for account in reply.accounts}
        for told in self.changed:
            told()
