"""One STUN message: a head, attributes in order, and the rules of which of them may be read (RFC 8489 sections 5, 6, 14)."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import Any, TypeVar

from .attributes import FINGERPRINT, MESSAGE_INTEGRITY, MESSAGE_INTEGRITY_SHA256, OPTIONAL, Attribute, Row
from .errors import StunError
from .integrity import Integrity, fingerprint_of
from .values import COOKIE

V = TypeVar("V")
HEAD = struct.Struct("!HH4s12s")
"""Class and method, length of what follows, cookie, transaction id."""
ATTRIBUTE_HEAD = struct.Struct("!HH")
MAX_ATTRIBUTES = 128
"""More than any message of the specifications has; CreatePermission may name several peers."""
PROTECTED = {
    MESSAGE_INTEGRITY.number: (MESSAGE_INTEGRITY_SHA256.number, FINGERPRINT.number),
    MESSAGE_INTEGRITY_SHA256.number: (FINGERPRINT.number,),
}
"""What may follow an integrity attribute; the rest is not covered by it and not read (sections 14.5 and 14.6)."""


class Kind(IntEnum):
    """The class of a message; section 5."""

    REQUEST = 0
    INDICATION = 1
    SUCCESS = 2
    ERROR = 3


class Method(IntEnum):
    """RFC 8489 section 18.2, RFC 8656 section 17, RFC 6062 section 6.1."""

    BINDING = 0x001
    ALLOCATE = 0x003
    REFRESH = 0x004
    SEND = 0x006
    DATA = 0x007
    CREATE_PERMISSION = 0x008
    CHANNEL_BIND = 0x009
    CONNECT = 0x00A
    CONNECTION_BIND = 0x00B
    CONNECTION_ATTEMPT = 0x00C


KINDS = tuple(Kind)


class Message:
    """A message as it was read. Its attributes' values are read when they are asked for."""

    __slots__ = ("_first", "attributes", "kind", "method", "places", "raw", "transaction_id")

    def __init__(self, raw: bytes, kind: Kind, method: int, transaction_id: bytes) -> None:
        self.raw = raw
        self.kind = kind
        self.method = method
        """One of ``Method``, or a number that we do not know."""
        self.transaction_id = transaction_id
        self.attributes: list[tuple[int, bytes]] = []
        """All that stand there, with their values unread."""
        self.places: dict[int, int] = {}
        """Where an attribute begins in ``raw``: of integrity and fingerprint."""
        self._first: dict[int, bytes] = {}

    @classmethod
    def parse(cls, data: bytes) -> Message:
        """Reads a datagram, or a message of a stream. Raises StunError, and nothing else, for what is not well formed."""
        if len(data) < HEAD.size:
            raise StunError("shorter than a head")
        bits, length, cookie, transaction_id = HEAD.unpack_from(data)
        if bits & 0xC000 or cookie != COOKIE:
            raise StunError("not STUN")
        if length % 4 or length != len(data) - HEAD.size:
            raise StunError(f"says {length} bytes and has {len(data) - HEAD.size}")
        method = bits & 0x000F | bits >> 1 & 0x0070 | bits >> 2 & 0x0F80
        message = cls(bytes(data), KINDS[bits >> 4 & 1 | bits >> 7 & 2], method, transaction_id)
        message._read_attributes()
        return message

    def _read_attributes(self) -> None:
        raw, at, end = self.raw, HEAD.size, len(self.raw)
        readable: tuple[int, ...] | None = None
        while at < end:
            number, size = ATTRIBUTE_HEAD.unpack_from(raw, at)
            stop = at + 4 + size
            if stop > end or len(self.attributes) == MAX_ATTRIBUTES:
                raise StunError("attributes past the end, or past all measure")
            value = raw[at + 4 : stop]
            self.attributes.append((number, value))
            # 14: of several of one type the first counts. 14.5, 14.6: what integrity does not cover is not read.
            if number not in self._first and (readable is None or number in readable):
                self._first[number] = value
                if number in SPECIAL:
                    self.places[number] = at
                    readable = PROTECTED.get(number, readable)
            at = stop + -size % 4
        # 14.7: FINGERPRINT is the last one.
        if FINGERPRINT.number in self._first and self.attributes[-1][0] != FINGERPRINT.number:
            raise StunError("FINGERPRINT is not the last attribute")

    def get(self, attribute: Attribute[V]) -> V | None:
        """The value of an attribute; None if it is not there. Raises StunError if it is malformed."""
        value = self._first.get(attribute.number)
        if value is None:
            return None
        try:
            return attribute.codec[0](value, self.transaction_id)
        except StunError as error:
            raise StunError(f"{attribute.name}: {error.detail}", status=error.status) from None

    def all(self, attribute: Attribute[V]) -> list[V]:
        """The values of an attribute that may be there several times, of those that may be read. Raises StunError."""
        if attribute.number not in self._first or attribute.number in SPECIAL:
            first = self.get(attribute)
            return [] if first is None else [first]
        end = min((place for number, place in self.places.items() if number in PROTECTED), default=len(self.raw))
        found, at = [], HEAD.size
        for number, raw in self.attributes:
            if number == attribute.number and at < end:
                found.append(attribute.codec[0](raw, self.transaction_id))
            at += 4 + len(raw) + -len(raw) % 4
        return found

    def __contains__(self, attribute: Attribute[Any]) -> bool:
        return attribute.number in self._first

    def unknown(self, known: Iterable[int]) -> tuple[int, ...]:
        """The types of attributes that have to be understood and are not among ``known`` (section 6.3.1)."""
        return tuple(number for number in self._first if number < OPTIONAL and number not in known)

    def __bytes__(self) -> bytes:
        """Written anew, with padding of zeros."""
        rows = b"".join(
            ATTRIBUTE_HEAD.pack(number, len(value)) + value + bytes(-len(value) % 4)
            for number, value in self.attributes
        )
        return head_of(self.kind, self.method, self.transaction_id, len(rows)) + rows

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Message) and bytes(self) == bytes(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        method = Method(self.method).name if self.method in NAMES else hex(self.method)
        return f"<{method} {self.kind.name} {self.transaction_id.hex()}>"


SPECIAL = {FINGERPRINT.number, *PROTECTED}
NAMES: Mapping[int, Method] = {int(method): method for method in Method}


def head_of(kind: Kind, method: int, transaction_id: bytes, length: int) -> bytes:
    """The first 20 bytes. Raises ValueError for what does not fit."""
    if not 0 <= method <= 0xFFF or len(transaction_id) != 12 or length > 0xFFFF:
        raise ValueError(f"no STUN message: method {method}, {len(transaction_id)} bytes of id, {length} bytes")
    bits = method & 0x000F | (method & 0x0070) << 1 | (method & 0x0F80) << 2 | (kind & 1) << 4 | (kind & 2) << 7
    return HEAD.pack(bits, length, COOKIE, transaction_id)


def build(
    method: int,
    kind: Kind,
    transaction_id: bytes,
    rows: Iterable[Row] = (),
    *,
    integrity: Integrity | None = None,
    fingerprint: bool = False,
) -> bytes:
    """A message with these attributes in this order, then integrity and fingerprint. Raises ValueError for bad values."""
    parts = []
    for attribute, value in rows:
        data = attribute.codec[1](value, transaction_id)
        parts.append(ATTRIBUTE_HEAD.pack(attribute.number, len(data)) + data + bytes(-len(data) % 4))
    body = b"".join(parts)
    if integrity is not None:
        size = integrity.size
        head = head_of(kind, method, transaction_id, len(body) + 4 + size)
        number = MESSAGE_INTEGRITY_SHA256.number if integrity.sha256 else MESSAGE_INTEGRITY.number
        body += ATTRIBUTE_HEAD.pack(number, size) + integrity.over(head + body)
    if not fingerprint:
        return head_of(kind, method, transaction_id, len(body)) + body
    message = head_of(kind, method, transaction_id, len(body) + 8) + body
    return message + ATTRIBUTE_HEAD.pack(FINGERPRINT.number, 4) + fingerprint_of(message)
