"""Who calls and what they carry along: asserted identity, wishes for privacy, user data. Believed only of who may assert them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import ClassVar

from .errors import SipError
from .fields import split_field
from .grammar import TOKEN_CHARS, Parameters, quote, token, unquote
from .message import Message
from .values import Address

MAX_UUI = 1_024
"""Octets of user data that are taken; ISDN carries 128."""


def asserted_identities(message: Message) -> list[Address]:
    """RFC 3325 section 9.1: who calls, as a trunk says; one SIP and one tel URI at most. Raises SipError.

    To be believed of trunks only, and to be taken out of what comes from anybody else.
    """
    found = message.typed_list("P-Asserted-Identity", Address.parse)
    if len(found) > 2 or len({one.uri.scheme == "tel" for one in found}) < len(found):
        raise SipError("P-Asserted-Identity: more than one of a kind")
    return found


@dataclass(frozen=True)
class Privacy:
    """RFC 3323 section 4.2 and RFC 3325 section 9.3: what a caller wants hidden, as words between semicolons."""

    FIELD: ClassVar[str] = "Privacy"
    wishes: frozenset[str]

    @classmethod
    def parse(cls, text: str) -> Privacy:
        words = [token(word.strip(" \t"), "privacy value").lower() for word in text.replace(",", ";").split(";")]
        return cls(frozenset(words))

    @property
    def hides_identity(self) -> bool:
        """What P-Asserted-Identity says is not to be shown."""
        return bool(self.wishes & {"id", "user", "header"}) and "none" not in self.wishes

    def __str__(self) -> str:
        return ";".join(sorted(self.wishes))


@dataclass(frozen=True)
class UserToUser:
    """RFC 7433: opaque data from one user to the other, through everything between."""

    FIELD: ClassVar[str] = "User-to-User"
    data: str
    """As it is written: hexadecimal digits, or text if ``encoding`` is another."""
    parameters: Parameters = field(default_factory=Parameters)

    @classmethod
    def parse(cls, text: str) -> UserToUser:
        head, parameters = split_field(text, "User-to-User")
        found = cls(unquote(head), parameters)
        if len(found.data) > 2 * MAX_UUI:
            raise ValueError(f"user data is longer than {MAX_UUI} octets")
        return found

    @classmethod
    def of(cls, octets: bytes, purpose: str | None = None, content: str | None = None) -> UserToUser:
        """User data to be sent. Raises ValueError if it is longer than MAX_UUI."""
        if len(octets) > MAX_UUI:
            raise ValueError(f"user data is longer than {MAX_UUI} octets")
        given = {"purpose": purpose, "content": content, "encoding": "hex"}
        return cls(octets.hex(), Parameters({name: value for name, value in given.items() if value is not None}))

    @property
    def octets(self) -> bytes:
        """The data. Section 4.1: hexadecimal unless another encoding is named. Raises SipError."""
        if (self.parameters.get("encoding") or "hex").lower() != "hex":
            return self.data.encode()
        try:
            return bytes.fromhex(self.data)
        except ValueError:
            raise SipError("User-to-User: not hexadecimal") from None

    def __str__(self) -> str:
        data = self.data if re.fullmatch(f"[{TOKEN_CHARS}]+", self.data) else quote(self.data)
        return f"{data}{self.parameters}"
