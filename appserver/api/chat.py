"""The public REST API of a room's chat, and of reactions."""

from __future__ import annotations

from aiohttp import web

from confero.models.meetings import ChatMessage, ChatPage, ChatQuery, ChatSend, ReactionSend
from confero.runtime.http import Route, read_model, read_query, reply

from ..meeting.chat import Chat
from ..meeting.limits import SpeechLimits
from ..rights.guard import actor_of
from .meeting import HOSTS, ROOM, WHO

MESSAGES = f"{ROOM}/messages"
TOO_MUCH = "429 too-many-requests"


class ChatApi:
    """Who asks has passed the guard."""

    def __init__(self, chat: Chat, limits: SpeechLimits) -> None:
        self._chat = chat
        self._limits = limits

    def routes(self) -> list[Route]:
        return [
            Route(
                "GET", MESSAGES, self.page, summary="The chat, the latest first page by page", reply=ChatPage,
                errors=(*WHO, "422 page-invalid"), query=ChatQuery, rule="chat.read",
            ),
            Route(
                "POST", MESSAGES, self.send, summary="Write to everybody in the room", body=ChatSend,
                reply=ChatMessage, status=201, errors=(*WHO, TOO_MUCH), rule="chat.send",
            ),
            Route(
                "DELETE", f"{MESSAGES}/{{message}}", self.delete, summary="Take a message away", status=204,
                errors=(*HOSTS, "404 message-unknown"), rule="chat.delete",
            ),
            Route(
                "POST", f"{ROOM}/reactions", self.react, summary="Show a reaction, which is kept nowhere",
                body=ReactionSend, status=204, errors=(*WHO, TOO_MUCH), rule="hand.put",
            ),
        ]  # fmt: skip

    async def page(self, request: web.Request) -> web.Response:
        query = read_query(request, ChatQuery)
        return reply(await self._chat.page(request.match_info["room"], query.page, query.limit))

    async def send(self, request: web.Request) -> web.Response:
        actor = actor_of(request)
        wish, room = await read_model(request, ChatSend), request.match_info["room"]
        self._limits.take("chat", room, actor.participant or "")
        return reply(await self._chat.send(room, actor.participant or "", actor.name, wish), status=201)

    async def delete(self, request: web.Request) -> web.Response:
        text = request.match_info["message"]
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
        await self._chat.delete(request.match_info["room"], number)
        return reply(None)

    async def react(self, request: web.Request) -> web.Response:
        actor = actor_of(request)
        wish, room = await read_model(request, ReactionSend), request.match_info["room"]
        self._limits.take("reaction", room, actor.participant or "")
        await self._chat.react(room, actor.participant or "", actor.name, wish.emoji)
        return reply(None)
