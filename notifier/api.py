"""The notifier's internal HTTP API: publications, placement of rooms, starts of MCUs."""

from __future__ import annotations

from aiohttp import web
from pydantic import TypeAdapter, ValidationError

from confero.errors import RemoteError
from confero.models import Id, McuStarted, Publish, RoomPlacement, RoomState
from confero.runtime.http import Route, read_json, read_model, reply
from confero.runtime.problems import InvalidBody

from . import wire
from .fanout import Fanout
from .peers import McuPeers
from .topics import participant_topic, room_topic, user_topic

_id = TypeAdapter[str](Id)


def path_id(request: web.Request, name: str) -> str:
    """The id in the path. Raises RemoteError 404 for what cannot be one."""
    try:
        return _id.validate_python(request.match_info[name])
    except ValidationError:
        raise RemoteError(f"no such {name}", status=404, code="not-found") from None


def publication_of(body: bytes) -> tuple[wire.Publication, list[bytes]]:
    """A publication and its events. Raises RemoteError 400 or InvalidBody."""
    try:
        return wire.read_publication(body)
    except wire.NotJson:
        raise RemoteError("the body is not JSON", status=400, code="not-json") from None
    except wire.Malformed as error:
        raise InvalidBody.text(str(error)) from None


def topics_for(publication: wire.Publication) -> list[str]:
    """Whom it is for: one participant if one is named, else the room, or users."""
    if publication.participant is not None:
        return [participant_topic(publication.participant)]
    return (
        [room_topic(publication.room)] if publication.room is not None else [user_topic(u) for u in publication.users]
    )


class InternalApi:
    """Handlers for the application server and the MCUs."""

    def __init__(self, fanout: Fanout, mcus: McuPeers) -> None:
        self._fanout = fanout
        self._mcus = mcus

    def routes(self) -> list[Route]:
        return [
            Route(
                "POST",
                "/internal/v1/publish",
                self.publish,
                scope="notifier:publish",
                summary="Send events to a room, to one participant or to users",
                body=Publish,
                status=204,
            ),
            Route(
                "PUT",
                "/internal/v1/rooms/{room}",
                self.place,
                scope="notifier:rooms",
                summary="Make the room at its MCU; sessions that knew another MCU are told to renegotiate",
                body=RoomPlacement,
                reply=RoomState,
                errors=("404 not-found", "503 unavailable"),
            ),
            Route(
                "POST",
                "/internal/v1/mcus/{mcu}/started",
                self.started,
                scope="notifier:mcus",
                summary="An MCU process is new: its sessions are told to renegotiate",
                body=McuStarted,
                status=204,
                errors=("404 not-found",),
            ),
        ]

    async def publish(self, request: web.Request) -> web.Response:
        publication, events = publication_of(await read_json(request))
        for topic in topics_for(publication):
            await self._fanout.publish(topic, events)
        return reply(None)

    async def place(self, request: web.Request) -> web.Response:
        room = path_id(request, "room")
        placement = await read_model(request, RoomPlacement)
        state = await self._mcus.ensure_room(placement.mcu_url, room, placement.spec)
        await self._fanout.placed(room, placement.mcu, placement.mcu_url)
        return reply(state)

    async def started(self, request: web.Request) -> web.Response:
        mcu = path_id(request, "mcu")
        await self._fanout.mcu_started(mcu, await read_model(request, McuStarted))
        return reply(None)
