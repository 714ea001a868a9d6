"""Header fields of SIP's extensions as frozen values: timers, transfers, reliable responses, reasons, subscriptions.

``read(message, SessionExpires)`` gives the value, or None if the field is absent; ``str`` of a value is what to ``set``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol, Self, TypeVar, runtime_checkable

from .grammar import QUOTED, TOKEN_CHARS, Parameters, number, quote, token, unquote
from .message import Message
from .values import MAX_CSEQ, Address

HEAD = re.compile(QUOTED, re.S)
RETRY_AFTER = re.compile(r"([0-9]{1,10})[ \t]*(?:\((?:[^()\\]|\\.)*\)[ \t]*)?(;.*)?", re.S)
WARNING = re.compile(rf"([0-9]{{3}})[ \t]+([^ \t]+)[ \t]+({QUOTED})", re.S)
RACK = re.compile(rf"([0-9]{{1,10}})[ \t]+([0-9]{{1,10}})[ \t]+([{TOKEN_CHARS}]+)")


@runtime_checkable
class Field(Protocol):
    """What ``read`` can read."""

    FIELD: ClassVar[str]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError."""
        ...


F = TypeVar("F", bound=Field)


def read(message: Message, kind: type[F]) -> F | None:
    """The first value of the field. Raises SipError."""
    return message.typed(kind.FIELD, kind.parse)


def read_all(message: Message, kind: type[F]) -> list[F]:
    """Each value of a list field. Raises SipError."""
    return message.typed_list(kind.FIELD, kind.parse)


def supports(message: Message, option: str) -> bool:
    """The sender knows an extension: its tag is in Supported or in Require (RFC 3261 sections 20.32 and 20.37)."""
    tags = message.tokens("Supported") + message.tokens("Require")
    return option.lower() in (tag.lower() for tag in tags)


def allows(message: Message, method: str) -> bool | None:
    """Whether the sender takes a method; None if it does not say (RFC 3261 section 20.5)."""
    return method in message.tokens("Allow") if "Allow" in message.headers else None


def split_field(text: str, what: str) -> tuple[str, Parameters]:
    """What comes before the parameters, and those."""
    quoted = HEAD.match(text) if text.startswith('"') else None
    head, semicolon, rest = (quoted[0], "", text[quoted.end() :]) if quoted else text.partition(";")
    if not head.strip(" \t") or (quoted is None and '"' in head):
        raise ValueError(f"{what} is malformed")
    return head.strip(" \t"), Parameters.parse(semicolon + rest)


def refer_to(message: Message) -> Address | None:
    """RFC 3515 section 2.1: whom to call; ``uri.header("Replaces")`` says in whose place. Raises SipError."""
    return message.typed("Refer-To", Address.parse)


def referred_by(message: Message) -> Address | None:
    """RFC 3892: who asked for a call. Not proven by anything. Raises SipError."""
    return message.typed("Referred-By", Address.parse)


@dataclass(frozen=True)
class SessionExpires:
    """RFC 4028 section 4: how long a session lasts unless it is refreshed, and by whom."""

    FIELD: ClassVar[str] = "Session-Expires"
    seconds: int
    refresher: Literal["uac", "uas"] | None = None

    @classmethod
    def parse(cls, text: str) -> SessionExpires:
        head, parameters = split_field(text, "Session-Expires")
        refresher = (parameters.get("refresher") or "").lower()
        if refresher not in ("", "uac", "uas"):
            raise ValueError("refresher is neither uac nor uas")
        return cls(number(head, "seconds", 1), refresher or None)  # type: ignore[arg-type]

    def __str__(self) -> str:
        return f"{self.seconds}" + (f";refresher={self.refresher}" if self.refresher else "")


@dataclass(frozen=True)
class MinSE:
    """RFC 4028 section 5: the shortest session that is taken."""

    FIELD: ClassVar[str] = "Min-SE"
    seconds: int

    @classmethod
    def parse(cls, text: str) -> MinSE:
        return cls(number(split_field(text, "Min-SE")[0], "seconds", 1))

    def __str__(self) -> str:
        return str(self.seconds)


@dataclass(frozen=True)
class RSeq:
    """RFC 3262 section 7.1: the number of a reliable provisional response."""

    FIELD: ClassVar[str] = "RSeq"
    number: int

    @classmethod
    def parse(cls, text: str) -> RSeq:
        return cls(number(text, "number", 1))

    def __str__(self) -> str:
        return str(self.number)


