"""A room while people are there: its state, its lobby, what hosts do, the chat."""

from __future__ import annotations

from collections.abc import AsyncIterator

from confero.models.meetings import (
    Admitted,
    ChatMessage,
    ChatPage,
    ChatQuery,
    LobbyList,
    MeetingPatch,
    MeetingState,
    MuteAll,
    Muted,
    ParticipantMove,
    ParticipantPatch,
)

from .parts import Part, at, every


class Meeting(Part):
    """``/api/v1/rooms/{room}/...``: for hosts by account or key, and for participants with their token. All raise ApiError."""

    async def state(self, room: str) -> MeetingState:
        return await self._to.call("GET", at("rooms", room, "meeting"), MeetingState)

    async def change(self, room: str, wish: MeetingPatch) -> MeetingState:
        return await self._to.call("PATCH", at("rooms", room, "meeting"), MeetingState, wish)

    async def end(self, room: str) -> None:
        """For all."""
        await self._to.send("POST", at("rooms", room, "meeting", "end"))

    async def mute_all(self, room: str, wish: MuteAll) -> Muted:
        return await self._to.call("POST", at("rooms", room, "mute-all"), Muted, wish)

    async def change_participant(self, room: str, participant: str, wish: ParticipantPatch) -> None:
        """Mute, promote, let speak, take down the hand."""
        await self._to.send("PATCH", at("rooms", room, "participants", participant), wish)

    async def remove(self, room: str, participant: str) -> None:
        """Until the meeting is over."""
        await self._to.send("DELETE", at("rooms", room, "participants", participant))

    async def move(self, room: str, participant: str, wish: ParticipantMove) -> None:
        await self._to.send("POST", at("rooms", room, "participants", participant, "move"), wish)

    # --- lobby ----------------------------------------------------------------------------------------------------

    async def lobby(self, room: str) -> LobbyList:
        return await self._to.call("GET", at("rooms", room, "lobby"), LobbyList)

    async def admit_all(self, room: str) -> Admitted:
        return await self._to.call("POST", at("rooms", room, "lobby"), Admitted)

    async def admit(self, room: str, participant: str) -> None:
        await self._to.send("POST", at("rooms", room, "lobby", participant))

    async def refuse(self, room: str, participant: str) -> None:
        await self._to.send("DELETE", at("rooms", room, "lobby", participant))

    # --- chat -----------------------------------------------------------------------------------------------------

    async def messages(self, room: str, query: ChatQuery) -> ChatPage:
        return await self._to.call("GET", at("rooms", room, "messages"), ChatPage, query=query)

    def all_messages(self, room: str, query: ChatQuery | None = None) -> AsyncIterator[ChatMessage]:
        """Page by page back in time; within a page the oldest first."""

        async def page(wish: ChatQuery) -> ChatPage:
            return await self.messages(room, wish)

        return every(page, query or ChatQuery())

    async def delete_message(self, room: str, message: int) -> None:
        await self._to.send("DELETE", at("rooms", room, "messages", message))
