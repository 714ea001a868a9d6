"""The menu of the telephone: a number, perhaps a PIN, and into the room.

A machine without I/O: keys, ends of prompts, answers of the application server and time go in; prompts, questions and the outcome
come out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

DIGITS = "0123456789"
Entry = Literal["number", "pin", "host"]
"""``host``: the PIN of hosts, where guests need none."""
Outcome = Literal["accepted", "ask-pin", "ask-host", "wrong", "wait", "unavailable", "full", "waiting", "refused"]
"""``SipPinReply.outcome``, and what keeps a caller out whose number and PIN were right. ``waiting``: in the room's lobby."""


@dataclass(frozen=True)
class MenuConfig:
    """Times in seconds."""

    next_key_s: float = 6.0
    """After a key; then what was keyed counts as complete, as if # had been pressed."""
    first_key_s: float = 10.0
    """After the prompt; then it is said again."""
    host_key_s: float = 5.0
    """After the prompt for the PIN of hosts; whoever keys nothing is a guest."""
    silences: int = 3
    """So often in a row nothing is keyed before the caller is said goodbye to."""
    overall_s: float = 180.0
    """From the beginning; a menu is no place to stay."""
    tries: int = 3
    """Of numbers and PINs that lead nowhere, beside what the application server counts."""
    knock_s: float = 2.0
    """In the lobby, between two questions whether the caller has been let in."""
    remind_s: float = 30.0
    """In the lobby, before it is said again that one has to wait."""
    waiting_s: float = 1800.0
    """In the lobby at most."""
    number_digits: int = 20
    pin_digits: int = 16


@dataclass(frozen=True, slots=True)
class Say:
    """These prompts, one after another, in place of any that is still heard; tell ``said`` when the last one has ended."""

    prompts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hush:
    """Stop what is being said: somebody knows what to do."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask the application server, and tell ``answered``."""

    number: str
    pin: str | None


@dataclass(frozen=True, slots=True)
class Knock:
    """Ask the application server whether the caller, who is in the room's lobby, has been let in, and tell ``answered``."""


