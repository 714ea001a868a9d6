"""Bodies, queries and empty answers: bounded, checked, and their faults listed."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from aiohttp import web
from pydantic import BaseModel, TypeAdapter

from confero.runtime import bodies, listener
from confero.runtime.http import Route, read_model, read_query, reply

from .rig import rig
from .routes import ECHO, JSON, Query, code_of, nothing

pytestmark = pytest.mark.filterwarnings("error")


@pytest.mark.parametrize(
    ("data", "headers", "status", "code"),
    [
        (b'{"name": "x"}', JSON, 200, ""),
        (b'{"name": "x"}', {"Content-Type": "application/vnd.x+json; charset=utf-8"}, 200, ""),
        (b'{"name": "x"}', {"Content-Type": "text/plain"}, 415, "content-type"),
        (b'{"name": "x"}', {"Content-Type": "image/svg+json"}, 415, "content-type"),
        (b"", JSON, 400, "not-json"),
        (b"{", JSON, 400, "not-json"),
        (b"\xff\xfe", JSON, 400, "not-json"),
        (b"[" * 10_000, JSON, 400, "not-json"),
        (b'{"name": "\\ud800"}', JSON, 400, "not-json"),
        (b"[1]", JSON, 422, "invalid-body"),
        (b"{}", JSON, 422, "invalid-body"),
        (b'{"name": 7}', JSON, 422, "invalid-body"),
        (b'{"name": "123456789"}', JSON, 422, "invalid-body"),
        (b'{"name": "' + b"x" * 100_000 + b'"}', JSON, 413, "body-too-large"),
    ],
)
async def test_bodies(data: bytes, headers: dict[str, str], status: int, code: str) -> None:
    async with rig(ECHO) as it:
        got, body, _ = await it.ask("POST", "/v1/echo", data=data, headers=headers)
        assert got == status
        assert body == {"name": "x", "n": 0} if status == 200 else code_of(body) == code


async def test_a_body_of_unknown_length_is_bounded_too() -> None:
    async def endless() -> Any:
        for _ in range(100):
            yield b"x" * 1000

    async with rig(ECHO, max_body=5000) as it:
        status, body, _ = await it.ask("POST", "/v1/echo", data=endless(), headers=JSON)
        assert (status, code_of(body)) == (413, "body-too-large")


async def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_S", 0.05)
    monkeypatch.setattr(listener, "LINGER_S", 0.05)
    async with rig(ECHO) as it:
        head = b"POST /v1/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{"
        answer = await it.raw(head)
        assert answer.startswith(b"HTTP/1.1 408") and b"urn:confero:problem:too-slow" in answer


async def test_the_faults_of_a_body_are_listed_without_its_values() -> None:
    async with rig(ECHO) as it:
        _, body, _ = await it.ask("POST", "/v1/echo", json={"name": ["swordfish"], "n": "swordfish"})
        assert [error["loc"] for error in body["errors"]] == ["name", "n"]
        assert "swordfish" not in json.dumps(body)


class Item(BaseModel):
    n: int


async def test_the_list_of_faults_is_bounded() -> None:
    items = TypeAdapter(list[Item])

    async def many(request: web.Request) -> web.StreamResponse:
        return reply(await read_model(request, items))

    faulty = json.dumps([{"n" * 5000: "x"}] * 500).encode()
    async with rig(Route("POST", "/", many, body=items), max_body=1 << 22) as it:
        _, body, _ = await it.ask("POST", "/", data=io.BytesIO(faulty), headers=JSON)
        assert len(body["errors"]) == 20 and len(json.dumps(body)) < 10_000
        assert (await it.ask("POST", "/", json=[{"n": 1}, {"n": 2}]))[1] == [{"n": 1}, {"n": 2}]


async def test_queries() -> None:
    async def ask(request: web.Request) -> web.StreamResponse:
        return reply(read_query(request, Query))

    async with rig(Route("GET", "/", ask, query=Query)) as it:
        assert (await it.ask("GET", "/?seconds=5"))[1] == {"seconds": 5, "point": "in"}
        status, body, _ = await it.ask("GET", "/?seconds=600")
        assert (status, code_of(body), body["errors"][0]["loc"]) == (422, "invalid-body", "seconds")


async def test_an_empty_answer() -> None:
    async with rig(Route("GET", "/", nothing)) as it:
        status, text, _ = await it.ask("GET", "/")
        assert (status, text) == (204, "")
