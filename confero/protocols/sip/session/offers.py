"""Who owes an offer or an answer: the state of RFC 3264 section 4 for one dialog, with the way back (RFC 6141)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from confero.errors import LocalError

Owing = Literal["nobody", "peer", "us"]
Carrier = Literal["INVITE", "re-INVITE", "UPDATE", "PRACK", "1xx", "2xx", "re-2xx", "ACK"]
"""Which message brought the open offer, which decides where its answer goes (RFC 6337 table 1)."""


@dataclass(frozen=True)
class Agreed:
    """Both descriptions that hold."""

    local: str
    remote: str
    offerer: Literal["us", "peer"]


class Offers:
    """Never more than one offer is open. Descriptions are opaque here."""

    def __init__(self) -> None:
        self.owing: Owing = "nobody"
        """Who is to answer."""
        self.carrier: Carrier = "INVITE"
        self.agreed: Agreed | None = None
        self._open = ""
        self._before: Agreed | None = None

    def __repr__(self) -> str:
        return f"<Offers: {self.owing} owes an answer, {'agreed' if self.agreed else 'nothing agreed'}>"

    @property
    def open(self) -> bool:
        return self.owing != "nobody"

    @property
    def offered(self) -> str:
        """The open offer, or the last one."""
        return self._open

    def we_offer(self, sdp: str, carrier: Carrier) -> None:
        """Raises LocalError when an offer is open."""
        self._begin("peer", sdp, carrier)

    def they_offer(self, sdp: str, carrier: Carrier) -> None:
        """Raises LocalError when an offer is open: ask ``refusal`` before."""
        self._begin("us", sdp, carrier)

    def _begin(self, owing: Owing, sdp: str, carrier: Carrier) -> None:
        if self.open:
            raise LocalError("an offer is open, and there is never more than one (RFC 3264 section 4)")
        self.owing, self._open, self.carrier = owing, sdp, carrier

    def they_answer(self, sdp: str) -> None:
        """Raises LocalError when no offer of ours is open."""
        self._settle("peer", Agreed(self._open, sdp, "us"))

    def we_answer(self, sdp: str) -> None:
        """Raises LocalError when no offer of theirs is open."""
        self._settle("us", Agreed(sdp, self._open, "peer"))

    def _settle(self, owing: Owing, agreed: Agreed) -> None:
        if self.owing != owing:
            raise LocalError("there is no offer that this could be an answer to")
        self.agreed, self.owing = agreed, "nobody"

    @property
    def untouched(self) -> bool:
        """Whether nothing has been agreed since the INVITE began."""
        return self.agreed is self._before

    def mark(self) -> None:
        """A re-INVITE begins: what holds now holds again if it fails."""
        self._before = self.agreed

    def withdraw(self) -> None:
        """The open offer is gone."""
        self.owing = "nobody"

    def roll_back(self) -> bool:
        """The re-INVITE has failed (RFC 6141 section 3.1). True when an answer that had been given does not hold any more."""
        self.withdraw()
        changed, self.agreed = self.agreed != self._before, self._before
        return changed

    def refusal(self) -> int | None:
        """With what a new offer of the peer is refused: 491 if ours is open, or still to come (there has been none yet), 500 if it
        has not had our answer to its last one (RFC 3261 section 14.2, RFC 3311 section 5.2)."""
        if self.agreed is None and not self.open:
            return 491
        return {"nobody": None, "peer": 491, "us": 500}[self.owing]


def declined(offer: str) -> str:
    """The answer to an offer that is not acceptable but must be answered (RFC 3261 section 14.1): each m-line with port 0."""
    head = ["v=0", "o=- 0 0 IN IP4 0.0.0.0", "s=-", "c=IN IP4 0.0.0.0", "t=0 0"]
    lines = [line.split() for line in offer.splitlines() if line.startswith("m=")]
    media = [" ".join([words[0], "0", *words[2:]]) for words in lines if len(words) > 3]
    return "".join(line + "\r\n" for line in [*head, *media])
