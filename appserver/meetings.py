"""Meetings put together: stores, desk, chat, keeper, routes."""

from __future__ import annotations

from confero.clock import Clock
from confero.models.meetings import ChatPage, MeetingState
from confero.runtime.http import Route

from .api.chat import ChatApi
from .api.meeting import MeetingApi
from .api.phonehands import PhoneHands
from .db.chatstore import SqlChat
from .db.engine import Database
from .db.meetingstore import SqlMeetings
from .meeting.chat import Chat
from .meeting.desk import MeetingDesk, MoveTerms
from .meeting.keeper import Keeper
from .meeting.limits import SpeechLimits
from .meeting.teller import Teller
from .peers import NotifierPeer
from .rights.relations import Relations
from .rooms.farm import Farm
from .rooms.house import House
from .telephony import Telephony


class Homes:
    """A ``meeting.teller.Homes``."""

    def __init__(self, house: House, farm: Farm) -> None:
        self._house = house
        self._farm = farm

    async def of(self, room: str) -> str | None:
        return self.url((await self._house.catalogue.known(room)).mcu)

    def url(self, mcu: str | None) -> str | None:
        found = self._farm.alive(mcu)
        return found.url if found is not None else None


class Meetings:
    """Made once, by the application."""

    def __init__(
        self,
        database: Database,
        notifier: NotifierPeer,
        house: House,
        farm: Farm,
        telephony: Telephony,
        clock: Clock,
        grace_s: float,
    ) -> None:
        self._house = house
        self.store = SqlMeetings(database)
        self.teller = Teller(self.store, notifier, Homes(house, farm), clock)
        terms = MoveTerms(house.tickets.give, telephony.move, grace_s)
        self.desk = MeetingDesk(self.store, self.teller, terms, clock)
        self.chat = Chat(SqlChat(database), self.teller, clock)
        self.keeper = Keeper(self.store, self.teller, clock)
        self._limits = SpeechLimits(clock)

    async def delete(self, room_id: str) -> None:
        """Raises Refused: 404 ``room-unknown``, 409 ``room-kept``."""
        await self.desk.delete(room_id, lambda: self._house.delete(room_id))

    async def welcome(self, room_id: str) -> tuple[MeetingState, ChatPage]:
        """For whoever has come in: the meeting, which begins with the first one, and the latest of the chat."""
        return await self.desk.enter(room_id), await self.chat.latest(room_id)

    def internal_routes(self) -> list[Route]:
        """For the SIP gateway."""
        return PhoneHands(self.desk, self._limits).routes()

    def routes(self, relations: Relations) -> list[Route]:
        """For pages."""
        return [
            *MeetingApi(self.desk, self._limits, relations).routes(),
            *ChatApi(self.chat, self._limits).routes(),
        ]
