"""The farm: which MCUs live, how loaded they are, and which one takes the next room. No I/O."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from confero.clock import Clock
from confero.errors import Refused
from confero.models import McuHeartbeat, McuRegister
from confero.models.turn import MediaPlace
from confero.runtime.logging import get_logger

from .entities import KnownMcu

log = get_logger(__name__)

MAX_MCUS = 1000
PLACED_UNITS = 2
"""What a room is taken to need before its MCU tells: two people."""
MAX_GONE = 100
GONE_S = 3600.0
"""So long a lost MCU is still shown, as lost; not more than ``MAX_GONE``."""
RECALL_S = 6.0
"""After a restart of ours MCUs get so much longer: they wait a while before they try us again."""


@dataclass
class Mcu:
    """One MCU as its registration and heartbeats tell."""

    id: str
    boot: str
    url: str
    capacity: int
    """Units: an Opus leg costs 1."""
    seen_at: float
    """Monotonic time."""
    load: float = 0.0
    """Units in use."""
    rooms: int = 0
    legs: int = 0
    version: str = ""
    draining: bool = False
    """By its own word: it is being shut down."""
    placed: int = 0
    """Rooms placed since the last heartbeat: their load does not show yet."""
    registered: bool = True
    """False: only remembered from before a restart of this process; it is to register again."""
    media: list[MediaPlace] = field(default_factory=list)
    """Where it takes media."""

    @property
    def fill(self) -> float:
        """Share of the capacity in use; a room placed just now is counted as ``PLACED_UNITS``."""
        return (self.load + PLACED_UNITS * self.placed) / self.capacity

    @property
    def has_room(self) -> bool:
        """Whether one more leg fits, beside what was placed just now."""
        return self.load + PLACED_UNITS * self.placed + 1 <= self.capacity


class Farm:
    """The MCUs that live. One that is silent for ``silence_s`` is lost."""

    def __init__(self, clock: Clock, silence_s: float) -> None:
        self._clock = clock
        self._silence_s = silence_s
        self._mcus: dict[str, Mcu] = {}
        self._gone: dict[str, Mcu] = {}
        self._drained: set[str] = set()
        """To be drained by an administrator's wish, whether they are here or not."""
        self.version = 0
        """Grows whenever ``media`` has become another."""
        self.changed: list[Callable[[], None]] = []
        """Called then."""

    def __len__(self) -> int:
        return sum(self._lives(mcu) for mcu in self._mcus.values())

    def recall(self, known: KnownMcu) -> None:
        """Presume that an MCU lives which did before this process was restarted; its first heartbeat is answered 404."""
        self._mcus[known.id] = Mcu(
            known.id,
            known.boot,
            known.url,
            known.capacity,
            seen_at=self._clock.monotonic() + RECALL_S,
            registered=False,
        )

    def register(self, body: McuRegister) -> bool:
        """An MCU is there, and any other that was reached under its URL is not. Raises Refused 503 when the table is full.

        True if it is news; False for the same process once more, whose load and draining stay as its heartbeats told.
        """
        if body.id not in self._mcus and len(self._mcus) >= MAX_MCUS:
            raise Refused("there are too many media servers", status=503, code="too-many-mcus")
        for other in self._mcus.values():
            if other.url == body.url and other.id != body.id:
                other.seen_at = -math.inf  # ``lost`` returns it, however short its silence
        now = self._clock.monotonic()
        known = self._mcus.get(body.id)
        shown = known.media if known is not None and self._lives(known) else []
        news = known is None or known.boot != body.boot or not known.registered
        if known is None or news:
            self._mcus[body.id] = known = Mcu(body.id, body.boot, body.url, body.capacity, seen_at=now)
        known.url, known.capacity, known.seen_at, known.media = body.url, body.capacity, now, body.media
        known.version = body.version
        self._gone.pop(body.id, None)
        if shown != body.media:
            self._tell()
        return news

    def heartbeat(self, mcu_id: str, body: McuHeartbeat) -> bool:
        """Note its load; False if it is to register (again)."""
        mcu = self._mcus.get(mcu_id)
        if mcu is None or mcu.boot != body.boot or not mcu.registered or not self._lives(mcu):
            return False
        emptied = self.is_draining(mcu) and mcu.legs > 0 and body.legs == 0
        mcu.load, mcu.draining, mcu.placed = body.load, body.draining, 0
        mcu.rooms, mcu.legs = body.rooms, body.legs
        if emptied:
            log.info("mcu drained: nobody is there any more", mcu=mcu.id)
        mcu.seen_at = self._clock.monotonic()
        return True

    def alive(self, mcu_id: str | None) -> Mcu | None:
        """The MCU if it lives. A draining one does: its rooms stay to their end."""
        mcu = self._mcus.get(mcu_id) if mcu_id is not None else None
        return mcu if mcu is not None and self._lives(mcu) else None

    def drain(self, mcu_id: str, *, draining: bool) -> None:
        """No new room goes to the MCU any more, or rooms go there again; holds until it is said otherwise."""
        (self._drained.add if draining else self._drained.discard)(mcu_id)

    def knows(self, mcu_id: str) -> bool:
        """Whether it is here, or was lost not long ago."""
        return mcu_id in self._mcus or mcu_id in self._gone

    def is_draining(self, mcu: Mcu) -> bool:
        """Whether it takes no new rooms, by an administrator's wish or because it is being shut down."""
        return mcu.draining or mcu.id in self._drained

    def shown(self) -> list[tuple[Mcu, bool, float]]:
        """All that are known, lost ones too: each with whether it lives, and seconds since it was heard of. By their ids."""
        now = self._clock.monotonic()
        recently = [mcu for mcu in self._gone.values() if now - mcu.seen_at < GONE_S]
        known = [*self._mcus.values(), *recently]
        return [(mcu, self._lives(mcu), max(0.0, now - mcu.seen_at)) for mcu in sorted(known, key=lambda one: one.id)]

    def choose(self) -> Mcu:
        """The least filled MCU for a new room, of several such the one with the fewest rooms.

        Raises Refused 503 ``no-media-server`` if none can take one.
        """
        able = [m for m in self._mcus.values() if self._lives(m) and not self.is_draining(m) and m.has_room]
        if not able:
            raise Refused(
                "No media server is available at the moment; try again shortly.", status=503, code="no-media-server"
            )
        mcu = min(able, key=lambda m: (m.fill, m.rooms + m.placed, m.id))
        mcu.placed += 1
        return mcu

    def media(self) -> list[MediaPlace]:
        """Where the living take media, each place once."""
        return list(dict.fromkeys(place for mcu in self._mcus.values() if self._lives(mcu) for place in mcu.media))

    def lost(self) -> list[Mcu]:
        """Forget the MCUs that have gone silent, and return them."""
        gone = [mcu for mcu in self._mcus.values() if not self._lives(mcu)]
        for mcu in gone:
            del self._mcus[mcu.id]
            self._remember(mcu)
        if any(mcu.media for mcu in gone):
            self._tell()
        return gone

    def _remember(self, mcu: Mcu) -> None:
        """As lost, for a while."""
        if not math.isfinite(mcu.seen_at):
            return  # another one is there in its place
        self._gone[mcu.id] = mcu
        if len(self._gone) > MAX_GONE:
            del self._gone[next(iter(self._gone))]

    def _tell(self) -> None:
        self.version += 1
        for told in self.changed:
            told()

    def _lives(self, mcu: Mcu) -> bool:
        return self._clock.monotonic() - mcu.seen_at < self._silence_s
