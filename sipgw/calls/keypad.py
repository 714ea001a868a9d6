"""One caller's keys, and what they are told for them: feature keys in a room, and the menu before one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from confero.clock import Clock
from confero.errors import ConferoError
from confero.models import LegPatch
from confero.models.sip import SipPinReply, SipPlace
from confero.runtime.logging import get_logger

from ..features import Feature, Features
from ..keys import Once, Way
from .lobby import Lobby
from .media import MediaLeg
from .voice import Voice

log = get_logger(__name__)

STEP_DB = 4.0
"""One press: heard as a step, and four or five of them are all that is wanted."""
SOFTEST_DB, LOUDEST_DB = -16.0, 12.0


class Owner(Protocol):
    """The call, as far as keys concern it."""

    def later(self, step: Callable[[], Awaitable[None]]) -> None:
        """Has the call's task take this step when it is its turn."""
        ...

    async def ask_pin(self, number: str, pin: str | None) -> SipPinReply:
        """Raises Refused, Unavailable."""
        ...

    async def place_again(self, place: SipPlace) -> SipPlace:
        """Raises Refused, Unavailable."""
        ...

    async def give_up(self, place: SipPlace) -> None:
        """Raises Refused, Unavailable."""
        ...

    async def go_to(self, place: SipPlace) -> None:
        """Raises Refused, Unavailable."""
        ...

    async def hand(self) -> bool:
        """Up if it was down, down if it was up; whether it is up now. Raises Refused, Unavailable."""
        ...

    def hang_up(self, reason: str) -> None: ...


class Keypad:
    """``begin`` it when the caller hears us; ``close`` it with the call."""

    def __init__(self, owner: Owner, media: MediaLeg, clock: Clock) -> None:
        self.voice = Voice(media)
        self._owner = owner
        self._media = media
        self._clock = clock
        self._once = Once()
        self._features = Features()
        self._lobby: Lobby | None = None
        self._begun = False
        self._hear_db = 0.0

    @property
    def menu_number(self) -> str | None:
        """Of the menu that the caller is in; None: it is in none."""
        return None if self._lobby is None else self._lobby.number

    @property
    def menu_host(self) -> bool:
        """Whether that asks for the PIN of hosts alone."""
        return self._lobby is not None and self._lobby.host

    def greeted(self) -> None:
        """The caller is told nothing at first: it was here before a restart, or meets somebody."""
        self._begun = True

    def menu(self, number: str, *, host: bool = False) -> None:
        """The call comes into a menu; ``number``: of the room, where only its PIN is asked, with ``host`` that of hosts."""
        self._lobby = Lobby(self._owner, self._media, self.voice, self._clock, number, host=host)

    def wait(self, place: SipPlace) -> None:
        """The call comes into a room's lobby."""
        self._lobby = Lobby(self._owner, self._media, self.voice, self._clock, "", place)

    async def begin(self) -> None:
        """The caller hears us, for the first time. Never raises."""
        if self._begun:
            return
        self._begun = True
        if self._lobby is not None:
            await self._lobby.begin()
        elif words := self._around():
            self.voice.say(words)

    def key(self, way: Way, digit: str) -> None:
        """The caller has pressed a key."""
        now = self._clock.monotonic()
        if not self._once.counts(way, digit, now):
            return
        if self._lobby is not None:
            self._lobby.key(digit)
        elif (feature := self._features.key(digit, now)) is not None:
            self._owner.later(lambda: self._do(feature))

    def arrived(self) -> None:
        """The call is in the room that the menu has led to."""
        lobby, self._lobby = self._lobby, None
        if lobby is not None:
            lobby.left()
            self.voice.say(["joined", *self._around()])

    def _around(self) -> list[str]:
        """What whoever comes into a room is to know of it."""
        known = {"held": self._media.held, "alone": self._media.alone}
        return [prompt for prompt, holds in known.items() if holds]

    def changed(self, *, muted: bool, held: bool) -> None:
        """A host, or the room's rules, have it so now: nobody else tells the caller."""
        before = self._media.muted, self._media.held
        self._media.muted, self._media.held = muted, held
        if self._lobby is not None or before == (muted, held):
            return
        if held != before[1]:
            self.voice.say(["held"] if held else ["may-speak", "muted"] if muted else ["may-speak"])
        else:
            self.voice.say(["muted-by-host"] if muted else ["unmuted"])

    def stranded(self) -> None:
        """It cannot get there: whoever waits for it there is not to wait in vain."""
        if self._lobby is not None:
            self._lobby.stranded()
        else:
            self._owner.hang_up("it does not take its place in the other room")

    async def _do(self, feature: Feature) -> None:
        """What cannot be done now is said to the caller too: silence would be taken for success."""
        try:
            self.voice.say(await self._done(feature))
        except ConferoError as error:
            log.info("a feature key did nothing", feature=feature, reason=str(error))
            self.voice.say(["not-available"])

    async def _done(self, feature: Feature) -> list[str]:
        """Does it; the prompts that say so."""
        match feature:
            case "mute":
                shown = await self._media.show()
                if shown.held:  # a host has to let first: neither of the two words would be true
                    return ["held"]
                changed = await self._media.patch(LegPatch(muted=not shown.muted))
                return ["muted" if changed.muted else "unmuted"]
            case "hand":
                return ["hand-raised" if await self._owner.hand() else "hand-lowered"]
            case "softer":
                return [await self._hear(-STEP_DB, "softer", "softest")]
            case "louder":
                return [await self._hear(STEP_DB, "louder", "loudest")]
            case "help":
                return ["help"]
            case _:
                return ["not-a-key"]

    async def _hear(self, step_db: float, done: str, bound: str) -> str:
        """How loud this caller hears the room."""
        wanted = self._hear_db + step_db
        if not SOFTEST_DB <= wanted <= LOUDEST_DB:
            return bound
        await self._media.patch(LegPatch(hear_db=wanted))
        self._hear_db = wanted
        return done

    async def close(self) -> None:
        """Idempotent."""
        if self._lobby is not None:
            await self._lobby.close()
        await self.voice.close()
