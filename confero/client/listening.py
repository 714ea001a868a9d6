"""What happens, as it happens: events of a room or an account over a stream, through broken connections (docs/notifications.md)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from pydantic import TypeAdapter, ValidationError

from confero.models.events import RoomEvent
from confero.models.signalling import UserWelcome, Welcome

from .errors import ApiError, NoAnswer, ServerFault, SignInNeeded, TooManyRequests
from .places import Places
from .transport import Proof, Transport

STREAM = "/events/stream"
LONGEST_LINE = 1 << 20
"""Bytes: a welcome to a room of thousands."""
SILENCE_S = 35.0
"""The server beats every 10 s."""
FIRST_WAIT_S, LONGEST_WAIT_S = 0.25, 8.0
OVER = {1000: "left", 4403: "closed", 4409: "replaced"}
"""Close codes after which nobody comes back."""
NEW_TOKEN = 4401
Event = Welcome | UserWelcome | RoomEvent
_WELCOME = TypeAdapter[Welcome | UserWelcome](Welcome | UserWelcome)
_EVENT = TypeAdapter[RoomEvent](RoomEvent)


class Ended(Exception):
    """The stream has said its farewell, with a code."""

    def __init__(self, code: object, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class Listener:
    """Made by ``Client`` and ``Seat``."""

    def __init__(self, to: Transport, token: Callable[[], Awaitable[str]], *, renews: bool) -> None:
        """``token``: for the next connection. ``renews``: another one may be good where one is not any more."""
        self._to = to
        self._token = token
        self._renews = renews
        self._places = Places()

    async def events(self) -> AsyncIterator[Event]:
        """A welcome first, and again whenever what was known is void (``resumed`` false); in between each event once, in order.

        Comes back by itself, and ends when it is over: left, sent away, replaced. Raises SignInNeeded when the token has run out
        and there is no other one, NotAllowed and NotFound.
        """
        wait_s = FIRST_WAIT_S
        while True:
            try:
                async for event in self._connection():
                    wait_s = FIRST_WAIT_S
                    yield event
            except Ended as ended:
                if ended.code in OVER:
                    return
                if ended.code == NEW_TOKEN and not self._renews:
                    raise SignInNeeded(401, "token-expired") from None
            except ApiError as error:
                if not self._comes_back(error):
                    raise
                wait_s = max(wait_s, error.retry_after_s)
            await asyncio.sleep(wait_s * (0.5 + self._to.jitter() / 2))
            wait_s = min(LONGEST_WAIT_S, 2 * wait_s)

    def _comes_back(self, error: ApiError) -> bool:
        if isinstance(error, SignInNeeded):
            return self._renews and error.code.startswith("token-")
        return isinstance(error, ServerFault | TooManyRequests)

    async def _connection(self) -> AsyncIterator[Event]:
        proof = Proof(bearer=await self._token())
        lines = self._to.showing(proof).lines(STREAM, self._places.opening(), LONGEST_LINE, SILENCE_S)
        async for line in lines:
            if line.startswith(b"data: ") and (event := self._event(_object(line[6:]))) is not None:
                yield event

    def _event(self, message: dict[str, Any]) -> Event | None:
        """None for what is no event, has come before, or is not known to this version. Raises Ended."""
        kind = message.get("type")
        if kind == "close":
            raise Ended(message.get("code"), str(message.get("reason", "")))
        try:
            if kind == "welcome":
                welcome = _WELCOME.validate_python(message)
                self._places.welcomed(welcome)
                return welcome
            topic, seq = message.get("topic"), message.get("seq")
            if isinstance(topic, str) and isinstance(seq, int) and self._places.is_new(topic, seq):
                return _EVENT.validate_python(message)
        except ValidationError:
            return None
        return None


def _object(text: bytes) -> dict[str, Any]:
    """Raises NoAnswer."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise NoAnswer("bad-reply", "the stream said something that is no message")
    return found
