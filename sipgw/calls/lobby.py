"""A caller in the menu: its machine, the prompts that it hears, the clock, and the way out into a room or back onto the street."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Protocol

from confero.clock import Clock
from confero.errors import ConferoError
from confero.models.sip import SipPinReply, SipPlace
from confero.runtime.logging import get_logger

from ..menu import Action, Ask, Done, GiveUp, Hush, Knock, Menu, Outcome, Say
from .media import MediaLeg
from .voice import Voice

log = get_logger(__name__)

GONE = 404
"""Status of whoever has no place in the lobby any more."""


class Owner(Protocol):
    """The call, as far as its menu concerns it; see ``keypad``."""

    def later(self, step: Callable[[], Awaitable[None]]) -> None: ...
    async def ask_pin(self, number: str, pin: str | None) -> SipPinReply: ...
    async def place_again(self, place: SipPlace) -> SipPlace: ...
    async def give_up(self, place: SipPlace) -> None: ...
    async def go_to(self, place: SipPlace) -> None: ...
    def hang_up(self, reason: str) -> None: ...


class Lobby:
    """``begin``, then ``left`` when the call is in a room, or ``close``."""

    def __init__(
        self,
        owner: Owner,
        media: MediaLeg,
        voice: Voice,
        clock: Clock,
        number: str,
        place: SipPlace | None = None,
        *,
        host: bool = False,
    ) -> None:
        """``place``: in a room's lobby, where the caller is from the first. ``host``: only hosts have a PIN."""
        self.number, self.host = number, host
        self._owner = owner
        self._media = media
        self._voice = voice
        self._clock = clock
        self._menu = Menu(number, host=host, waiting=place is not None)
        self._place = place
        self._room: tuple[str, str] | None = None
        """The private one and its MCU."""
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    async def begin(self) -> None:
        """The caller hears us."""
        self._room = self._media.place.room, self._media.mcu_url
        try:
            await self._media.listen()
        except ConferoError as error:
            log.warning("no keys are heard by their sound", reason=str(error))
        self._perform(self._menu.begin(self._clock.monotonic()))

    def key(self, digit: str) -> None:
        self._perform(self._menu.key(digit, self._clock.monotonic()))

    def stranded(self) -> None:
        """The way into the room is not to be had."""
        self._perform(self._menu.turned_away("unavailable"))

    # -- what the menu wants --

    def _perform(self, actions: Sequence[Action]) -> None:
        for action in actions:
            match action:
                case Say(prompts):
                    self._voice.say(prompts, self._said)
                case Hush():
                    self._voice.hush()
                case Ask(number, pin):
                    self._owner.later(partial(self._ask, number, pin))
                case Knock():
                    self._owner.later(self._knock)
                case Done():
                    self._owner.later(self._enter)
                case GiveUp(reason):
                    self._owner.hang_up(reason)
        self._keep_time()

    async def _ask(self, number: str, pin: str | None) -> None:
        try:
            reply = await self._owner.ask_pin(number, pin)
        except ConferoError as error:
            self._perform(self._menu.answered(_outcome_of(error), self._clock.monotonic()))
            return
        self._place = reply.place
        outcome: Outcome = "waiting" if reply.place is not None and reply.place.waiting else reply.outcome
        self._perform(self._menu.answered(outcome, self._clock.monotonic(), reply.tries_left))

    async def _knock(self) -> None:
        """Whether the caller has been let in; asking keeps its place in the lobby."""
        assert self._place is not None, "waiting, so there is a place"
        try:
            self._place = await self._owner.place_again(self._place)
            outcome: Outcome = "waiting" if self._place.waiting else "accepted"
        except ConferoError as error:
            outcome = "refused" if getattr(error, "status", 0) == GONE else _outcome_of(error)
        self._perform(self._menu.answered(outcome, self._clock.monotonic()))

    async def _enter(self) -> None:
        assert self._place is not None, "accepted, so there is a place"
        try:
            await self._owner.go_to(self._place)
        except ConferoError as error:
            log.info("a caller does not get into the room", room=self._place.room, reason=str(error))
            self._perform(self._menu.turned_away(_outcome_of(error)))

    def _said(self) -> None:
        self._perform(self._menu.said(self._clock.monotonic()))

    def _keep_time(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self._menu.next_deadline()
        if due is not None and not self._closed:
            delay = max(0.0, due - self._clock.monotonic())
            self._timer = asyncio.get_running_loop().call_later(delay, self._poll)

    def _poll(self) -> None:
        self._timer = None
        self._perform(self._menu.poll(self._clock.monotonic()))

    # -- the end --

    def left(self) -> None:
        """The caller is in a room now."""
        self._closed = True
        self._keep_time()
        if self._room is not None:
            room, self._room = self._room, None
            self._owner.later(lambda: self._media.drop_room(*room))

    async def close(self) -> None:
        """The call is over. Idempotent."""
        self._closed = True
        self._keep_time()
        if self._room is not None:
            room, self._room = self._room, None
            await self._media.drop_room(*room)
        if self._place is not None and self._place.waiting:
            place, self._place = self._place, None
            await self._give_up(place)

    async def _give_up(self, place: SipPlace) -> None:
        """Else hosts would see somebody wait, and let nobody in, until the place has run out."""
        try:
            await self._owner.give_up(place)
        except ConferoError as error:
            log.info("a place in a lobby is not given up, it will run out", room=place.room, reason=str(error))


def _outcome_of(error: ConferoError) -> Outcome:
    return "full" if getattr(error, "code", "") == "room-full" else "unavailable"
