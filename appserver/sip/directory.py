"""Rules, trunks and numbers in memory, since every call asks for them: at most a second behind what another server has changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from confero.clock import Clock

from .entities import Number, Rule, Trunk
from .store import SipStore

LOOK_S = 1.0
"""How long a snapshot is used before its version is compared again."""


@dataclass(frozen=True)
class Snapshot:
    """What is enabled, as of one version."""

    version: int
    rules: Sequence[Rule] = ()
    trunks: Mapping[str, Trunk] = field(default_factory=dict)
    numbers: Mapping[str, Number] = field(default_factory=dict)
    of_rooms: Mapping[str, Number] = field(default_factory=dict)
    """The same, by their rooms."""


class Directory:
    """Reads again when there is something new."""

    def __init__(self, store: SipStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._held: Snapshot | None = None
        self._changes = -1
        self._looked_at = 0.0

    async def read(self) -> Snapshot:
        """What holds now. Our own changes show at once. Raises Unavailable."""
        held, now = self._held, self._clock.monotonic()
        if held is None or self._changes != self._store.changes:
            return await self._load()
        if now - self._looked_at >= LOOK_S:
            self._looked_at = now  # before the question, so that one of many calls asks it
            if await self._store.version() != held.version:
                return await self._load()
        return held

    async def _load(self) -> Snapshot:
        """Count and version first: what changes meanwhile is found by the next call."""
        changes, version = self._store.changes, await self._store.version()
        rules = await self._store.enabled(Rule)
        trunks = {trunk.name: trunk for trunk in await self._store.enabled(Trunk)}
        numbers = await self._store.enabled(Number)
        by_number, by_room = ({getattr(one, name): one for one in numbers} for name in ("number", "room"))
        self._held, self._changes = Snapshot(version, rules, trunks, by_number, by_room), changes
        self._looked_at = self._clock.monotonic()
        return self._held
