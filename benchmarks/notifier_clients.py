"""Browsers of the notifier's benchmark, as far as their sockets go: one thread with epoll for a few thousand of them.

Started by ``notifier.py``. Says ``ready`` once all are in. Of a line with a number on its input it waits until each member of the
hall has so many events, then says what came, as one line of JSON, and ends.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import select
import socket
import sys
import time
from collections import Counter

TEXT, CLOSE, PING = 1, 8, 9
BUCKET_NS = 100_000
"""Delays are counted in steps of a tenth of a millisecond."""
AT_LAST_S = 20.0
"""Time for what is still on its way when the last event was sent."""
HALL = "hall"
STAMP = re.compile(rb'"n(\d+)-(\d+)"')
"""An event's number, and the monotonic clock in ns when it was sent."""
UPGRADE = (
    "GET /events HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def frame(opcode: int, payload: bytes) -> bytes:
    """A client's frame, masked by zeros (RFC 6455 section 5.2)."""
    size = len(payload)
    head = bytes([0x80 | opcode, 0x80 | size]) if size < 126 else bytes([0x80 | opcode, 0xFE]) + size.to_bytes(2, "big")
    return head + bytes(4) + payload


class Member:
    """One connection. ``numbered`` is the number of the next event of the hall."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.held = b""
        self.numbered = 0

    def frames(self, data: bytes) -> list[tuple[int, bytes]]:
        """The whole frames so far: opcode and payload."""
        data, found, at = self.held + data, [], 0
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


class Crowd:
    """All members of this process, and what they have seen."""

    def __init__(self, port: int, source: str) -> None:
        self._port = port
        self._source = source
        self._members: dict[int, Member] = {}
        self._poll = select.epoll()
        self.delays: Counter[int] = Counter()
        self.faults = 0
        self.events = 0
        self.closed: Counter[int] = Counter()
        """By close code, 1006 for none."""

    def join(self, participant: str, room: str) -> None:
        """Connect, say hello, and wait for the welcome."""
        sock = socket.create_connection(("127.0.0.1", self._port), timeout=30, source_address=(self._source, 0))
        sock.sendall(UPGRADE.format(host=f"127.0.0.1:{self._port}").encode())
        head = b""
        while b"\r\n\r\n" not in head:
            head += sock.recv(4096) or self._refused(head)
        if not head.startswith(b"HTTP/1.1 101"):
            self._refused(head)
        sock.sendall(frame(TEXT, json.dumps({"type": "hello", "token": f"{participant}.{room}"}).encode()))
        member = Member(sock)
        frames = member.frames(head.partition(b"\r\n\r\n")[2])
        while not frames:
            frames = member.frames(sock.recv(65536) or self._refused(b"no welcome"))
        if b'"welcome"' not in frames[0][1]:
            self._refused(frames[0][1])
        sock.setblocking(False)
        self._members[sock.fileno()] = member
        self._poll.register(sock.fileno(), select.EPOLLIN)
        for opcode, payload in frames[1:]:
            self._take(member, opcode, payload, 0)

    def _refused(self, said: bytes) -> bytes:
        raise SystemExit(f"not let in: {said[:200]!r}")

    def pump(self, seconds: float) -> None:
        """Take what comes within this time, if anything does."""
        for descriptor, _ in self._poll.poll(seconds, 256):
            member = self._members[descriptor]
            try:
                data = member.sock.recv(65536)
            except BlockingIOError:
                continue
            now = time.monotonic_ns()
            if not data:
                self._over(member, 1006)
            for opcode, payload in member.frames(data):
                self._take(member, opcode, payload, now)

    def _take(self, member: Member, opcode: int, payload: bytes, now: int) -> None:
        if opcode == PING:
            member.sock.send(frame(10, payload))
        elif opcode == CLOSE:
            self._over(member, int.from_bytes(payload[:2], "big"))
        elif found := STAMP.search(payload):
            self.events += 1
            self.faults += int(found[1]) != member.numbered
            member.numbered = int(found[1]) + 1
            self.delays[(now - int(found[2])) // BUCKET_NS] += 1

    def _over(self, member: Member, code: int) -> None:
        if member.sock.fileno() < 0:
            return
        self.faults += 1
        self.closed[code] += 1
        self._poll.unregister(member.sock.fileno())
        del self._members[member.sock.fileno()]
        member.sock.close()

    def wait(self, hall: int, numbered: int) -> None:
        """Until the hall's members here have all events; what is missing at last are faults."""
        until = time.monotonic() + AT_LAST_S
        while self.events < hall * numbered and time.monotonic() < until:
            self.pump(0.1)
        self.pump(0.2)  # nothing may come twice
        self.faults += abs(hall * numbered - self.events)


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("port", "first", "count", "hall", "group"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--source", required=True)
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    crowd = Crowd(options.port, options.source)
    for number in range(options.first, options.first + options.count):
        hall = number - options.first < options.hall
        crowd.join(f"p{number}", HALL if hall else f"room-{number // options.group}")
        crowd.pump(0)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    told = select.poll()
    told.register(sys.stdin, select.POLLIN)
    while not told.poll(0):
        crowd.pump(0.05)
    crowd.wait(options.hall, int(sys.stdin.readline()))
    seen = {"events": crowd.events, "faults": crowd.faults, "closed": crowd.closed, "delays": crowd.delays}
    sys.stdout.write(json.dumps(seen) + "\n")


if __name__ == "__main__":
    main()
