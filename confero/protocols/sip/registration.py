"""The client of a registrar: keeps one Contact bound to an address-of-record (RFC 3261 section 10.2, RFC 5626 section 4.5).

The owner looks at ``next_deadline``; when it has come he sends what ``compose`` makes and hands in what becomes of it. Times are
monotonic seconds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, Protocol

from confero.errors import LocalError

from .bindings import uri_key
from .build import new_call_id, new_request, new_tag
from .errors import SipError
from .login import Login
from .message import Request, Response
from .uri import URI
from .values import Address

State = Literal["idle", "asking", "registered", "refused", "unreachable"]
SECONDS = re.compile(r"\s*(\d{1,6})(?!\d)")
LONGEST_S = 86_400
"""An interval that a registrar asks for is at most this."""
MOST_IN_A_ROW = 4
"""Requests that answers make us send at once (401, 407, 423) before we wait like after a failure."""


class Random(Protocol):
    """``random.SystemRandom`` and, in tests, ``random.Random``."""

    def randbytes(self, n: int, /) -> bytes: ...
    def uniform(self, low: float, high: float, /) -> float: ...


@dataclass(frozen=True)
class Pace:
    """When to try again. Seconds."""

    first_s: float = 4.0
    """After the first failure; doubled with each further one (RFC 5626 section 4.5 has this shape, with 30 s)."""
    most_s: float = 300.0
    refused_s: float = 300.0
    """After a refusal that asking again will not change, such as 403: a wrong password must not lock the account."""
    share: float = 0.8
    """The part of a granted interval after which it is refreshed."""
    margin_s: float = 5.0
    """... but this long before its end at least."""


@dataclass(frozen=True)
class Enrolment:
    """What is to be registered where."""

    registrar: str
    """Request-URI: the registrar's domain, without a user."""
    address: str
    """The address-of-record, a URI."""
    expires: int = 600
    display_name: str = ""


class Registration:
    """One binding. ``stop`` it by sending ``compose(contact, 0)`` a last time."""

    def __init__(self, enrolment: Enrolment, login: Login, random: Random, pace: Pace = Pace()) -> None:
        """``login`` is of this registrar alone. Raises LocalError for what is no SIP URI."""
        self.state: State = "idle"
        self.status = 0
        """Of the last final answer; 0: there was none."""
        self.reason = ""
        self.registered_until = 0.0
        try:
            self._address = Address(URI.parse(enrolment.address), enrolment.display_name)
            URI.parse(enrolment.registrar)
        except ValueError as error:
            raise LocalError(f"registration of {enrolment.address} at {enrolment.registrar}: {error}") from error
        self._enrolment = enrolment
        self._login = login
        self._random = random
        self._pace = pace
        self._call_id = new_call_id(random)
        self._cseq = 0
        self._expires = enrolment.expires
        self._failures = 0
        self._in_a_row = 0
        self._due: float | None = 0.0

    def is_registered(self, now: float) -> bool:
        """Whether the last interval that was granted still runs."""
        return now < self.registered_until

    def next_deadline(self) -> float | None:
        """When ``compose`` is due; None while an answer is awaited, and when all is over."""
        return self._due

    def compose(self, contact: str, expires: int | None = None) -> Request:
        """The REGISTER to be sent now, without Via. ``contact``: our URI; ``expires`` 0 takes the binding away."""
        if self.state != "registered":
            self.state = "asking"
        self._due = None
        self._in_a_row = 0
        return self._request(contact, self._expires if expires is None else expires)

    def _request(self, contact: str, expires: int) -> Request:
        # 10.2: the same Call-ID for all of them, CSeq counts on.
        self._cseq += 1
        request = new_request(
            "REGISTER",
            self._enrolment.registrar,
            from_=self._address.with_tag(new_tag(self._random)),
            to=self._address,
            call_id=self._call_id,
            cseq=self._cseq,
        )
        request.headers.add("Contact", f"<{contact}>;expires={expires}")
        request.headers.add("Expires", str(expires))
        self._login.authorize(request)
        return request

    def answered(self, request: Request, response: Response, now: float) -> Request | None:
        """Takes the final response to ``request``. Returns what is to be sent at once in its place, if the answer asks for that."""
        self.status, self.reason = response.status, response.reason
        again = self._again(request, response)
        if again is not None:
            return again
        if 200 <= response.status < 300:
            self._granted(request, response, now)
        elif response.status in (408, 500, 503, 504, 480):
            self._fail("unreachable", now, _seconds(response, "Retry-After"))
        else:
            self._fail("refused", now, _seconds(response, "Retry-After") or self._pace.refused_s)
        return None

    def _again(self, request: Request, response: Response) -> Request | None:
        contact, expires = _asked(request)
        if self._in_a_row >= MOST_IN_A_ROW:
            return None
        if response.status in (401, 407):
            if not self._login.challenged(request, response):
                return None
        elif response.status == 423:
            # 10.2.8
            least = _seconds(response, "Min-Expires") or 0
            if not expires < least <= LONGEST_S:
                return None
            expires = self._expires = int(least)
        else:
            return None
        self._in_a_row += 1
        return self._request(contact, expires)

    def _granted(self, request: Request, response: Response, now: float) -> None:
        contact, asked = _asked(request)
        self._failures = 0
        if asked == 0:
            self.state, self.registered_until, self._due = "idle", 0.0, None
            return
        granted = granted_to(contact, response, asked)
        if granted == 0:
            self._fail("refused", now, self._pace.refused_s)
            return
        self.state, self.registered_until = "registered", now + granted
        pace = self._pace
        wait = min(granted * pace.share * self._random.uniform(0.9, 1.0), granted - pace.margin_s)
        self._due = now + max(wait, granted / 2)

    def unanswered(self, now: float, reason: str = "no answer") -> None:
        """Nobody gave a final response, or the registrar's name leads nowhere."""
        self.status, self.reason = 0, reason
        self._fail("unreachable", now, None)

    def _fail(self, state: State, now: float, wait: float | None) -> None:
        """RFC 5626 section 4.5: twice as long each time, somewhat at random, so that not all come back at once."""
        self.state = state
        pace = self._pace
        limit = min(pace.most_s, pace.first_s * 2 ** min(self._failures, 16))
        self._failures += 1
        self._due = now + (wait if wait is not None else limit) * self._random.uniform(
            0.5 if wait is None else 1.0, 1.1
        )

    def try_soon(self, now: float) -> None:
        """The registrar has been seen again: no more waiting."""
        if self.state == "unreachable" and self._due is not None:
            self._due = min(self._due, now)


def granted_to(contact: str, response: Response, asked: int) -> int:
    """Seconds for which a 2xx binds ``contact`` (section 10.2.4); 0 if it does not."""
    key = uri_key(URI.parse(contact))
    try:
        rows = response.contacts
        header = response.expires
    except SipError:
        return 0
    for row in rows:
        if uri_key(row.uri) == key:
            text = row.parameters.get("expires") or ""
            return (
                min(int(text), LONGEST_S) if text.isascii() and text.isdigit() and len(text) < 10 else header or asked
            )
    # Some registrars rewrite our Contact to what they see of us, or list none: the Expires header speaks for them.
    return asked if header is None else min(header, LONGEST_S)


def _asked(request: Request) -> tuple[str, int]:
    contact = request.contact
    assert contact is not None, "a REGISTER of ours has a Contact"
    return str(contact.uri), request.expires or 0


def _seconds(response: Response, name: str) -> float | None:
    found = SECONDS.match(response.headers.get(name) or "")
    return float(found[1]) if found else None
