"""How the values of STUN attributes are read and written (RFC 8489 section 14, RFC 8656 section 18, RFC 6062 section 6.2).

A codec is two functions. Both are given the transaction id, which XOR-ed addresses need. A reader raises StunError for what is
malformed, a writer ValueError for what cannot be said.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from ipaddress import IPv6Address
from typing import NamedTuple, TypeVar

from .errors import StunError

V = TypeVar("V")
Codec = tuple[Callable[[bytes, bytes], V], Callable[[V, bytes], bytes]]
Address = tuple[str, int]
"""An IP address as Python writes it, and a port."""
COOKIE = b"\x21\x12\xa4\x42"
IPV4, IPV6 = 1, 2
"""Address families (RFC 8489 section 14.1)."""
MAX_TEXT = 763
"""Bytes of text that are read; section 14.3."""
MAX_TEXT_WRITTEN = 508
PORT_MASK = COOKIE[0] << 8 | COOKIE[1]
HALF = struct.Struct("!H")
WORD = struct.Struct("!I")


class ErrorCode(NamedTuple):
    """Section 14.8."""

    code: int
    reason: str


class Algorithm(NamedTuple):
    """An entry of PASSWORD-ALGORITHMS; section 14.11."""

    number: int
    parameters: bytes = b""


class FamilyError(NamedTuple):
    """ADDRESS-ERROR-CODE (RFC 8656 section 18.12): why an address of this family was not given."""

    family: int
    code: int
    reason: str


def family_of(ip: str) -> int:
    """1 for IPv4, 2 for IPv6."""
    return IPV6 if ":" in ip else IPV4


def pack_ip(ip: str) -> bytes:
    """4 or 16 bytes. Raises ValueError for what is no address."""
    if ":" in ip:
        return IPv6Address(ip).packed
    parts = ip.split(".")
    if len(parts) != 4:
        raise ValueError(f"no IPv4 address: {ip!r}")
    return bytes(map(int, parts))


def unpack_ip(packed: bytes) -> str:
    """The address of 4 or 16 bytes."""
    if len(packed) == 4:
        return ".".join(map(str, packed))
    return str(IPv6Address(packed))


def _sized(value: bytes, size: int) -> bytes:
    if len(value) != size:
        raise StunError(f"{len(value)} bytes where {size} are due")
    return value


def _xor(value: bytes, transaction_id: bytes) -> bytes:
    mask = (COOKIE + transaction_id)[: len(value)]
    return (int.from_bytes(value, "big") ^ int.from_bytes(mask, "big")).to_bytes(len(value), "big")


def _split_address(value: bytes) -> tuple[int, bytes]:
    """Port and address, as they stand there."""
    size = {IPV4: 8, IPV6: 20}.get(value[1] if len(value) > 1 else 0)
    if size is None:
        raise StunError("an address of no known family")
    _sized(value, size)
    return HALF.unpack_from(value, 2)[0], value[4:]


def read_address(value: bytes, transaction_id: bytes) -> Address:
    port, ip = _split_address(value)
    return unpack_ip(ip), port


def write_address(address: Address, transaction_id: bytes) -> bytes:
    ip = pack_ip(address[0])
    return bytes((0, IPV4 if len(ip) == 4 else IPV6)) + _half(address[1]) + ip


def read_xor_address(value: bytes, transaction_id: bytes) -> Address:
    port, ip = _split_address(value)
    return unpack_ip(_xor(ip, transaction_id)), port ^ PORT_MASK


def write_xor_address(address: Address, transaction_id: bytes) -> bytes:
    ip = pack_ip(address[0])
    port = _half(address[1] ^ PORT_MASK)
    return bytes((0, IPV4 if len(ip) == 4 else IPV6)) + port + _xor(ip, transaction_id)


def _half(number: int) -> bytes:
    if not 0 <= number <= 0xFFFF:
        raise ValueError(f"{number} is not of 16 bits")
    return HALF.pack(number)


def text(least: int = 0) -> Codec[str]:
    """UTF-8, ``least`` bytes or more."""

    def read(value: bytes, transaction_id: bytes) -> str:
        if not least <= len(value) <= MAX_TEXT:
            raise StunError(f"a text of {len(value)} bytes")
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise StunError("a text that is not UTF-8") from None

    def write(value: str, transaction_id: bytes) -> bytes:
        data = value.encode()
        if not least <= len(data) <= MAX_TEXT_WRITTEN:
            raise ValueError(f"a text of {len(data)} bytes")
        return data

    return read, write


def opaque(least: int = 0, most: int = 0xFFFF) -> Codec[bytes]:
    """Bytes as they are."""

    def read(value: bytes, transaction_id: bytes) -> bytes:
        if not least <= len(value) <= most:
            raise StunError(f"{len(value)} bytes where {least} to {most} are due")
        return value

    def write(value: bytes, transaction_id: bytes) -> bytes:
        if not least <= len(value) <= most:
            raise ValueError(f"{len(value)} bytes where {least} to {most} are due")
        return value

    return read, write


def read_word(value: bytes, transaction_id: bytes) -> int:
    number: int = WORD.unpack(_sized(value, 4))[0]
    return number


def write_word(number: int, transaction_id: bytes) -> bytes:
    if not 0 <= number <= 0xFFFFFFFF:
        raise ValueError(f"{number} is not of 32 bits")
    return WORD.pack(number)


def read_first_half(value: bytes, transaction_id: bytes) -> int:
    """CHANNEL-NUMBER: what follows is reserved and not looked at (RFC 8656 section 18.1)."""
    number: int = HALF.unpack_from(_sized(value, 4))[0]
    return number


def write_first_half(number: int, transaction_id: bytes) -> bytes:
    return _half(number) + b"\0\0"


def read_first_byte(value: bytes, transaction_id: bytes) -> int:
    """A protocol or a family, and three reserved bytes (RFC 8656 sections 18.6, 18.8, 18.11)."""
    return _sized(value, 4)[0]


def write_first_byte(number: int, transaction_id: bytes) -> bytes:
    return bytes((number, 0, 0, 0))


def read_flag(value: bytes, transaction_id: bytes) -> bool:
    """EVEN-PORT: the first bit (RFC 8656 section 18.7)."""
    return bool(_sized(value, 1)[0] & 0x80)


def write_flag(flag: bool, transaction_id: bytes) -> bytes:
    return b"\x80" if flag else b"\0"


def read_nothing(value: bytes, transaction_id: bytes) -> bool:
    """It is there."""
    _sized(value, 0)
    return True


def write_nothing(there: bool, transaction_id: bytes) -> bytes:
    return b""


def _read_code(value: bytes) -> tuple[int, str]:
    if len(value) < 4 or len(value) > 4 + MAX_TEXT:
        raise StunError(f"an error code of {len(value)} bytes")
    hundreds, number = value[2] & 7, value[3]
    if not 3 <= hundreds <= 6 or number > 99:
        raise StunError(f"no error code: {hundreds} and {number}")
    return 100 * hundreds + number, value[4:].decode(errors="replace")


def read_error(value: bytes, transaction_id: bytes) -> ErrorCode:
    return ErrorCode(*_read_code(value))


def write_error(error: ErrorCode, transaction_id: bytes) -> bytes:
    if not 300 <= error.code <= 699:
        raise ValueError(f"no error code: {error.code}")
    return bytes((0, 0, error.code // 100, error.code % 100)) + error.reason.encode()[:MAX_TEXT_WRITTEN]


def read_family_error(value: bytes, transaction_id: bytes) -> FamilyError:
    return FamilyError(value[0] if value else 0, *_read_code(value))


def write_family_error(error: FamilyError, transaction_id: bytes) -> bytes:
    return bytes((error.family,)) + write_error(ErrorCode(error.code, error.reason), transaction_id)[1:]


def read_types(value: bytes, transaction_id: bytes) -> tuple[int, ...]:
    if len(value) % 2:
        raise StunError("a list of types of an odd length")
    return struct.unpack(f"!{len(value) // 2}H", value)


def write_types(numbers: tuple[int, ...], transaction_id: bytes) -> bytes:
    return b"".join(map(_half, numbers))


def read_algorithms(value: bytes, transaction_id: bytes) -> tuple[Algorithm, ...]:
    found, at = [], 0
    while at < len(value):
        if len(value) - at < 4:
            raise StunError("an algorithm runs past the end")
        number, size = struct.unpack_from("!HH", value, at)
        if at + 4 + size > len(value):
            raise StunError("an algorithm's parameters run past the end")
        found.append(Algorithm(number, value[at + 4 : at + 4 + size]))
        at += 4 + size + -size % 4
    return tuple(found)


def write_algorithms(algorithms: tuple[Algorithm, ...], transaction_id: bytes) -> bytes:
    return b"".join(
        _half(number) + _half(len(parameters)) + parameters + bytes(-len(parameters) % 4)
        for number, parameters in algorithms
    )


def read_algorithm(value: bytes, transaction_id: bytes) -> Algorithm:
    found = read_algorithms(value, transaction_id)
    if len(found) != 1:
        raise StunError(f"{len(found)} algorithms where one is due")
    return found[0]


def write_algorithm(algorithm: Algorithm, transaction_id: bytes) -> bytes:
    return write_algorithms((algorithm,), transaction_id)


ADDRESS: Codec[Address] = (read_address, write_address)
XOR_ADDRESS: Codec[Address] = (read_xor_address, write_xor_address)
U32: Codec[int] = (read_word, write_word)
FIRST_HALF: Codec[int] = (read_first_half, write_first_half)
FIRST_BYTE: Codec[int] = (read_first_byte, write_first_byte)
FLAG: Codec[bool] = (read_flag, write_flag)
NOTHING: Codec[bool] = (read_nothing, write_nothing)
ERROR: Codec[ErrorCode] = (read_error, write_error)
FAMILY_ERROR: Codec[FamilyError] = (read_family_error, write_family_error)
TYPES: Codec[tuple[int, ...]] = (read_types, write_types)
ALGORITHMS: Codec[tuple[Algorithm, ...]] = (read_algorithms, write_algorithms)
ALGORITHM: Codec[Algorithm] = (read_algorithm, write_algorithm)