@dataclass(frozen=True, slots=True)
class Done:
    """The caller may go to the room that the last answer named. If it does not get there: ``turned_away``."""


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Hang up: the caller has been told why."""

    reason: str


Action = Say | Hush | Ask | Knock | Done | GiveUp

ENTRY_PROMPT: dict[Entry, str] = {"number": "enter-room", "pin": "enter-pin", "host": "enter-host-pin"}


class Menu:
    """``begin`` it once, forget it when the caller is in a room; every method gives the actions to do, in order."""

    def __init__(
        self, number: str = "", config: MenuConfig | None = None, *, host: bool = False, waiting: bool = False
    ) -> None:
        """``number``: of the room, where only its PIN is to be asked; ``host``: that of hosts. ``waiting``: the caller is in a
        lobby from the first."""
        self._config = config or MenuConfig()
        self._number = self._fixed = number
        self._first: Entry = "number" if not number else "host" if host else "pin"
        self._entry = self._first
        self._keyed = ""
        self._failures = 0
        self._silences = 0
        self._asking = False
        """The application server has been asked and has not answered: keys are lost as in a lift that moves."""
        self._on_the_way = False
        """``Done`` was said: what is still to come is the room, or that it is not to be had."""
        self._waiting = waiting
        """In the room's lobby: there is nothing to be keyed."""
        self._remind_at = 0.0
        self._silent = False
        """In the lobby, and nothing is heard: the last prompt has ended."""
        self._parting = ""
        """Why the caller is being said goodbye to."""
        self._due: float | None = None
        self._end = 0.0
        self.over = False

    def begin(self, now: float) -> list[Action]:
        """The caller hears us."""
        if self._waiting:
            return self._wait(now, "welcome")
        self._end = now + self._config.overall_s
        return self._prompt("welcome")

    # -- what happens --

    def key(self, digit: str, now: float) -> list[Action]:
        """A key. Those that come while nothing can be done with them are lost."""
        if self.over or self._parting or self._asking or self._on_the_way or self._waiting:
            return []
        self._silences = 0
        if digit == "*":
            return [Hush(), *self._again()]
        if digit == "#":
            return [Hush(), *self._complete(now)]
        if digit not in DIGITS:
            return []
        hush: list[Action] = [] if self._keyed else [Hush()]
        self._keyed += digit
        self._due = now + self._config.next_key_s
        return hush + (self._complete(now) if len(self._keyed) >= self._longest else [])

    def said(self, now: float) -> list[Action]:
        """The last prompt has ended."""
        if self._parting:
            return self._leave()
        self._silent = True
        if not (self._asking or self._on_the_way or self._waiting or self._keyed):
            self._due = now + (self._config.host_key_s if self._entry == "host" else self._config.first_key_s)
        return []

    def answered(self, outcome: Outcome, now: float, tries_left: int = 1) -> list[Action]:
        """To ``Ask`` and ``Knock``. ``tries_left``: what the application server still grants this call."""
        if not self._asking or self.over or self._parting:
            return []
        self._asking = False
        if self._waiting and outcome in (
            "waiting",
            "unavailable",
        ):  # a server that is away for a moment is waited for too
            self._due = now + self._config.knock_s
            return []
        self._waiting = False
        match outcome:
            case "accepted":
                self._on_the_way = True
                return [Done()]
            case "ask-pin" | "ask-host":
                self._entry = "pin" if outcome == "ask-pin" else "host"
                return self._prompt()
            case "wrong":
                return self._wrong(tries_left)
            case "wait":
                return self._part("too-many-tries", "too-many-tries")
            case "waiting":
                return self._wait(now)
            case "refused":
                return self._part("not-admitted", "not-admitted", "goodbye")
            case "full" | "unavailable":
                self._on_the_way = True
                return self.turned_away(outcome)

    def turned_away(self, outcome: Outcome) -> list[Action]:
        """After ``Done``: the room was not to be had after all."""
        if not self._on_the_way or self.over:
            return []
        self._on_the_way = False
        if outcome == "full":
            return self._part("room-full", "room-full", "goodbye")
        return self._part("not-available", "not-available", "goodbye")

    def poll(self, now: float) -> list[Action]:
        """What is due."""
        if self.over:
            return []
        if now >= self._end:
            if self._parting:  # the end of the last prompt was never told
                return self._leave()
            self._end = now + self._config.first_key_s
            return self._part("menu-timeout", "goodbye")
        if self._due is None or now < self._due:
            return []
        self._due = None
        if self._waiting:
            return self._knock(now)
        return self._complete(now) if self._keyed else self._silence(now)

    def next_deadline(self) -> float | None:
        """When ``poll`` is to be called at the latest."""
        if self.over:
            return None
        return self._end if self._due is None else min(self._due, self._end)

    # -- inside --

    @property
    def _longest(self) -> int:
        return self._config.number_digits if self._entry == "number" else self._config.pin_digits

    def _prompt(self, *before: str) -> list[Action]:
        """Asks for what is to be keyed now."""
        self._keyed, self._due = "", None
        return [Say((*before, ENTRY_PROMPT[self._entry]))]

    def _again(self, *before: str) -> list[Action]:
        """From the beginning."""
        self._number, self._entry = self._fixed, self._first
        return self._prompt(*before)

    def _complete(self, now: float) -> list[Action]:
        """What was keyed counts."""
        keyed, self._keyed, self._due = self._keyed, "", None
        if not keyed and self._entry != "host":
            return self._prompt()
        self._asking = True
        if self._entry == "number":
            self._number = keyed
            return [Ask(keyed, None)]
        return [Ask(self._number, keyed)]

    def _wrong(self, tries_left: int) -> list[Action]:
        """A number that nobody has is told apart from a wrong PIN by nobody: both are asked for again."""
        self._failures += 1
        if tries_left <= 0 or self._failures >= self._config.tries:
            return self._part("too-many-tries", "too-many-tries")
        if self._entry == "host":  # of a number that lets in whoever keys it: there is nothing to be told apart
            return self._prompt("pin-wrong")
        return self._again("pin-wrong" if self._fixed else "entry-wrong")

    def _silence(self, now: float) -> list[Action]:
        if self._entry == "host":
            return self._complete(now)
        self._silences += 1
        if self._silences >= self._config.silences:
            return self._part("menu-timeout", "goodbye")
        return self._prompt()

    def _wait(self, now: float, *before: str) -> list[Action]:
        """The caller is in the lobby."""
        self._waiting, self._keyed, self._silent = True, "", False
        self._end = now + self._config.waiting_s
        self._due, self._remind_at = now + self._config.knock_s, now + self._config.remind_s
        return [Say((*before, "waiting"))]

    def _knock(self, now: float) -> list[Action]:
        """Silence would be taken for a line that is dead. Music begins with a question: never faster than they are asked."""
        self._asking = True
        if now < self._remind_at:
            return [*self._music(), Knock()]
        self._remind_at, self._silent = now + self._config.remind_s, False
        return [Say(("waiting",)), Knock()]

    def _music(self) -> list[Action]:
        silent, self._silent = self._silent, False
        return [Say(("hold-music",))] if silent else []

    def _part(self, reason: str, *prompts: str) -> list[Action]:
        self._parting, self._keyed, self._due = reason, "", None
        return [Say(prompts)]

    def _leave(self) -> list[Action]:
        self.over = True
        return [GiveUp(self._parting)]
