"""A call that rings in browsers: who is asked, what they say, who has it. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from confero.errors import Refused
from confero.models.calls import RingAction
from confero.models.sip import SipBrowser

from ..userdata import Fields

Outcome = Literal["accepted", "cancelled", "no-answer", "declined"]
NO_ANSWER = 480
"""Temporarily Unavailable (RFC 3261 section 21.4.18)."""
BUSY = 486
DECLINE = 603


class Ring:
    """For one call. The first to accept has it."""

    def __init__(self, browsers: Sequence[SipBrowser]) -> None:
        self.browsers = tuple(browsers)
        self.taken_by: SipBrowser | None = None
        self.over: Outcome | None = None
        self.words: Fields = ()
        """For the caller, of whoever has said something last: who has taken it says nothing less than the last word."""
        self._said: dict[str, RingAction] = {}

    def says(self, participant: str, action: RingAction, words: Fields = ()) -> None:
        """Raises Refused: 404 ``call-unknown`` for somebody who was not asked, 409 ``call-over`` when it rings no more."""
        browser = next((one for one in self.browsers if one.participant == participant), None)
        if browser is None:
            raise Refused("There is no such call.", status=404, code="call-unknown")
        if self.over is not None and not (self.taken_by is browser and action == "accept"):
            raise Refused("The call rings no more.", status=409, code="call-over")
        self._said[participant], self.words = action, words or self.words
        if action == "accept":
            self.taken_by, self.over = browser, "accepted"
        elif len(self._said) == len(self.browsers):
            self.over = "declined"

    def end(self, outcome: Outcome) -> None:
        """It rings no more, whatever they say; unless somebody has it already."""
        self.over = self.over or outcome

    @property
    def asked(self) -> list[SipBrowser]:
        """Who has said nothing yet."""
        return [one for one in self.browsers if one.participant not in self._said]

    @property
    def status(self) -> int:
        """What the caller is answered if nobody has taken it: a decline counts more than being busy (it is for all: 6xx)."""
        if self.over != "declined":
            return NO_ANSWER
        return DECLINE if "decline" in self._said.values() else BUSY
