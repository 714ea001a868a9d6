"""Parts of a gateway for tests: a network in memory on which requests are seen and answered."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from confero.clock import FakeClock
from confero.protocols.sip import Request, Response, Target, TransactionLayer, parse, response_to
from confero.protocols.sip.locate import Answer, Question
from confero.runtime.tasks import TaskBag
from confero.sipgw.addresses import OwnAddresses
from confero.sipgw.endpoint import Endpoint
from confero.sipgw.outbound import Sender
from confero.sipgw.resolve import Resolver
from confero.sipgw.trace import Trace
from confero.sipgw.transports.base import Local

HERE = "192.0.2.1"


class Wire:
    """A carrier that keeps what is sent. ``answer`` feeds a response back from where the request went."""

    def __init__(self) -> None:
        self.sent: list[tuple[Request | Response, Target]] = []

    def send(self, data: bytes, target: Target) -> None:
        self.sent.append((parse(data), target))

    def local(self, target: Target) -> Local:
        return Local(HERE, 5060)

    async def close(self) -> None:
        """Nothing is open."""

    def requests(self, method: str) -> list[tuple[Request, Target]]:
        return [(one, target) for one, target in self.sent if isinstance(one, Request) and one.method == method]

    def responses(self) -> list[Response]:
        return [one for one, _ in self.sent if isinstance(one, Response)]


class Names:
    """A name server with a table; what is not in it is not found."""

    def __init__(self, table: dict[str, Sequence[str]] | None = None) -> None:
        self.table = table or {}

    async def ask(self, question: Question) -> Answer:
        return list(self.table.get(question.name, ())) if question.kind == "ADDRESS" else ()


class Net:
    """An endpoint with a sender on one wire, for all transports."""

    def __init__(self, names: dict[str, Sequence[str]] | None = None) -> None:
        self.clock = FakeClock()
        self.layer = TransactionLayer(random=random.Random(5))
        self.endpoint = Endpoint(
            self.clock, self.layer, OwnAddresses(self.clock, route=lambda address: HERE), Trace(self.clock)
        )
        self.wire = Wire()
        self.endpoint.carriers |= {"udp": self.wire, "tcp": self.wire}
        self.tasks = TaskBag()
        self.names = Names(names)
        self.sender = Sender(self.endpoint, Resolver(self.names), self.tasks)

    def answer(self, request: Request, target: Target, status: int, **headers: str) -> Response:
        """A peer at ``target`` answers."""
        response = response_to(request, status, to_tag=f"peer{target.port}{target.host}")
        for name, value in headers.items():
            response.headers.add(name.replace("_", "-"), value)
        self.endpoint.received(bytes(response), target)
        return response

    async def close(self) -> None:
        await self.tasks.close()
        self.endpoint.close()


def request(method: str, uri: str, **headers: Any) -> Request:
    """One from a phone at 192.0.2.7; header fields over those that it has."""
    fields = {
        "Via": "SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK-1;rport",
        "From": "<sip:alice@confero>;tag=1",
        "To": f"<{uri}>",
        "Call-ID": "c1",
        "CSeq": f"1 {method}",
        "Max-Forwards": "70",
    } | {name.replace("_", "-"): str(value) for name, value in headers.items()}
    text = f"{method} {uri} SIP/2.0\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items()) + "\r\n"
    found = parse(text.encode())
    assert isinstance(found, Request)
    return found
