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

from notifier_ways import WAYS, Way

BUCKET_NS = 100_000
"""Delays are counted in steps of a tenth of a millisecond."""
AT_LAST_S = 20.0
"""Time for what is still on its way when the last event was sent."""
HALL = "hall"
STAMP = re.compile(rb'"n(\d+)-(\d+)"')
"""An event's number, and the monotonic clock in ns when it was sent."""


class Member:
    """One connection. ``numbered`` is the number of the next event of the hall."""

    __slots__ = ("numbered", "sock", "way")

    def __init__(self, sock: socket.socket, way: Way) -> None:
        self.sock = sock
        self.way = way
        self.numbered = 0

    def take(self, data: bytes) -> list[bytes]:
        """The messages in what has come; what there is to be said is sent."""
        messages = self.way.take(data)
        if self.way.answer:
            self.sock.sendall(self.way.answer)  # small, and what was sent before has been answered
            self.way.answer = b""
        return messages


class Crowd:
    """All members of this process, and what they have seen."""

    def __init__(self, way: str, port: int, source: str) -> None:
        self._way = WAYS[way]
        self._port = port
        self._source = source
        self._members: dict[int, Member] = {}
        self._poll = select.epoll()
        self.delays: Counter[int] = Counter()
        self.faults = 0
        self.events = 0
        self.closed: Counter[int] = Counter()
        """By close code, or HTTP status; 1006 for none."""

    def join(self, participant: str, room: str) -> None:
        """Connect, say who it is, and wait for the welcome."""
        sock = socket.create_connection(("127.0.0.1", self._port), timeout=30, source_address=(self._source, 0))
        member = Member(sock, self._way(f"127.0.0.1:{self._port}", participant, room))
        messages = member.take(b"")
        while not messages:
            data = sock.recv(65536)
            messages = member.take(data)
            if not data or member.way.closed is not None:
                raise SystemExit(f"not let in: {member.way.closed} {data[:200]!r}")
        if b'"welcome"' not in messages[0]:
            raise SystemExit(f"no welcome: {messages[0][:200]!r}")
        sock.setblocking(False)
        self._members[sock.fileno()] = member
        self._poll.register(sock.fileno(), select.EPOLLIN)
        for message in messages[1:]:
            self._note(member, message, 0)

    def pump(self, seconds: float) -> None:
        """Take what comes within this time, if anything does."""
        for descriptor, _ in self._poll.poll(seconds, 256):
            member = self._members[descriptor]
            try:
                data = member.sock.recv(65536)
            except BlockingIOError:
                continue
            now = time.monotonic_ns()
            for message in member.take(data):
                self._note(member, message, now)
            if not data or member.way.closed is not None:
                self._over(member, member.way.closed or 1006)

    def _note(self, member: Member, message: bytes, now: int) -> None:
        """Count the events in it: one, or those of an answer to a poll."""
        for found in STAMP.finditer(message):
            self.events += 1
            self.faults += int(found[1]) != member.numbered
            member.numbered = int(found[1]) + 1
            self.delays[(now - int(found[2])) // BUCKET_NS] += 1

    def _over(self, member: Member, code: int) -> None:
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
    parser.add_argument("--way", choices=WAYS, required=True)
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    crowd = Crowd(options.way, options.port, options.source)
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
