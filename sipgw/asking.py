"""A request of ours outside of calls, and its final answer: OPTIONS and REGISTER."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from confero.protocols.sip.locate import Destination
from confero.protocols.sip.message import Request, Response
from confero.protocols.sip.target import Target

from .outbound import Sender

Answered = tuple[Response, Target]
"""A final response, and where it came from."""


async def ask(
    sender: Sender,
    request: Request,
    *,
    servers: Sequence[Destination] = (),
    flow: Target | None = None,
    patience_s: float | None = None,
) -> Answered | None:
    """Sends ``request``, which has no Via, as ``Sender.start`` does. None: nobody gave a final answer."""
    question = _Question()
    sender.start(request, question, servers=servers, flow=flow, patience_s=patience_s)
    return await question.answer


class _Question:
    def __init__(self) -> None:
        self.answer: asyncio.Future[Answered | None] = asyncio.get_running_loop().create_future()

    def responded(self, response: Response, source: Target) -> None:
        if response.status >= 200 and not self.answer.done():
            self.answer.set_result((response, source))

    def unanswered(self, *, sent: bool) -> None:
        if not self.answer.done():
            self.answer.set_result(None)
