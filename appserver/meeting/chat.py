"""The chat of a room, and reactions: kept or not, told to everybody in it."""

from __future__ import annotations

from confero.clock import Clock
from confero.errors import Refused, RemoteError, Unavailable
from confero.models.meetings import (
    ChatDeletedEvent,
    ChatEvent,
    ChatMessage,
    ChatPage,
    ChatSend,
    ReactionEvent,
)
from confero.runtime.logging import get_logger

from .store import ChatStore
from .teller import Teller

log = get_logger(__name__)

WELCOME = 50
"""Messages that whoever comes is given at once."""


class Chat:
    """All raise Unavailable."""

    def __init__(self, store: ChatStore, teller: Teller, clock: Clock) -> None:
        self._store = store
        self._teller = teller
        self._clock = clock

    async def send(self, room: str, participant: str, display_name: str, wish: ChatSend) -> ChatMessage:
        """The message as it is kept. With the same nonce it is told again, in case it had not been, and kept once."""
        now = self._clock.wall()
        message, new = await self._store.add(room, participant, display_name, wish.text, wish.nonce, now)
        try:
            await self._teller.event(room, ChatEvent(message=message))
        except (Refused, Unavailable) as error:
            # It is kept, and read with the next page; whoever sent it may send it again under its nonce.
            log.info("a message was not told", room=room, code=error.code, new=new)
        return message

    async def page(self, room: str, before: str | None, limit: int) -> ChatPage:
        """Raises RemoteError 422 ``page-invalid`` for a ``before`` that is no ``next`` of ours."""
        number = None if before is None else _number(before)
        found = await self._store.page(room, number, limit + 1)
        items = found[-limit:]
        return ChatPage(items=items, next=str(items[0].id) if len(found) > limit else None)

    async def latest(self, room: str) -> ChatPage:
        return await self.page(room, None, WELCOME)

    async def delete(self, room: str, message: int) -> None:
        """Raises Refused 404 ``message-unknown``."""
        if not await self._store.delete(room, message):
            raise Refused("There is no such message.", status=404, code="message-unknown")
        await self._teller.event(room, ChatDeletedEvent(id=message))

    async def react(self, room: str, participant: str, display_name: str, emoji: str) -> None:
        """Seen by who is there, and kept nowhere. Raises Refused."""
        event = ReactionEvent(participant=participant, display_name=display_name, emoji=emoji)
        await self._teller.event(room, event)


def _number(page: str) -> int:
    if not (page.isascii() and page.isdigit() and len(page) < 10):
        raise RemoteError("a page as `next` has named it is needed", status=422, code="page-invalid")
    return int(page)
