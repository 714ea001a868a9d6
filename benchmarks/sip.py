"""The SIP transaction layer: calls of INVITE, 200, ACK, BYE, 200 between two layers in one thread, by a clock of its own.

    python benchmarks/sip.py            the table of docs/benchmarks.md, in two minutes
    python benchmarks/sip.py --quick    few calls: shows that it runs, not how fast

A call is four transactions, two at each side. The clock runs at 150 calls a second, so that tables and heaps are as full as
they are then: transactions over UDP are remembered for 32 s. "layer" hands messages on as objects; "wire" writes and parses each.
Of each case the fastest take counts, in CPU time.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from report import machine, save, show

from confero.protocols.sip.build import response_to
from confero.protocols.sip.events import AckIn, RequestIn, ResponseIn
from confero.protocols.sip.layer import TransactionLayer
from confero.protocols.sip.message import Request, Response
from confero.protocols.sip.parser import parse
from confero.protocols.sip.target import Target, Transport

RATE = 150
"""Calls a second of the benchmark's clock."""
TAKES = 3
SDP = (
    b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 9000 RTP/AVP 0 8 101\r\n"
    b"a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\n"
)
Message = Request | Response


def request(method: str, number: int, cseq: int, transport: str, body: bytes = b"") -> Request:
    """A request as sipp's default scenario sends it."""
    text = (
        f"{method} sip:room@192.0.2.2:5060 SIP/2.0\r\n"
        f"Via: SIP/2.0/{transport.upper()} 192.0.2.1:5060;branch=z9hG4bK-{number}-{method}\r\n"
        f"From: caller <sip:caller@192.0.2.1:5060>;tag=a{number}\r\n"
        f"To: room <sip:room@192.0.2.2:5060>{'' if method == 'INVITE' else f';tag=b{number}'}\r\n"
        f"Call-ID: {number}-1@192.0.2.1\r\nCSeq: {cseq} {method}\r\n"
        "Contact: <sip:caller@192.0.2.1:5060>\r\nMax-Forwards: 70\r\nSubject: Performance Test\r\n"
        f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    message = parse(text.encode() + body)
    assert isinstance(message, Request)
    return message


def through_wire(message: Message) -> Message:
    return parse(bytes(message))


def unchanged(message: Message) -> Message:
    return message


class Pair:
    """A caller's and a callee's layer, joined back to back."""

    def __init__(self, transport: Transport, carry: Callable[[Message], Message]) -> None:
        self.caller = TransactionLayer(random=Random(1))
        self.callee = TransactionLayer(random=Random(2))
        self.here = Target(transport, "192.0.2.1", 5060)
        self.there = Target(transport, "192.0.2.2", 5060)
        self.carry = carry
        self.now = 0.0
        self.done = 0

    def call(self, invite: Request, ack: Request, bye: Request) -> None:
        """One call, and the timers that are due by then."""
        self.now += 1 / RATE
        self.caller.request(invite, self.there, self.now)
        self._settle()
        self.caller.send(ack, self.there)
        self._settle()
        self.caller.request(bye, self.there, self.now)
        self._settle()
        for layer in (self.caller, self.callee):
            due = layer.next_deadline()
            if due is not None and due <= self.now:
                layer.poll(self.now)

    def _settle(self) -> None:
        """Carries messages until there are none, answering requests by 200."""
        for message, _ in self.caller.take_outgoing():
            for event in self.callee.receive(self.carry(message), self.here, self.now):
                if isinstance(event, RequestIn):
                    answer = response_to(event.request, 200, to_tag=event.request.from_.parameters.get("tag"))
                    self.callee.respond(event.key, answer, self.now)
                else:
                    assert isinstance(event, AckIn)
        for message, _ in self.callee.take_outgoing():
            for event in self.caller.receive(self.carry(message), self.there, self.now):
                assert isinstance(event, ResponseIn)
                self.done += 1


def messages(transport: str, calls: range) -> list[tuple[Request, Request, Request]]:
    return [
        (request("INVITE", n, 1, transport, SDP), request("ACK", n, 1, transport), request("BYE", n, 2, transport))
        for n in calls
    ]


def take(transport: Transport, carry: Callable[[Message], Message], calls: int) -> float:
    """CPU seconds for ``calls`` calls, with the tables as full as they get."""
    pair = Pair(transport, carry)
    warm = min(calls, 34 * RATE)
    for one in messages(transport, range(warm)):
        pair.call(*one)
    asked = messages(transport, range(warm, warm + calls))
    gc.collect()
    gc.freeze()
    begun = time.process_time()
    for one in asked:
        pair.call(*one)
    spent = time.process_time() - begun
    gc.unfreeze()
    assert pair.done == 2 * (warm + calls), "a transaction got lost"
    return spent


def memory(transport: Transport, calls: int) -> float:
    """Bytes that the two layers keep for a call that has just ended."""
    pair = Pair(transport, through_wire)
    asked = messages(transport, range(calls))
    tracemalloc.start()
    for one in asked:
        pair.call(*one)
    gc.collect()
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return held / calls


def measure(calls: int, takes: int) -> list[dict[str, Any]]:
    rows = []
    for transport in ("udp", "tcp"):
        for name, carry in (("layer", unchanged), ("wire", through_wire)):
            spent = min(take(transport, carry, calls) for _ in range(takes))
            row = {"case": name, "transport": transport, "calls": calls, "us_per_call": 1e6 * spent / calls}
            rows.append(row | {"calls_per_s": calls / spent, "transactions_per_s": 4 * calls / spent})
        rows.append(
            {"case": "memory", "transport": transport, "calls": calls, "bytes_per_call": memory(transport, calls)}
        )
    return rows


def line(row: dict[str, Any]) -> str:
    figures = f"| {row['case']} | {row['transport'].upper()} "
    if row["case"] == "memory":
        return figures + f"| | | {row['bytes_per_call']:.0f} B a call |"
    return figures + f"| {row['us_per_call']:.0f} | {row['calls_per_s']:.0f} | {row['transactions_per_s']:.0f} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few calls, one take")
    parser.add_argument("--out", type=Path, help="where the JSON goes (default: benchmarks/results/sip.json)")
    options = parser.parse_args()
    rows = measure(200 if options.quick else 5_000, 1 if options.quick else TAKES)
    show("| case | transport | us a call | calls a second | transactions a second |\n|---|---|---|---|---|")
    for row in rows:
        show(line(row))
    show(f"written to {save('sip', machine('Python only'), rows, options.out)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
