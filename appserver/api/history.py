"""The public API of records: meetings by pages, one with its stays, exports, deletion."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from aiohttp import web

from confero.errors import Refused
from confero.models.history import HistoryQuery, MeetingDetail, MeetingPage
from confero.runtime.http import Handler, Route, read_query, reply

from ..history.exports import as_csv, as_json
from ..history.store import Mark, RecordStore, Wanted
from ..history.views import meeting_info, stay_info
from ..rights.actors import Actor
from ..rights.guard import actor_of
from ..rights.relations import by_itself
from ..rights.table import RULES
from .pagemarks import mark_of, read_mark

BASE = "/api/v1/meetings"
SHOWN_STAYS = 1000
Export = Callable[[RecordStore, Wanted], AsyncIterator[bytes]]


class HistoryApi:
    """``/api/v1/meetings``."""

    def __init__(self, records: RecordStore) -> None:
        self._records = records

    def routes(self) -> list[Route]:
        one = f"{BASE}/{{meeting}}"
        return [
            Route(
                *("GET", BASE, self.page),
                summary="Records of meetings, the latest first",
                rule="meetings.list",
                query=HistoryQuery,
                reply=MeetingPage,
                errors=("422 page-invalid",),
            ),
            self._export("csv", "text/csv", as_csv, "a line for each stay (RFC 4180)"),
            self._export("json", "application/json", as_json, "each with all its stays"),
            Route(
                *("GET", one, self.get),
                summary="One meeting with those who were there",
                rule="meetings.record",
                reply=MeetingDetail,
                errors=("404 meeting-unknown",),
            ),
            Route(
                *("DELETE", one, self.delete),
                summary="Delete a record, and who was there",
                rule="meetings.delete",
                status=204,
                errors=("404 meeting-unknown", "409 meeting-goes-on"),
            ),
        ]

    def _export(self, name: str, content_type: str, export: Export, what: str) -> Route:
        return Route(
            *("GET", f"{BASE}.{name}", self._file(name, content_type, export)),
            summary=f"All that the query asks for as one file: {what}; limit and page are not looked at",
            rule="meetings.list",
            query=HistoryQuery,
            reply_type=content_type,
        )

    async def page(self, request: web.Request) -> web.Response:
        query = read_query(request, HistoryQuery)
        before = _mark(query.page) if query.page else None
        found = await self._records.meetings(_wanted(query, actor_of(request)), before, query.limit + 1)
        shown = found[: query.limit]
        following = mark_of((shown[-1].started_at, shown[-1].id)) if len(found) > query.limit else None
        return reply(MeetingPage(items=[meeting_info(one) for one in shown], next=following))

    async def get(self, request: web.Request) -> web.Response:
        meeting = await self._records.meeting(request.match_info["meeting"])
        if meeting is None:
            raise _unknown()
        stays = await self._records.stays(meeting.id, None, SHOWN_STAYS)
        info = meeting_info(meeting).model_dump()
        return reply(MeetingDetail(**info, stays=[stay_info(row) for row in stays]))

    async def delete(self, request: web.Request) -> web.Response:
        outcome = await self._records.delete(request.match_info["meeting"])
        if outcome == "unknown":
            raise _unknown()
        if outcome == "goes-on":
            raise Refused("The meeting still goes on.", status=409, code="meeting-goes-on")
        return reply(None)

    def _file(self, name: str, content_type: str, export: Export) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            wanted = _wanted(read_query(request, HistoryQuery), actor_of(request))
            response = web.StreamResponse()
            response.content_type, response.charset = content_type, "utf-8"
            response.headers["Content-Disposition"] = f'attachment; filename="meetings.{name}"'
            response.headers["Cache-Control"] = "no-store"
            pieces = export(self._records, wanted)
            first = await anext(pieces)  # a database that is away is said before the head is out
            await response.prepare(request)
            await response.write(first)
            async for piece in pieces:
                await response.write(piece)
            await response.write_eof()
            return response

        return handle


def _wanted(query: HistoryQuery, actor: Actor) -> Wanted:
    """Raises Refused 403 ``not-allowed`` for everybody's, where that is not for whoever asks."""
    if query.everyone and not RULES["meetings.list-all"].may & by_itself(actor):
        raise Refused("You may not see everybody's records.", status=403, code="not-allowed")
    user = None if query.everyone else (actor.user or "")
    return Wanted(user, query.room, query.after, query.before, query.who)


def _mark(page: str) -> Mark:
    """Raises RemoteError 422 ``page-invalid``."""
    at, id = read_mark(page, (float, str))
    return at, id


def _unknown() -> Refused:
    return Refused("There is no such record.", status=404, code="meeting-unknown")
