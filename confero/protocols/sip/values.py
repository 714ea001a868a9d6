"""What header fields hold, as frozen values: addresses, Via, CSeq, media types (RFC 3261 section 20).

``parse`` raises ValueError; ``str`` writes what ``parse`` reads.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from .grammar import QUOTED, TOKEN_CHARS, Parameters, host, number, port, quote, token, unquote
from .uri import URI

NAME_ADDRESS = re.compile(rf'({QUOTED}[ \t]*|[^"<>,;:@]*)<([^<>" \t]+)>(.*)', re.S)
"""A display name that is not quoted should be tokens; names beyond ASCII come without quotes as well."""
PLAIN_ADDRESS = re.compile(r'([^ \t;,?<>"]+)(.*)', re.S)
VIA = re.compile(
    rf"SIP[ \t]*/[ \t]*2\.0[ \t]*/[ \t]*([{TOKEN_CHARS}]+)[ \t]+"
    r"([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(?:[ \t]*:[ \t]*([0-9]{1,5}))?[ \t]*(;.*)?",
    re.S | re.I,
)
CSEQ = re.compile(rf"([0-9]{{1,20}})[ \t]+([{TOKEN_CHARS}]+)")
MAX_CSEQ = 2**31 - 1
"""Section 8.1.1.5."""


@dataclass(frozen=True)
class Address:
    """``"name" <uri>;parameters``: From, To, Contact, Route and their like (section 20.10)."""

    uri: URI
    name: str = ""
    """Unquoted."""
    parameters: Parameters = field(default_factory=Parameters)

    @classmethod
    def parse(cls, text: str) -> Address:
        """One address. Without brackets, what follows ``;`` belongs to the field, not to the URI."""
        if "<" in text:
            found = NAME_ADDRESS.fullmatch(text.strip(" \t"))
            if found is None:
                raise ValueError("address is malformed")
            return cls(URI.parse(found[2]), unquote(found[1].strip(" \t")), Parameters.parse(found[3]))
        plain = PLAIN_ADDRESS.fullmatch(text.strip(" \t"))
        if plain is None:
            raise ValueError("address is malformed")
        return cls(URI.parse(plain[1]), "", Parameters.parse(plain[2]))

    @property
    def tag(self) -> str | None:
        """Of From and To."""
        return self.parameters.get("tag")

    def with_tag(self, tag: str) -> Address:
        return replace(self, parameters=self.parameters.replace(tag=tag))

    def __str__(self) -> str:
        return f"{quote(self.name) + ' ' if self.name else ''}<{self.uri}>{self.parameters}"


@dataclass(frozen=True)
class Via:
    """One hop that a request has taken (section 20.42)."""

    transport: str
    """As it is written: ``UDP``, ``TCP``, ``TLS``, ``WSS`` and so on."""
    host: str
    """A name or an address, IPv6 in brackets."""
    port: int | None = None
    parameters: Parameters = field(default_factory=Parameters)

    @classmethod
    def parse(cls, text: str) -> Via:
        found = VIA.fullmatch(text.strip(" \t"))
        if found is None:
            raise ValueError("Via is malformed")
        return cls(found[1], host(found[2]), port(found[3]), Parameters.parse(found[4] or ""))

    @property
    def branch(self) -> str:
        """Empty if there is none, as from RFC 2543's peers."""
        return self.parameters.get("branch") or ""

    def with_parameters(self, **changes: str | None) -> Via:
        """The same hop with parameters changed or added; None is one without a value."""
        return replace(self, parameters=self.parameters.replace(**changes))

    def __str__(self) -> str:
        port = "" if self.port is None else f":{self.port}"
        return f"SIP/2.0/{self.transport} {self.host}{port}{self.parameters}"


@dataclass(frozen=True)
class CSeq:
    """The number and the method of a request (section 20.16)."""

    number: int
    method: str

    @classmethod
    def parse(cls, text: str) -> CSeq:
        found = CSEQ.fullmatch(text)
        if found is None:
            raise ValueError("CSeq is malformed")
        return cls(number(found[1], "number of CSeq", 0, MAX_CSEQ), found[2])

    def __str__(self) -> str:
        return f"{self.number} {self.method}"


@dataclass(frozen=True)
class MediaType:
    """``type/subtype;parameters``: Content-Type and the items of Accept (sections 20.1 and 20.15)."""

    type: str
    """``application/sdp``: in lower case, without blanks."""
    parameters: Parameters = field(default_factory=Parameters)

    @classmethod
    def parse(cls, text: str) -> MediaType:
        whole, semicolon, rest = text.partition(";")
        main, slash, sub = whole.partition("/")
        if not slash:
            raise ValueError("media type is malformed")
        main, sub = (token(part.strip(" \t"), "media type").lower() for part in (main, sub))
        return cls(f"{main}/{sub}", Parameters.parse(semicolon + rest))

    def __str__(self) -> str:
        return f"{self.type}{self.parameters}"
