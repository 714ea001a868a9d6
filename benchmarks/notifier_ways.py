"""The three ways to the notifier as a browser's socket sees them: bytes in, messages and answers out. No I/O."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from typing import Any

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
"""Opcodes of WebSocket frames (RFC 6455 section 5.2)."""
HEAD_END = b"\r\n\r\n"


class Way(ABC):
    """One connection. What it wants to send stands in ``answer`` after each call, for the caller to take."""

    def __init__(self, host: str, participant: str, room: str) -> None:
        self.host = host
        self.token = f"{participant}.{room}"
        self.answer = b""
        self.closed: int | None = None
        """The code with which the server has ended it; a HTTP status, where it did not begin."""
        self.held = b""
        """What has come of something that is not whole yet."""
        self.begin()

    @abstractmethod
    def begin(self) -> None:
        """Ask to be let in."""

    @abstractmethod
    def take(self, data: bytes) -> list[bytes]:
        """The messages that are whole now, each JSON. Those of one answer to a poll may come as one."""

    def _head(self) -> bytes | None:
        """The head of a response once it is whole, taken out of what is held."""
        head, end, rest = self.held.partition(HEAD_END)
        if not end:
            return None
        self.held = rest
        return head

    def _post(self, path: str, body: dict[str, Any]) -> bytes:
        text = json.dumps(body)
        lines = (
            f"POST {path} HTTP/1.1",
            f"Host: {self.host}",
            f"Authorization: Bearer {self.token}",
            f"Content-Type: application/json\r\nContent-Length: {len(text)}",
        )
        return "\r\n".join(lines).encode() + HEAD_END + text.encode()


class WebSocket(Way):
    """``GET /events``; pings are answered."""

    def begin(self) -> None:
        self._open = False
        lines = (
            f"GET /events HTTP/1.1\r\nHost: {self.host}\r\nOrigin: http://{self.host}",
            "Connection: Upgrade\r\nUpgrade: websocket",
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        )
        self.answer = "\r\n".join(lines).encode() + HEAD_END

    def take(self, data: bytes) -> list[bytes]:
        self.held += data
        if not self._open and not self._upgraded():
            return []
        messages = []
        for opcode, payload in self._frames():
            if opcode == PING:
                self.answer += frame(PONG, payload)
            elif opcode == CLOSE:
                self.closed = int.from_bytes(payload[:2], "big")
            else:
                messages.append(payload)
        return messages

    def _upgraded(self) -> bool:
        head = self._head()
        if head is None:
            return False
        self._open = status_of(head) == 101
        if self._open:
            self.answer = frame(TEXT, json.dumps({"type": "hello", "token": self.token}).encode())
        else:
            self.closed = status_of(head)
        return self._open

    def _frames(self) -> list[tuple[int, bytes]]:
        """The whole frames so far: opcode and payload."""
        data, found, at = self.held, [], 0
        while len(data) >= at + 2:
            size, begin = data[at + 1], at + 2
            if size >= 126:
                width = 2 if size == 126 else 8
                if len(data) < begin + width:
                    break
                size, begin = int.from_bytes(data[begin : begin + width], "big"), begin + width
            if len(data) < begin + size:
                break
            found.append((data[at] & 15, data[begin : begin + size]))
            at = begin + size
        self.held = data[at:]
        return found


class Stream(Way):
    """``POST /events/stream``: server-sent events in a chunked body."""

    def begin(self) -> None:
        self._open = False
        self._text = b""
        self.answer = self._post("/events/stream", {})

    def take(self, data: bytes) -> list[bytes]:
        self.held += data
        if not self._open:
            head = self._head()
            if head is None:
                return []
            self._open = status_of(head) == 200
            self.closed = None if self._open else status_of(head)
        self._text += b"".join(self._chunks())
        *whole, self._text = self._text.split(b"\n\n")
        messages = [event.removeprefix(b"data: ") for event in whole if event.startswith(b"data: ")]
        if messages and messages[-1].startswith(b'{"type":"close"'):
            self.closed = json.loads(messages.pop())["code"]
        return messages

    def _chunks(self) -> list[bytes]:
        """The whole chunks so far (RFC 9112 section 7.1)."""
        data, found, at = self.held, [], 0
        while (end := data.find(b"\r\n", at)) >= 0:
            size = int(data[at:end], 16)
            if len(data) < end + size + 4:
                break
            found.append(data[end + 2 : end + 2 + size])
            at = end + size + 4
        self.held = data[at:]
        return found


class Poll(Way):
    """``POST /events/poll``, again as soon as it is answered, with what has been seen."""

    def begin(self) -> None:
        self._session = ""
        self._seen: dict[str, dict[str, Any]] = {}
        self._rest: int | None = None
        """Bytes of the body that is coming."""
        self.answer = self._post("/events/poll", {})

    def take(self, data: bytes) -> list[bytes]:
        self.held += data
        if self._rest is None and (head := self._head()) is not None:
            self._rest = length_of(head)
            self.closed = None if status_of(head) == 200 else status_of(head)
        if self._rest is None or len(self.held) < self._rest:
            return []
        body, self.held = self.held[: self._rest], self.held[self._rest :]
        self._rest = None
        if self.closed is None:
            self._note(json.loads(body)["messages"])
        return [body]

    def _note(self, messages: list[dict[str, Any]]) -> None:
        for message in messages:
            if "topic" in message:
                self._seen[message["topic"]]["seq"] = message["seq"]
            elif message["type"] == "welcome":
                self._session = message["session"]
                self._seen = {place["topic"]: place for place in message["topics"]}
            elif message["type"] == "close":
                self.closed = message["code"]
        if self.closed is None:
            self.answer = self._post("/events/poll", {"resume": self._session, "seen": list(self._seen.values())})


WAYS: dict[str, type[Way]] = {"websocket": WebSocket, "stream": Stream, "poll": Poll}


def frame(opcode: int, payload: bytes) -> bytes:
    """A client's frame, masked by zeros (RFC 6455 section 5.2)."""
    size = len(payload)
    head = bytes([0x80 | opcode, 0x80 | size]) if size < 126 else bytes([0x80 | opcode, 0xFE]) + size.to_bytes(2, "big")
    return head + bytes(4) + payload


def status_of(head: bytes) -> int:
    """Of a response (RFC 9112 section 4)."""
    return int(head.split(b" ", 2)[1])


def length_of(head: bytes) -> int:
    """Of a response's body."""
    return int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
