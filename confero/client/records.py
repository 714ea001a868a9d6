"""Records of meetings: found, read, taken away as files, deleted."""

from __future__ import annotations

from collections.abc import AsyncIterator

from confero.models.history import HistoryQuery, MeetingDetail, MeetingInfo, MeetingPage

from .parts import Part, at, every


class Records(Part):
    """``/api/v1/meetings``. All raise ApiError."""

    async def page(self, query: HistoryQuery) -> MeetingPage:
        return await self._to.call("GET", at("meetings"), MeetingPage, query=query)

    def all(self, query: HistoryQuery | None = None) -> AsyncIterator[MeetingInfo]:
        """The latest first."""
        return every(self.page, query or HistoryQuery())

    async def get(self, meeting: str) -> MeetingDetail:
        """With who was there."""
        return await self._to.call("GET", at("meetings", meeting), MeetingDetail)

    async def delete(self, meeting: str) -> None:
        await self._to.send("DELETE", at("meetings", meeting))

    def as_csv(self, query: HistoryQuery | None = None) -> AsyncIterator[bytes]:
        """All that the query asks for, a line for each stay, piece by piece."""
        return self._to.stream(at("meetings.csv"), query)

    def as_json(self, query: HistoryQuery | None = None) -> AsyncIterator[bytes]:
        """As ``as_csv``: one JSON array of meetings, each with its stays."""
        return self._to.stream(at("meetings.json"), query)
