"""What one would write first, measured beside the notifier: aiohttp, a set of WebSockets for each room, and a loop over it."""

from __future__ import annotations

import json
import resource
import sys
from collections import defaultdict

from aiohttp import WSMsgType, web

ROOMS: defaultdict[str, set[web.WebSocketResponse]] = defaultdict(set)


async def events(request: web.Request) -> web.WebSocketResponse:
    ws = web.WebSocketResponse(heartbeat=10.0)
    await ws.prepare(request)
    room = json.loads((await ws.receive()).data)["token"].partition(".")[2]
    await ws.send_str('{"type":"welcome"}')
    ROOMS[room].add(ws)
    try:
        async for message in ws:
            if message.type is WSMsgType.ERROR:
                break
    finally:
        ROOMS[room].discard(ws)
    return ws


async def publish(request: web.Request) -> web.Response:
    message = await request.json()
    for event in message["events"]:
        text = json.dumps(event)
        for ws in list(ROOMS[message["room"]]):
            await ws.send_str(text)
    return web.Response(status=204)


def main() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    app = web.Application()
    app.add_routes([web.get("/events", events), web.post("/internal/v1/publish", publish)])
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None, backlog=1024)


if __name__ == "__main__":
    main()
