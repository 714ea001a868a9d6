"""Header fields that only calls have, as values: Session-Expires, RAck, Replaces, Refer-To, lists of option tags."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, unquote

from ..dialog import Dialog
from ..errors import SipError
from ..headers import Headers

MAX_DIGITS = 10
Refresher = Literal["uac", "uas"]


def tokens(headers: Headers, name: str) -> frozenset[str]:
    """The option tags of a list header, in lower case."""
    return frozenset(token.lower() for token in headers.all(name))


def methods(headers: Headers) -> frozenset[str]:
    """Those of Allow."""
    return frozenset(token.upper() for token in headers.all("Allow"))


def number(text: str, what: str) -> int:
    """Digits, of which there may be ten. Raises SipError (400)."""
    text = text.strip()
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS):
        raise SipError(f"{what} is no number: {text[:20]!r}", status=400)
    return int(text)


def split_parameters(value: str) -> tuple[str, dict[str, str]]:
    """``value;name=text;flag``: what stands before the first semicolon, and the parameters, names in lower case."""
    head, *rest = value.split(";")
    pairs = (part.partition("=") for part in rest)
    return head.strip(), {name.strip().lower(): text.strip() for name, _, text in pairs}


@dataclass(frozen=True)
class SessionExpires:
    """RFC 4028 section 4."""

    seconds: int
    refresher: Refresher | None = None

    @classmethod
    def of(cls, headers: Headers) -> SessionExpires | None:
        """Raises SipError."""
        value = headers.get("Session-Expires")
        if value is None:
            return None
        head, parameters = split_parameters(value)
        refresher = parameters.get("refresher", "").lower()
        known: dict[str, Refresher] = {"uac": "uac", "uas": "uas"}
        return cls(number(head, "Session-Expires"), known.get(refresher))

    def __str__(self) -> str:
        return f"{self.seconds};refresher={self.refresher}" if self.refresher else str(self.seconds)


def min_se(headers: Headers) -> int:
    """Min-SE in seconds; 0 if there is none (RFC 4028 section 5). Raises SipError."""
    value = headers.get("Min-SE")
    return 0 if value is None else number(split_parameters(value)[0], "Min-SE")


def retry_after(headers: Headers) -> int:
    """Retry-After in seconds; 0 if there is none or it cannot be read, which is no reason to fail."""
    head = (headers.get("Retry-After") or "").split(";")[0].split("(")[0].strip()
    return int(head) if head.isascii() and head.isdigit() and len(head) <= MAX_DIGITS else 0


@dataclass(frozen=True)
class RAck:
    """RFC 3262 section 7.2: which reliable provisional response is acknowledged."""

    rseq: int
    cseq: int
    method: str

    @classmethod
    def of(cls, headers: Headers) -> RAck:
        """Raises SipError."""
        words = (headers.get("RAck") or "").split()
        if len(words) != 3:
            raise SipError("RAck is missing or malformed", status=400)
        return cls(number(words[0], "RAck"), number(words[1], "RAck"), words[2])

    def __str__(self) -> str:
        return f"{self.rseq} {self.cseq} {self.method}"


@dataclass(frozen=True)
class Replaces:
    """RFC 3891 section 6.1: the dialog that a new INVITE takes the place of, in the eyes of who receives it."""

    call_id: str
    to_tag: str
    """Of the receiver's end."""
    from_tag: str
    early_only: bool = False

    @classmethod
    def of(cls, headers: Headers) -> Replaces | None:
        """Raises SipError (400) for a header that is malformed or comes twice (section 3)."""
        values = headers.all("Replaces")
        if not values:
            return None
        if len(values) > 1:
            raise SipError("more than one Replaces", status=400)
        call_id, parameters = split_parameters(values[0])
        if not call_id or not parameters.get("to-tag") or not parameters.get("from-tag"):
            raise SipError("Replaces needs a Call-ID, a to-tag and a from-tag", status=400)
        return cls(call_id, parameters["to-tag"], parameters["from-tag"], "early-only" in parameters)

    @classmethod
    def by_peer_of(cls, dialog: Dialog) -> Replaces:
        """What names this dialog to the peer: for a Refer-To that has somebody else take our place in it."""
        return cls(dialog.call_id, dialog.remote_tag, dialog.local_tag)

    def __str__(self) -> str:
        flag = ";early-only" if self.early_only else ""
        return f"{self.call_id};to-tag={self.to_tag};from-tag={self.from_tag}{flag}"


def refer_to(uri: str, replaces: Replaces | None = None) -> str:
    """A Refer-To value (RFC 3515 section 2.1); with ``replaces``, of an attended transfer (RFC 5589 section 7)."""
    return f"<{uri}?Replaces={quote(str(replaces), safe='')}>" if replaces else f"<{uri}>"


def header_of_uri(uri: str, name: str) -> str | None:
    """A header that a Refer-To URI asks for (``sip:b@c?Replaces=...``), unescaped; None if it does not."""
    for pair in uri.partition("?")[2].split("&"):
        key, _, value = pair.partition("=")
        if unquote(key).lower() == name.lower():
            return unquote(value)
    return None
