"""What one would write first, measured beside the notifier: aiohttp, those who listen in each room, and a loop over them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import resource
import sys
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

BEAT_S = 10.0
WAIT_S = 25.0
"""A poll is answered after it, with nothing if nothing has happened."""


@dataclass
class Room:
    """Who listens, and what those who poll may have missed."""

    sockets: set[web.WebSocketResponse] = field(default_factory=set)
    streams: set[web.StreamResponse] = field(default_factory=set)
    last: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=1000))
    """Events with their numbers."""
    count: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once there is another event; then there is a new one of these."""


ROOMS: defaultdict[str, Room] = defaultdict(Room)


def room_of(token: str) -> tuple[str, Room]:
    name = token.partition(".")[2]
    return name, ROOMS[name]


def welcome(name: str, room: Room) -> str:
    topic = {"topic": f"room:{name}", "epoch": "plain", "seq": room.count}
    return json.dumps({"type": "welcome", "session": "plain", "topics": [topic]})


async def events(request: web.Request) -> web.WebSocketResponse:
    ws = web.WebSocketResponse(heartbeat=BEAT_S)
    await ws.prepare(request)
    name, room = room_of(json.loads((await ws.receive()).data)["token"])
    await ws.send_str(welcome(name, room))
    room.sockets.add(ws)
    try:
        async for message in ws:
            if message.type is WSMsgType.ERROR:
                break
    finally:
        room.sockets.discard(ws)
    return ws


async def stream(request: web.Request) -> web.StreamResponse:
    name, room = room_of(request.headers["Authorization"])
    await request.read()
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    await response.write(f"data: {welcome(name, room)}\n\n".encode())
    room.streams.add(response)
    with contextlib.suppress(ConnectionError):
        while True:
            await asyncio.sleep(BEAT_S)
            await response.write(b":\n\n")
    room.streams.discard(response)
    return response


async def poll(request: web.Request) -> web.Response:
    name, room = room_of(request.headers["Authorization"])
    body: dict[str, Any] = await request.json()
    if "seen" not in body:
        return web.Response(text=f'{{"messages":[{welcome(name, room)}]}}', content_type="application/json")
    seen = body["seen"][0]["seq"]
    if seen == room.count:
        try:
            async with asyncio.timeout(WAIT_S):
                await room.news.wait()
        except TimeoutError:
            pass
    missed = ",".join(text for seq, text in room.last if seq > seen)
    return web.Response(text=f'{{"messages":[{missed}]}}', content_type="application/json")


async def publish(request: web.Request) -> web.Response:
    message = await request.json()
    name = message["room"]
    room = ROOMS[name]
    for event in message["events"]:
        room.count += 1
        text = json.dumps({"topic": f"room:{name}", "seq": room.count, **event})
        room.last.append((room.count, text))
        room.news.set()
        room.news = asyncio.Event()
        for ws in list(room.sockets):
            await ws.send_str(text)
        for response in list(room.streams):
            await response.write(f"data: {text}\n\n".encode())
    return web.Response(status=204)


def main() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    app = web.Application()
    posts = {"/events/stream": stream, "/events/poll": poll, "/internal/v1/publish": publish}
    app.add_routes([web.get("/events", events), *(web.post(path, handler) for path, handler in posts.items())])
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None, backlog=1024)


if __name__ == "__main__":
    main()
