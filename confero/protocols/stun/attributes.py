"""The attributes of STUN and TURN as a table: number, name and how the value is read and written.

IANA "STUN Attributes": RFC 8489 section 18.3, RFC 8656 section 18, RFC 6062 section 6.2, RFC 8445 section 16.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from . import values
from .values import Address, Algorithm, Codec, ErrorCode, FamilyError

V = TypeVar("V")
OPTIONAL = 0x8000
"""From here on an attribute need not be understood; RFC 8489 section 14."""


@dataclass(frozen=True, slots=True, eq=False)
class Attribute(Generic[V]):
    """One row of the table."""

    number: int
    name: str
    codec: Codec[V]

    def of(self, value: V) -> tuple[Attribute[Any], Any]:
        """This attribute with a value, for ``build``."""
        return self, value

    def __repr__(self) -> str:
        return self.name


Row = tuple[Attribute[Any], Any]
"""An attribute and its value."""

MAPPED_ADDRESS: Attribute[Address] = Attribute(0x0001, "MAPPED-ADDRESS", values.ADDRESS)
USERNAME: Attribute[str] = Attribute(0x0006, "USERNAME", values.text(1))
MESSAGE_INTEGRITY: Attribute[bytes] = Attribute(0x0008, "MESSAGE-INTEGRITY", values.opaque(20, 20))
ERROR_CODE: Attribute[ErrorCode] = Attribute(0x0009, "ERROR-CODE", values.ERROR)
UNKNOWN_ATTRIBUTES: Attribute[tuple[int, ...]] = Attribute(0x000A, "UNKNOWN-ATTRIBUTES", values.TYPES)
CHANNEL_NUMBER: Attribute[int] = Attribute(0x000C, "CHANNEL-NUMBER", values.FIRST_HALF)
LIFETIME: Attribute[int] = Attribute(0x000D, "LIFETIME", values.U32)
"""Seconds."""
XOR_PEER_ADDRESS: Attribute[Address] = Attribute(0x0012, "XOR-PEER-ADDRESS", values.XOR_ADDRESS)
DATA: Attribute[bytes] = Attribute(0x0013, "DATA", values.opaque())
REALM: Attribute[str] = Attribute(0x0014, "REALM", values.text())
NONCE: Attribute[bytes] = Attribute(0x0015, "NONCE", values.opaque(0, values.MAX_TEXT))
XOR_RELAYED_ADDRESS: Attribute[Address] = Attribute(0x0016, "XOR-RELAYED-ADDRESS", values.XOR_ADDRESS)
REQUESTED_ADDRESS_FAMILY: Attribute[int] = Attribute(0x0017, "REQUESTED-ADDRESS-FAMILY", values.FIRST_BYTE)
EVEN_PORT: Attribute[bool] = Attribute(0x0018, "EVEN-PORT", values.FLAG)
"""True: reserve the next one too."""
REQUESTED_TRANSPORT: Attribute[int] = Attribute(0x0019, "REQUESTED-TRANSPORT", values.FIRST_BYTE)
"""An IP protocol: 17 is UDP, 6 is TCP."""
DONT_FRAGMENT: Attribute[bool] = Attribute(0x001A, "DONT-FRAGMENT", values.NOTHING)
MESSAGE_INTEGRITY_SHA256: Attribute[bytes] = Attribute(0x001C, "MESSAGE-INTEGRITY-SHA256", values.opaque(16, 32))
PASSWORD_ALGORITHM: Attribute[Algorithm] = Attribute(0x001D, "PASSWORD-ALGORITHM", values.ALGORITHM)
USERHASH: Attribute[bytes] = Attribute(0x001E, "USERHASH", values.opaque(32, 32))
XOR_MAPPED_ADDRESS: Attribute[Address] = Attribute(0x0020, "XOR-MAPPED-ADDRESS", values.XOR_ADDRESS)
RESERVATION_TOKEN: Attribute[bytes] = Attribute(0x0022, "RESERVATION-TOKEN", values.opaque(8, 8))
PRIORITY: Attribute[int] = Attribute(0x0024, "PRIORITY", values.U32)
USE_CANDIDATE: Attribute[bool] = Attribute(0x0025, "USE-CANDIDATE", values.NOTHING)
CONNECTION_ID: Attribute[int] = Attribute(0x002A, "CONNECTION-ID", values.U32)
ADDITIONAL_ADDRESS_FAMILY: Attribute[int] = Attribute(0x8000, "ADDITIONAL-ADDRESS-FAMILY", values.FIRST_BYTE)
ADDRESS_ERROR_CODE: Attribute[FamilyError] = Attribute(0x8001, "ADDRESS-ERROR-CODE", values.FAMILY_ERROR)
PASSWORD_ALGORITHMS: Attribute[tuple[Algorithm, ...]] = Attribute(0x8002, "PASSWORD-ALGORITHMS", values.ALGORITHMS)
ALTERNATE_DOMAIN: Attribute[str] = Attribute(0x8003, "ALTERNATE-DOMAIN", values.text(1))
ICMP: Attribute[bytes] = Attribute(0x8004, "ICMP", values.opaque(8, 8))
SOFTWARE: Attribute[str] = Attribute(0x8022, "SOFTWARE", values.text())
ALTERNATE_SERVER: Attribute[Address] = Attribute(0x8023, "ALTERNATE-SERVER", values.ADDRESS)
FINGERPRINT: Attribute[int] = Attribute(0x8028, "FINGERPRINT", values.U32)
ICE_CONTROLLED: Attribute[bytes] = Attribute(0x8029, "ICE-CONTROLLED", values.opaque(8, 8))
ICE_CONTROLLING: Attribute[bytes] = Attribute(0x802A, "ICE-CONTROLLING", values.opaque(8, 8))

ATTRIBUTES: Mapping[int, Attribute[Any]] = {
    row.number: row for row in tuple(globals().values()) if isinstance(row, Attribute)
}
"""All of the above by their numbers."""
