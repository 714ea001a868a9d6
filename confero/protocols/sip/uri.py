"""URIs: SIP and SIPS (RFC 3261 section 19.1), tel (RFC 3966), and any other as opaque text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

from .grammar import UriParameters, host, port

USER_SAFE = "-_.!~*'()&=+$,;?/"
"""Section 25.1, unreserved and user-unreserved: they stand unescaped in a user part."""
PASSWORD_SAFE = "-_.!~*'()&=+$,"
HEADER_SAFE = "-_.!~*'()[]/?:+$"
SIP_URI = re.compile(
    r"(?P<scheme>sips?):"
    r"(?:(?P<user>(?:[A-Za-z0-9\-_.!~*'()&=+$,;?/#]|%[0-9A-Fa-f]{2})+)"
    r"(?::(?P<password>(?:[A-Za-z0-9\-_.!~*'()&=+$,]|%[0-9A-Fa-f]{2})*))?@)?"
    r"(?P<host>[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<parameters>;[^?@]*)?"
    r"(?:\?(?P<headers>[^?@ \t<>\"]*(?:\?[^?@ \t<>\"]*)*))?",
    re.I,
)
"""``#`` in a user part should be escaped; dialled numbers have it."""
TEL_URI = re.compile(r"tel:(?P<user>\+?[0-9A-Fa-f*#().-]*[0-9A-Fa-f*#][0-9A-Fa-f*#().-]*)(?P<parameters>;.*)?", re.I)
ANY_URI = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):(?P<opaque>[!#-;=?-~]+)")
SEPARATORS = re.compile(r"[-.()]")


@dataclass(frozen=True)
class URI:
    """``user`` and ``password`` stand as they are written, with their escapes: what is escaped may mean something else.

    ``username`` is the text that they spell. Of a tel URI, ``user`` is the number; of a scheme that is not known here, all
    after the colon is ``opaque``.
    """

    scheme: str
    """In lower case."""
    host: str = ""
    """A name or an address, IPv6 in brackets."""
    user: str | None = None
    password: str | None = None
    port: int | None = None
    parameters: UriParameters = field(default_factory=UriParameters)
    headers: str = ""
    """What follows ``?``, with its escapes; ``header`` looks into it."""
    opaque: str = ""

    @classmethod
    def parse(cls, text: str) -> URI:
        """The URI that ``text`` is, without blanks and brackets around it. Raises ValueError."""
        scheme = text.partition(":")[0].lower()
        if scheme in ("sip", "sips"):
            return _sip(text)
        if scheme == "tel":
            found = TEL_URI.fullmatch(text)
            if found is None:
                raise ValueError("tel URI is malformed")
            return cls("tel", user=found["user"], parameters=UriParameters.parse(found["parameters"] or ""))
        other = ANY_URI.fullmatch(text)
        if other is None:
            raise ValueError("not a URI")
        return cls(scheme, opaque=other["opaque"])

    @classmethod
    def sip(cls, user: str, host: str, port: int | None = None, **parameters: str | None) -> URI:
        """A SIP URI for a plain user name, which is escaped here. An IPv6 address may come without brackets."""
        host = f"[{host}]" if ":" in host and not host.startswith("[") else host
        return cls("sip", host, quote(user, safe=USER_SAFE) or None, None, port, UriParameters(parameters))

    @property
    def username(self) -> str:
        """The user part without escapes; empty if there is none."""
        return unquote(self.user or "")

    @property
    def number(self) -> str | None:
        """The global number that the URI calls, as ``+`` and digits (RFC 3966 section 5.1.4); None if it is none."""
        number = SEPARATORS.sub("", self.username.partition(";")[0])
        return number if number.startswith("+") and number[1:].isascii() and number[1:].isdigit() else None

    def header(self, name: str) -> str | None:
        """The value that the URI asks for in a header field of the request made from it (section 19.1.1)."""
        for pair in self.headers.split("&"):
            key, _, value = pair.partition("=")
            if unquote(key).lower() == name.lower():
                return unquote(value)
        return None

    def __str__(self) -> str:
        if self.scheme == "tel":
            return f"tel:{self.user}{self.parameters}"
        if not self.host:
            return f"{self.scheme}:{self.opaque}"
        password = "" if self.password is None else f":{self.password}"
        userinfo = "" if self.user is None else f"{self.user}{password}@"
        port = "" if self.port is None else f":{self.port}"
        headers = f"?{self.headers}" if self.headers else ""
        return f"{self.scheme}:{userinfo}{self.host}{port}{self.parameters}{headers}"


def _sip(text: str) -> URI:
    found = SIP_URI.fullmatch(text)
    if found is None:
        raise ValueError("SIP URI is malformed")
    return URI(
        found["scheme"].lower(),
        host(found["host"]),
        found["user"],
        found["password"],
        port(found["port"]),
        UriParameters.parse(found["parameters"] or ""),
        found["headers"] or "",
    )
