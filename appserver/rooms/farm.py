"""The farm: which MCUs live, how loaded they are, and which one takes the next room. No I/O."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from confero.clock import Clock
from confero.errors import Refused
from confero.models import McuHeartbeat, McuRegister
from confero.models.turn import MediaPlace

from .entities import KnownMcu

MAX_MCUS = 1000


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
    load: int = 0
    draining: bool = False
    placed: int = 0
    """Rooms placed since the last heartbeat: their load does not show yet."""
    registered: bool = True
    """False: only remembered from before a restart of this process; it is to register again."""
    media: list[MediaPlace] = field(default_factory=list)
    """Where it takes media."""

    @property
    def fill(self) -> float:
        """Share of the capacity in use; a room placed just now is counted as two people."""
        return (self.load + 2 * self.placed) / self.capacity


class Farm:
    """The MCUs that live. One that is silent for ``silence_s`` is lost."""

    def __init__(self, clock: Clock, silence_s: float) -> None:
        self._clock = clock
        self._silence_s = silence_s
        self._mcus: dict[str, Mcu] = {}
        self.version = 0
        """Grows whenever ``media`` has become another."""
        self.changed: list[Callable[[], None]] = []
        """Called then."""

    def __len__(self) -> int:
        return sum(self._lives(mcu) for mcu in self._mcus.values())

    def recall(self, known: KnownMcu) -> None:
        """Presume that an MCU lives which did before this process was restarted; its first heartbeat is answered 404."""
        self._mcus[known.id] = Mcu(
            known.id, known.boot, known.url, known.capacity, seen_at=self._clock.monotonic(), registered=False
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
            self._mcus[body.id] = Mcu(body.id, body.boot, body.url, body.capacity, seen_at=now, media=body.media)
        else:
            known.url, known.capacity, known.seen_at, known.media = body.url, body.capacity, now, body.media
        if shown != body.media:
            self._tell()
        return news

    def heartbeat(self, mcu_id: str, body: McuHeartbeat) -> bool:
        """Note its load; False if it is to register (again)."""
        mcu = self._mcus.get(mcu_id)
        if mcu is None or mcu.boot != body.boot or not mcu.registered or not self._lives(mcu):
            return False
        mcu.load, mcu.draining, mcu.placed = body.load, body.draining, 0
        mcu.seen_at = self._clock.monotonic()
        return True

    def alive(self, mcu_id: str | None) -> Mcu | None:
        """The MCU if it lives. A draining one does: its rooms stay to their end."""
        mcu = self._mcus.get(mcu_id) if mcu_id is not None else None
        return mcu if mcu is not None and self._lives(mcu) else None

    def choose(self) -> Mcu:
        """The least filled MCU for a new room. Raises Refused 503 ``no-media-server`` if none can take one."""
        able = [m for m in self._mcus.values() if self._lives(m) and not m.draining and m.load < m.capacity]
        if not able:
            raise Refused(
                "No media server is available at the moment; try again shortly.", status=503, code="no-media-server"
            )
        mcu = min(able, key=lambda m: (m.fill, m.id))
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
        if any(mcu.media for mcu in gone):
            self._tell()
        return gone

    def _tell(self) -> None:
        self.version += 1
        for told in self.changed:
            told()

    def _lives(self, mcu: Mcu) -> bool:
        return self._clock.monotonic() - mcu.seen_at < self._silence_s