@dataclass(frozen=True)
class RAck:
    """RFC 3262 section 7.2: which provisional response a PRACK is for."""

    FIELD: ClassVar[str] = "RAck"
    rseq: int
    cseq: int
    method: str

    @classmethod
    def parse(cls, text: str) -> RAck:
        found = RACK.fullmatch(text)
        if found is None:
            raise ValueError("RAck is malformed")
        return cls(number(found[1], "response number", 1), number(found[2], "CSeq number", 0, MAX_CSEQ), found[3])

    def __str__(self) -> str:
        return f"{self.rseq} {self.cseq} {self.method}"


@dataclass(frozen=True)
class Replaces:
    """RFC 3891 section 6.1: the dialog whose place a call takes, by the tags as the receiver has them."""

    FIELD: ClassVar[str] = "Replaces"
    call_id: str
    to_tag: str
    from_tag: str
    early_only: bool = False

    @classmethod
    def parse(cls, text: str) -> Replaces:
        call_id, parameters = split_field(text, "Replaces")
        to_tag, from_tag = parameters.get("to-tag"), parameters.get("from-tag")
        if not to_tag or not from_tag or call_id.startswith('"'):
            raise ValueError("Replaces names no dialog")
        return cls(call_id, to_tag, from_tag, "early-only" in parameters)

    def __str__(self) -> str:
        tags = Parameters({"to-tag": self.to_tag, "from-tag": self.from_tag})
        return f"{self.call_id}{tags}{';early-only' if self.early_only else ''}"


@dataclass(frozen=True)
class Reason:
    """RFC 3326: why a request was sent, by SIP status or by ISDN cause (``Q.850``)."""

    FIELD: ClassVar[str] = "Reason"
    protocol: str
    cause: int | None = None
    text: str = ""

    @classmethod
    def parse(cls, text: str) -> Reason:
        head, parameters = split_field(text, "Reason")
        cause = parameters.get("cause")
        return cls(
            token(head, "protocol"),
            None if cause is None else number(cause, "cause", 0, 999),
            parameters.get("text") or "",
        )

    def __str__(self) -> str:
        cause = "" if self.cause is None else f";cause={self.cause}"
        return f"{self.protocol}{cause}" + (f";text={quote(self.text)}" if self.text else "")


@dataclass(frozen=True)
class RetryAfter:
    """RFC 3261 section 20.33: seconds until another try may succeed."""

    FIELD: ClassVar[str] = "Retry-After"
    seconds: int
    duration: int | None = None
    """For how long, from then on."""

    @classmethod
    def parse(cls, text: str) -> RetryAfter:
        found = RETRY_AFTER.fullmatch(text)
        if found is None:
            raise ValueError("Retry-After is malformed")
        duration = Parameters.parse(found[2] or "").get("duration")
        return cls(number(found[1], "seconds"), None if duration is None else number(duration, "duration"))

    def __str__(self) -> str:
        return str(self.seconds) + ("" if self.duration is None else f";duration={self.duration}")


@dataclass(frozen=True)
class Warning:
    """RFC 3261 section 20.43: what was wrong, for people."""

    FIELD: ClassVar[str] = "Warning"
    code: int
    agent: str
    text: str

    @classmethod
    def parse(cls, text: str) -> Warning:
        found = WARNING.fullmatch(text)
        if found is None:
            raise ValueError("Warning is malformed")
        return cls(number(found[1], "code", 300, 399), found[2], unquote(found[3]))

    def __str__(self) -> str:
        return f"{self.code} {self.agent} {quote(self.text)}"


@dataclass(frozen=True)
class Event:
    """RFC 6665 section 8.2.1: what a subscription is about."""

    FIELD: ClassVar[str] = "Event"
    package: str
    id: str | None = None

    @classmethod
    def parse(cls, text: str) -> Event:
        head, parameters = split_field(text, "Event")
        return cls(token(head, "package"), parameters.get("id"))

    def __str__(self) -> str:
        return self.package + ("" if self.id is None else str(Parameters({"id": self.id})))


@dataclass(frozen=True)
class SubscriptionState:
    """RFC 6665 section 4.1.3: how a subscription stands with its NOTIFY."""

    FIELD: ClassVar[str] = "Subscription-State"
    state: str
    """``active``, ``pending`` or ``terminated``."""
    expires: int | None = None
    reason: str | None = None

    @classmethod
    def parse(cls, text: str) -> SubscriptionState:
        head, parameters = split_field(text, "Subscription-State")
        expires = parameters.get("expires")
        seconds = None if expires is None else number(expires, "expires")
        return cls(token(head, "state").lower(), seconds, parameters.get("reason"))

    def __str__(self) -> str:
        expires = "" if self.expires is None else f";expires={self.expires}"
        return f"{self.state}{expires}" + ("" if self.reason is None else f";reason={self.reason}")
