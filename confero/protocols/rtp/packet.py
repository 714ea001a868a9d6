"""One RTP packet: its fixed header, CSRCs, extension block and payload (RFC 3550 section 5.1)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from confero.errors import RemoteError

HEADER = struct.Struct("!BBHII")
VERSION = 2
MAX_CSRC = 15


class RtpError(RemoteError):
    """The datagram is not a well-formed RTP packet."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, code="rtp-malformed")


@dataclass(frozen=True)
class RtpPacket:
    """Header fields by their names in RFC 3550; the payload is without padding."""

    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    marker: bool = False
    csrc: tuple[int, ...] = ()
    extension: tuple[int, bytes] | None = None
    """Profile and data of the extension block."""

    def encode(self) -> bytes:
        """The packet as it goes on the wire. Raises ValueError for fields out of range."""
        if not 0 <= self.payload_type <= 127:
            raise ValueError(f"payload type {self.payload_type} is not in 0-127")
        if len(self.csrc) > MAX_CSRC:
            raise ValueError(f"{len(self.csrc)} contributing sources; at most {MAX_CSRC} fit")
        first = VERSION << 6 | bool(self.extension) << 4 | len(self.csrc)
        second = self.marker << 7 | self.payload_type
        head = HEADER.pack(first, second, self.sequence & 0xFFFF, self.timestamp & 0xFFFFFFFF, self.ssrc)
        head += struct.pack(f"!{len(self.csrc)}I", *self.csrc)
        if self.extension is not None:
            profile, data = self.extension
            if len(data) % 4:
                raise ValueError("extension data is not a multiple of 4 bytes")
            head += struct.pack("!HH", profile, len(data) // 4) + data
        return head + self.payload

    @classmethod
    def decode(cls, data: bytes) -> RtpPacket:
        """Parses a datagram. Raises RtpError, and nothing else, for anything malformed."""
        if len(data) < HEADER.size:
            raise RtpError("shorter than the fixed header")
        first, second, sequence, timestamp, ssrc = HEADER.unpack_from(data)
        if first >> 6 != VERSION:
            raise RtpError(f"version {first >> 6} is not {VERSION}")
        at = HEADER.size + 4 * (first & 15)
        if len(data) < at:
            raise RtpError("the CSRC list runs past the end")
        csrc = struct.unpack_from(f"!{first & 15}I", data, HEADER.size)
        extension, at = _extension(data, at) if first & 0x10 else (None, at)
        end = len(data) - _padding(data, at) if first & 0x20 else len(data)
        return cls(second & 127, sequence, timestamp, ssrc, data[at:end], bool(second >> 7), csrc, extension)


def _extension(data: bytes, at: int) -> tuple[tuple[int, bytes], int]:
    if len(data) < at + 4:
        raise RtpError("the extension header runs past the end")
    profile, words = struct.unpack_from("!HH", data, at)
    end = at + 4 + 4 * words
    if len(data) < end:
        raise RtpError("the extension runs past the end")
    return (profile, data[at + 4 : end]), end


def _padding(data: bytes, at: int) -> int:
    """Octets of padding, counted by the last octet, which counts itself."""
    padding = data[-1]
    if padding == 0 or padding > len(data) - at:
        raise RtpError(f"padding of {padding} octets does not fit")
    return padding
