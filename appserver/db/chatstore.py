"""The chat on SQL: messages numbered in their room, the latest thousand; each method is one transaction."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from confero.models.meetings import ChatMessage

from .engine import Database
from .meetingtables import chat_messages, meeting_states
from .statements import insert_new

KEPT = 1000
"""Messages of a room; older ones go."""
_SHOWN = [chat_messages.c[name] for name in ("id", "at", "participant", "display_name", "text", "nonce")]


class SqlChat:
    """Implements ``meeting.store.ChatStore``."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def add(
        self, room: str, participant: str, display_name: str, text: str, nonce: str | None, now: float
    ) -> tuple[ChatMessage, bool]:
        state, row = meeting_states.c, chat_messages.c
        counted = update(meeting_states).where(state.room == room).values(last_message=state.last_message + 1)
        same = select(*_SHOWN).where(row.room == room, row.participant == participant, row.nonce == nonce)

        async def work(connection: AsyncConnection) -> tuple[ChatMessage, bool]:
            # The lock under which a room's messages are numbered.
            if not (await connection.execute(counted)).rowcount:
                await connection.execute(insert_new(meeting_states).values(room=room))
                await connection.execute(counted)
            earlier = (await connection.execute(same)).first() if nonce is not None else None
            if earlier is not None:
                return _message(earlier), False
            number = await connection.scalar(select(state.last_message).where(state.room == room)) or 0
            message = ChatMessage(
                id=number, at=now, participant=participant, display_name=display_name, text=text, nonce=nonce
            )
            await connection.execute(insert(chat_messages).values(room=room, **message.model_dump()))
            await connection.execute(delete(chat_messages).where(row.room == room, row.id <= number - KEPT))
            return message, True

        return await self._db.write(work)

    async def page(self, room: str, before: int | None, limit: int) -> list[ChatMessage]:
        row = chat_messages.c
        query = select(*_SHOWN).where(row.room == room).order_by(row.id.desc()).limit(limit)
        if before is not None:
            query = query.where(row.id < before)
        return [_message(found) for found in reversed(await self._db.rows(query))]

    async def delete(self, room: str, message: int) -> bool:
        one = delete(chat_messages).where(chat_messages.c.room == room, chat_messages.c.id == message)

        async def work(connection: AsyncConnection) -> bool:
            return (await connection.execute(one)).rowcount == 1

        return await self._db.write(work)


def _message(row: Row[Any]) -> ChatMessage:
    return ChatMessage.model_validate(row._asdict())
