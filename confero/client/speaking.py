"""What a participant does with the token of a join: hand, chat, reactions, telephones."""

from __future__ import annotations

from confero.models.calls import CallDigits, CallEnd, CallInfo, CallOut, RingAnswer
from confero.models.meetings import ChatMessage, ChatSend, HandPut, ReactionSend

from .parts import Part, at


class Speaking(Part):
    """For whoever is in the room. All raise ApiError."""

    async def hand(self, room: str, wish: HandPut) -> None:
        await self._to.send("PUT", at("rooms", room, "hand"), wish)

    async def say(self, room: str, wish: ChatSend) -> ChatMessage:
        """To the chat."""
        return await self._to.call("POST", at("rooms", room, "messages"), ChatMessage, wish, makes=True)

    async def react(self, room: str, wish: ReactionSend) -> None:
        await self._to.send("POST", at("rooms", room, "reactions"), wish)


class Calls(Part):
    """Telephones, called from the room or ringing for whoever is in it. All raise ApiError."""

    async def dial(self, room: str, wish: CallOut) -> CallInfo:
        return await self._to.call("POST", at("rooms", room, "calls"), CallInfo, wish, makes=True)

    async def get(self, room: str, call: str) -> CallInfo:
        return await self._to.call("GET", at("rooms", room, "calls", call), CallInfo)

    async def hang_up(self, room: str, call: str) -> None:
        await self._to.send("DELETE", at("rooms", room, "calls", call))

    async def end(self, room: str, call: str, wish: CallEnd) -> None:
        """As ``hang_up``, and the telephone's side is told something."""
        await self._to.send("POST", at("rooms", room, "calls", call, "end"), wish)

    async def digits(self, room: str, call: str, wish: CallDigits) -> None:
        await self._to.send("POST", at("rooms", room, "calls", call, "digits"), wish)

    async def answer(self, call: str, wish: RingAnswer) -> None:
        """What somebody says to a call that rings."""
        await self._to.send("POST", at("calls", call, "answer"), wish)
