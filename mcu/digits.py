"""Digits of legs: collected while somebody asks for them, and sent."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field

from confero import models
from confero.errors import ConferoError, Refused
from confero.runtime.logging import get_logger

from .ownerdigits import OwnerDigits
from .pipeline.engine import MediaEngine
from .rooms.participant import Participant

log = get_logger(__name__)

KEPT = 64
"""Digits of one leg; of more the oldest go, which their numbers show."""


@dataclass
class _Collection:
    in_band: bool
    digits: deque[models.Digit] = field(default_factory=lambda: deque(maxlen=KEPT))
    last: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)


class Digits:
    """One collection a leg, by the leg's id. Bounded by the legs there are."""

    def __init__(self, engine: MediaEngine) -> None:
        self._engine = engine
        self._collections: dict[str, _Collection] = {}
        self.owners = OwnerDigits()

    def begin(self, participant: Participant) -> None:
        """The leg has media now: its owner may want its digits, and tones where the peer sends no events. Never raises."""
        if participant.leg.number and _collects(participant) and not participant.leg.takes_events:
            self._listen(participant)

    def start(self, participant: Participant, wish: models.CollectRequest) -> None:
        """Afresh, if there is a collection already. Raises Refused ``no-media``, what the engine raises."""
        number = participant.leg.number
        if not number:
            raise Refused("This leg has no media yet.", status=409, code="no-media")
        self._engine.listen_for_digits(number, wish.in_band)
        self.forget(participant)
        self._collections[participant.leg.id] = _Collection(wish.in_band)

    def stop(self, participant: Participant) -> None:
        """Raises Refused ``not-collecting``, what the engine raises."""
        collection = self._of(participant)
        if collection.in_band and participant.leg.number:
            self._engine.listen_for_digits(participant.leg.number, False)
        self.forget(participant)

    def forget(self, participant: Participant) -> None:
        """The leg goes; who waits for its digits is told that there are none."""
        collection = self._collections.pop(participant.leg.id, None)
        if collection is not None:
            collection.news.set()

    def again(self, participant: Participant) -> None:
        """The engine has the leg under another number: it listens anew."""
        collection = self._collections.get(participant.leg.id)
        if collection is not None and collection.in_band:
            self._listen(participant)
        else:
            self.begin(participant)

    def _listen(self, participant: Participant) -> None:
        try:
            self._engine.listen_for_digits(participant.leg.number)
        except ConferoError as error:
            log.warning("digits are not listened for any more", leg=participant.leg.id, reason=str(error))

    def add(self, participant: Participant, digit: str, milliseconds: int, in_band: bool, at: float) -> None:
        """Somebody has pressed a key."""
        if _collects(participant):
            self.owners.add(participant.owner, participant.leg.id, digit, milliseconds, in_band, at)
        collection = self._collections.get(participant.leg.id)
        if collection is None:
            return
        collection.last += 1
        collection.digits.append(
            models.Digit(number=collection.last, digit=digit, ms=milliseconds, in_band=in_band, at=at)
        )
        collection.news.set()

    async def read(self, participant: Participant, after: int, wait_s: float) -> models.Digits:
        """The digits with a number above ``after``; waits for one if there is none. Raises Refused ``not-collecting``."""
        collection = self._of(participant)
        if collection.last <= after and wait_s:
            collection.news.clear()
            try:
                async with asyncio.timeout(wait_s):
                    await collection.news.wait()
            except TimeoutError:
                pass
        return models.Digits(digits=[digit for digit in collection.digits if digit.number > after])

    def _of(self, participant: Participant) -> _Collection:
        try:
            return self._collections[participant.leg.id]
        except KeyError:
            raise Refused("No digits are collected from this leg.", status=409, code="not-collecting") from None


def _collects(participant: Participant) -> bool:
    """Whether its owner wants to be told."""
    wish = participant.leg.wish
    return bool(participant.owner) and wish is not None and wish.collect
