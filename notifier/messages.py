"""A message on its way to many browsers: made into JSON once, and once into what each kind of connection sends of it. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel

TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA
"""Opcodes (RFC 6455 section 5.2)."""
CONTROL_LIMIT = 125
"""Bytes in a control frame (RFC 6455 section 5.5)."""


@dataclass(frozen=True)
class Event:
    """What has happened, before a topic has numbered it."""

    body: bytes
    """A JSON object in one line, with at least ``type``."""
    final: bool = False
    """The session ends after it."""


class Message:
    """One JSON object in one line. All connections share it, and the bytes that it has become."""

    __slots__ = ("_block", "_frame", "json")

    def __init__(self, json: bytes) -> None:
        self.json = json
        self._frame: bytes | None = None
        self._block: bytes | None = None

    @property
    def frame(self) -> bytes:
        """As a text frame of a server: unmasked, so that it is the same for all (RFC 6455 section 5.2)."""
        if self._frame is None:
            self._frame = frame(TEXT, self.json)
        return self._frame

    @property
    def block(self) -> bytes:
        """As an event of a stream (HTML, section 9.2.5)."""
        if self._block is None:
            self._block = chunk(b"data: %b\n\n" % self.json)
        return self._block


def message_of(model: BaseModel) -> Message:
    """What goes to one connection."""
    return Message(model.model_dump_json().encode())


def frame(opcode: int, payload: bytes) -> bytes:
    """A whole frame as servers send it (RFC 6455 section 5.2)."""
    size = len(payload)
    if size < 126:
        return bytes((0x80 | opcode, size)) + payload
    if size < 1 << 16:
        return bytes((0x80 | opcode, 126)) + size.to_bytes(2, "big") + payload
    return bytes((0x80 | opcode, 127)) + size.to_bytes(8, "big") + payload


def chunk(data: bytes) -> bytes:
    """A chunk of a body (RFC 9112 section 7.1)."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def close_frame(code: int, reason: str) -> bytes:
    """A close frame; of a longer reason what fits (RFC 6455 section 5.5.1)."""
    text = reason.encode()[: CONTROL_LIMIT - 2].decode(errors="ignore")
    return frame(CLOSE, code.to_bytes(2, "big") + text.encode())


def numbered(topic: str, seq: int, body: bytes) -> bytes:
    """The event as browsers get it: ``body`` with its topic and number put in front. ``topic`` needs no escapes."""
    return b'{"topic":"%b","seq":%d,%b' % (topic.encode(), seq, body[1:])


def array(bodies: Sequence[bytes]) -> bytes:
    """A JSON array of what is JSON already."""
    return b"[" + b",".join(bodies) + b"]"
