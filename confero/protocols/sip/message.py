"""Requests and responses: the start line, the fields, the body; what fields hold is parsed when it is asked for.

Whoever reads a typed value of a message from the wire reckons with SipError: only what ``parser.parse`` promises is known to
be well-formed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from confero.errors import LocalError

from .errors import SipError
from .grammar import number
from .headers import Headers, key_of
from .uri import URI
from .values import Address, CSeq, MediaType, Via

T = TypeVar("T")
VERSION = "SIP/2.0"
MAX_HOPS = 255
"""Section 20.22."""


class Message:
    """What requests and responses share. A typed value is kept until its field changes."""

    headers: Headers
    body: bytes
    _kept: dict[str, tuple[Any, Any]]

    def typed(self, name: str, parse: Callable[[str], T]) -> T | None:
        """The first value of a field, by ``parse``, which raises ValueError; None if the field is absent. Raises SipError."""
        raw = self.headers.get(name)
        if raw is None:
            return None
        kept = self._kept.get(name)
        if kept is not None and kept[0] is raw:
            return kept[1]  # type: ignore[no-any-return]
        value = self._read(name, raw, parse)
        self._kept[name] = (raw, value)
        return value

    def typed_list(self, name: str, parse: Callable[[str], T]) -> list[T]:
        """All values of a list field. Raises SipError."""
        rows = self.headers.rows(name)
        kept = self._kept.get(name + ",")
        if kept is None or kept[0] != rows:
            kept = (rows, [self._read(name, item, parse) for item in self.headers.all(name)])
            self._kept[name + ","] = kept
        return list(kept[1])

    def tokens(self, name: str) -> list[str]:
        """The items of a list of tokens, such as Supported or Allow, as they stand."""
        return self.headers.all(name)

    def _need(self, name: str, parse: Callable[[str], T]) -> T:
        value = self.typed(name, parse)
        if value is None:
            raise SipError(f"there is no {name}")
        return value

    def _read(self, name: str, raw: str, parse: Callable[[str], T]) -> T:
        try:
            return parse(raw)
        except ValueError as error:
            raise SipError(f"{name}: {error}") from None

    # -- fields that each message has; SipError if it lacks one --

    @property
    def vias(self) -> list[Via]:
        return self.typed_list("Via", Via.parse)

    @property
    def top_via(self) -> Via:
        """The hop that the message came from, or goes to if it is ours."""
        raw = self.headers.get("Via")
        if raw and "," not in raw:
            return self._need("Via", Via.parse)
        found = self.vias
        if not found:
            raise SipError("there is no Via")
        return found[0]

    def replace_top_via(self, via: Via) -> None:
        """Another value in place of the first Via; the others stay."""
        self.headers.set_all("Via", [str(via), *self.headers.all("Via")[1:]])

    @property
    def from_(self) -> Address:
        return self._need("From", Address.parse)

    @property
    def to(self) -> Address:
        return self._need("To", Address.parse)

    @property
    def call_id(self) -> str:
        found = self.headers.get("Call-ID")
        if not found:
            raise SipError("there is no Call-ID")
        return found

    @property
    def cseq(self) -> CSeq:
        return self._need("CSeq", CSeq.parse)

    # -- fields that a message may have --

    @property
    def contacts(self) -> list[Address]:
        """Empty for ``Contact: *``, which ``is_wildcard`` tells."""
        return [] if self.is_wildcard else self.typed_list("Contact", Address.parse)

    @property
    def is_wildcard(self) -> bool:
        """``Contact: *`` of a REGISTER that removes all bindings (section 10.2.2)."""
        return self.headers.all("Contact") == ["*"]

    @property
    def contact(self) -> Address | None:
        """The first, which is the only one in what sets up a dialog (section 8.1.1.8)."""
        found = self.contacts
        return found[0] if found else None

    @property
    def routes(self) -> list[Address]:
        return self.typed_list("Route", Address.parse)

    @property
    def record_routes(self) -> list[Address]:
        return self.typed_list("Record-Route", Address.parse)

    @property
    def max_forwards(self) -> int | None:
        return self.typed("Max-Forwards", lambda raw: number(raw, "number", 0, MAX_HOPS))

    @property
    def expires(self) -> int | None:
        """Seconds (section 20.19)."""
        return self.typed("Expires", lambda raw: number(raw, "number"))

    @property
    def content_type(self) -> str | None:
        """Type and subtype in lower case, without parameters; ``media_type`` has those."""
        found = self.media_type
        return found.type if found else None

    @property
    def media_type(self) -> MediaType | None:
        return self.typed("Content-Type", MediaType.parse)

    def start_line(self) -> str:
        raise NotImplementedError

    def __bytes__(self) -> bytes:
        """The message as it is sent. Content-Length is written from the body, at the end of the fields.

        Raises LocalError when a line end has got into a field.
        """
        lines = [self.start_line()]
        lines += [f"{name}: {value}" for name, value in self.headers.items() if key_of(name) != "content-length"]
        lines.append(f"Content-Length: {len(self.body)}\r\n\r\n")
        head = "\r\n".join(lines)
        if head.count("\n") != len(lines) + 1 or head.count("\r") != len(lines) + 1:
            raise LocalError("a header field of ours has a line end in it")
        return head.encode() + self.body


@dataclass
class Request(Message):
    """``method`` is as it is written: methods are told apart by case (section 7.1)."""

    method: str
    uri: str
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""
    _kept: dict[str, tuple[Any, Any]] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def target(self) -> URI:
        """The Request-URI, taken apart. Raises SipError."""
        kept = self._kept.get("uri")
        if kept is None or kept[0] is not self.uri:
            kept = self._kept["uri"] = (self.uri, self._read("Request-URI", self.uri, URI.parse))
        target: URI = kept[1]
        return target

    def start_line(self) -> str:
        return f"{self.method} {self.uri} {VERSION}"


@dataclass
class Response(Message):
    """``status`` is within 100..699; ``reason`` is for people, and may be empty."""

    status: int
    reason: str
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""
    _kept: dict[str, tuple[Any, Any]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def start_line(self) -> str:
        return f"{VERSION} {self.status} {self.reason}"
