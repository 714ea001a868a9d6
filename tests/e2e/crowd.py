"""Many people in one room: sessions as pages have them, media of the benchmark's generator; each keeps what it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import aiohttp

from confero.errors import RemoteError
from confero.lab.bench.case import Case
from confero.lab.bench.generator import Generator
from confero.lab.bench.joining import AT_ONCE, offer_of, target_of
from confero.lab.stack import Stack
from confero.models import JoinReply
from confero.runtime.tasks import TaskBag

ANSWER_S = 30.0
ANSWERS = ("welcome", "answer", "ok", "error")


class Attendee:
    """One session: its roster and the last meeting's state, as a page would show them."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.participant = ""
        self.roster: dict[str, dict[str, Any]] = {}
        self.meeting: dict[str, Any] = {}
        self.chat: list[str] = []
        self.events = 0
        self.socket: aiohttp.ClientWebSocketResponse
        self._answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()

    async def ask(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Sends one message; its answer, be it an error."""
        self._answer = asyncio.get_running_loop().create_future()
        await self.socket.send_json({"type": kind, **fields})
        async with asyncio.timeout(ANSWER_S):
            return await self._answer

    async def read(self) -> None:
        """Until the session ends."""
        async for message in self.socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                self.events += 1
                self._take(message.json())
        if not self._answer.done():
            self._answer.set_exception(RemoteError(f"the session of {self.name} ended ({self.socket.close_code})"))
            self._answer.exception()  # whoever waits is told; nobody else needs to be

    def _take(self, event: dict[str, Any]) -> None:
        if event["type"] in ANSWERS and not self._answer.done():
            self._answer.set_result(event)
        match event["type"]:
            case "welcome":
                self.roster = {one["id"]: one for one in event["roster"]}
            case "roster":
                self.roster = {one["id"]: one for one in event["participants"]}
            case "participant":
                self.roster[event["participant"]["id"]] = event["participant"]
            case "left":
                self.roster.pop(event["participant"], None)
            case "meeting":
                self.meeting = event["state"]
            case "chat":
                self.chat.append(event["message"]["text"])

    def sees(self, count: int) -> bool:
        """Whether so many are in its roster, all of them with media."""
        return len(self.roster) == count and all(one["state"] == "connected" for one in self.roster.values())


class Crowd:
    """``join`` them, ``leave`` together; ``close`` it in any case."""

    def __init__(self, stack: Stack, room: str, case: Case, generator: Generator) -> None:
        self.people = [Attendee(f"Member {number}") for number in range(case.members)]
        self._stack, self._room, self._case, self._generator = stack, room, case, generator
        self._bearer: dict[int, dict[str, str]] = {}
        self._tasks = TaskBag(limit=10_000)
        self._http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=stack.tls(), limit=0))

    async def join(self) -> None:
        """All, a few at a time; returns when every one has its keys."""
        numbers = iter(range(len(self.people)))
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(self._join_from(numbers))

    async def leave(self) -> None:
        """All at once."""
        await asyncio.gather(*(one.ask("leave", id=2) for one in self.people))

    async def close(self) -> None:
        await self._tasks.close()
        await self._http.close()

    async def say(self, member: int, text: str) -> None:
        """In the chat."""
        url, headers = f"{self._stack.page_url}/api/v1/rooms/{self._room}/messages", self._bearer[member]
        async with self._http.post(url, json={"text": text}, headers=headers) as response:
            assert response.status < 300, await response.text()

    async def _join_from(self, numbers: Iterator[int]) -> None:
        for number in numbers:
            await self._join(number, self.people[number])

    async def _join(self, number: int, one: Attendee) -> None:
        url = f"{self._stack.page_url}/api/v1/rooms/{self._room}/join"
        async with self._http.post(url, json={"display_name": one.name}) as response:
            assert response.status == 200, await response.text()
            grant = JoinReply.model_validate(await response.json())
        one.participant = grant.participant
        self._bearer[number] = {"Authorization": f"Bearer {grant.token}"}
        notifier = self._stack.url("notifier")
        one.socket = await self._http.ws_connect(f"{notifier}/events", origin=notifier, max_msg_size=0, compress=0)
        self._tasks.spawn(one.read(), name=f"session of {one.name}")
        welcome = await one.ask("hello", token=grant.token)
        assert welcome["type"] == "welcome", welcome
        generator = self._generator
        answer = await one.ask(
            "offer", id=1, sdp=offer_of(self._case, number, generator.ports[number], generator.fingerprint)
        )
        assert answer["type"] == "answer", answer
        await generator.join(number, target_of(answer["sdp"]))
