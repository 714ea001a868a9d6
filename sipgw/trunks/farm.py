"""All trunks: made, changed and ended as the directory has them, and found by name or by address."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Protocol

from confero.errors import ConferoError
from confero.models.sip import SipGatewayTrunk
from confero.models.siptrunks import SipServerState, SipTrunkState
from confero.runtime.logging import get_logger
from confero.runtime.tasks import TaskBag

from .trunk import Surroundings, Trunk

log = get_logger(__name__)


class Known(Protocol):
    """The trunks there are to be."""

    @property
    def trunks(self) -> Mapping[str, SipGatewayTrunk]: ...


class Trunks:
    """``settle`` whenever the directory has changed; ``close`` at the end."""

    def __init__(self, known: Known, around: Surroundings) -> None:
        self._known = known
        self._around = around
        self._trunks: dict[str, Trunk] = {}
        self._ending: set[str] = set()
        self._changing = TaskBag()
        self._closed = False

    def get(self, name: str) -> Trunk | None:
        return self._trunks.get(name)

    def trunk_of(self, address: str) -> str | None:
        """The trunk whose calls come from this address; of several the first by name."""
        return next((name for name, trunk in sorted(self._trunks.items()) if trunk.sends_from(address)), None)

    def trusts(self, address: str) -> bool:
        """Whether an address is a trunk's."""
        return any(trunk.sends_from(address) for trunk in self._trunks.values())

    def settle(self) -> None:
        """Starts what is new, ends what is gone, does both with what has changed; leaves all others alone."""
        if self._closed:
            return
        wanted = self._known.trunks
        for name in [name for name, trunk in self._trunks.items() if wanted.get(name) != trunk.settings]:
            self._ending.add(name)
            self._changing.spawn(self._end(self._trunks.pop(name)), name=f"trunk {name} ends")
        for name in wanted.keys() - self._trunks.keys() - self._ending:
            self._begin(wanted[name])

    async def _end(self, trunk: Trunk) -> None:
        """First the old binding is taken away, then the new one is made: they may have the same Contact."""
        try:
            await trunk.close()
        finally:
            self._ending.discard(trunk.name)
            self.settle()

    def _begin(self, settings: SipGatewayTrunk) -> None:
        try:
            trunk = Trunk(settings, self._around)
        except (ConferoError, ValueError) as error:
            log.error("a trunk cannot be used", trunk=settings.name, reason=str(error))
            return
        self._trunks[settings.name] = trunk
        trunk.start()

    async def close(self) -> None:
        """Unregisters everywhere. Idempotent."""
        self._closed = True
        trunks, self._trunks = list(self._trunks.values()), {}
        await asyncio.gather(*(trunk.close() for trunk in trunks))
        await self._changing.close()

    # -- what is said of them --

    def states(self) -> list[SipTrunkState]:
        now = self._around.clock.monotonic()
        return [_state(trunk, now) for _, trunk in sorted(self._trunks.items())]

    def count(self) -> tuple[int, int]:
        """Trunks, and those that are available."""
        return len(self._trunks), sum(trunk.available for trunk in self._trunks.values())


def _state(trunk: Trunk, now: float) -> SipTrunkState:
    registration = trunk.registration
    return SipTrunkState(
        name=trunk.name,
        available=trunk.available,
        registration=registration.state if registration else "none",
        status=registration.status if registration else 0,
        reason=registration.reason if registration else "",
        registered_s=max(0.0, round(registration.registered_until - now, 1)) if registration else 0.0,
        servers=[
            SipServerState(
                uri=server.uri,
                priority=server.priority,
                state=server.state,
                reason=server.reason,
                since=server.since,
                answer_ms=None if server.answer_s is None else round(server.answer_s * 1000, 1),
            )
            for server in trunk.ordered()
        ],
    )
