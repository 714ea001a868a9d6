"""Requests sent again under an idempotency key, over the wire: made once, answered twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from confero.appserver.api.once import SIGNS_IN, repeatable
from confero.clock import SystemClock
from confero.errors import Unavailable
from confero.ratelimit import Rate, RateLimiter

from .browser import Browser
from .site import Site

KEY = '"2f1c8a3e-0d53-4f0e-9b57-6a5c6a1f7e10"'


@pytest.fixture
async def ada(site: Site) -> AsyncIterator[Browser]:
    browser = Browser(site)
    await browser.sign_up("ada")
    yield browser
    await browser.close()


async def make(ada: Browser, key: str = KEY, **wish: Any) -> tuple[int, Any]:
    return await ada.ask("POST", "rooms", wish, Idempotency_Key=key)


async def rooms(ada: Browser) -> int:
    return len((await ada.ask("GET", "rooms"))[1]["items"])


def code(problem: Any) -> str:
    return str(problem["type"]).rpartition(":")[2]


async def test_the_same_request_is_answered_the_same(ada: Browser) -> None:
    first = await make(ada, name="Team", pin="4711")
    assert first[0] == 201
    assert await make(ada, name="Team", pin="4711") == first
    assert await make(ada, key=KEY.strip('"'), name="Team", pin="4711") == first
    assert ada.answer.content_type == "application/json"
    assert await rooms(ada) == 1
    assert (await make(ada, key="another", name="Team", pin="4711"))[1]["id"] != first[1]["id"]


async def test_another_request_under_the_key_is_refused(ada: Browser) -> None:
    await make(ada, name="Team")
    status, problem = await make(ada, name="Another")
    assert (status, code(problem)) == (422, "idempotency-key-used")
    status, problem = await ada.ask("POST", "me/keys", {"name": "k", "scopes": ["rooms:read"]}, Idempotency_Key=KEY)
    assert (status, code(problem)) == (422, "idempotency-key-used")


async def test_of_many_at_once_one_makes_it(ada: Browser) -> None:
    found = await asyncio.gather(*(make(ada, name="Team") for _ in range(6)))
    made = {answer["id"] for status, answer in found if status == 201}
    assert len(made) == 1 and await rooms(ada) == 1
    assert {code(answer) for status, answer in found if status != 201} <= {"request-in-progress"}


async def test_a_refusal_is_not_kept(ada: Browser) -> None:
    status, problem = await make(ada, name="")
    assert (status, code(problem)) == (422, "invalid-body")
    assert (await make(ada, name="Team"))[0] == 201


async def test_keys_are_those_of_whoever_shows_them(site: Site, ada: Browser) -> None:
    """And who is nobody has none: another stranger could be given the answer."""
    other = Browser(site)
    try:
        await other.sign_up("grace")
        mine, theirs = await make(ada, name="Team"), await make(other, name="Team")
        assert mine[1]["id"] != theirs[1]["id"]
    finally:
        await other.close()
    status, problem = await site.call("POST", "/api/v1/rooms", {}, {"Idempotency-Key": KEY})
    assert (status, code(problem)) == (400, "idempotency-key-unproven")
    joined = await site.join()
    headers = {"Idempotency-Key": KEY, "Authorization": f"Bearer {joined['token']}"}
    said = [await site.call("POST", "/api/v1/rooms/lobby/messages", {"text": "Hello"}, headers) for _ in range(2)]
    assert said[0] == said[1] and said[0][0] == 201


@pytest.mark.parametrize("key", ["", '""', "x" * 129, "two words", '"a\\"b"', "ü"])
async def test_keys_that_are_none(ada: Browser, key: str) -> None:
    status, problem = await make(ada, key=key)
    assert (status, code(problem)) == (400, "idempotency-key-invalid")


async def test_what_is_shown_once_is_sealed_in_the_table(site: Site, ada: Browser) -> None:
    wish = {"name": "Panel", "scopes": ["rooms:read"]}
    made = [await ada.ask("POST", "me/keys", wish, Idempotency_Key=KEY) for _ in range(2)]
    assert made[0] == made[1] and made[0][1]["key"].startswith("ck_")
    file = site.app.database.file
    assert file is not None
    written = b"".join(path.read_bytes() for path in file.parent.glob(f"{file.name}*"))
    assert made[0][1]["key"].encode() not in written and KEY.strip('"').encode() not in written


async def test_what_nobody_knows_is_not_tried_again(site: Site, ada: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database was lost at COMMIT: the room may be there."""

    async def lost(*_: object) -> None:
        raise Unavailable("Look before you try again.", code="database-unsure")

    with monkeypatch.context() as patch:
        patch.setattr(site.app.house.catalogue, "create", lost)
        assert (await make(ada, name="Team"))[0] == 503
    status, problem = await make(ada, name="Team")
    assert (status, code(problem)) == (503, "database-unsure") and await rooms(ada) == 0


async def test_keys_have_a_pace(site: Site, ada: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one actor."""
    monkeypatch.setattr(site.app.parts.once, "_pace", RateLimiter(Rate(burst=2, per_s=0.01), SystemClock()))
    assert [(await make(ada, key=str(number), name="Team"))[0] for number in range(3)] == [201, 201, 429]
    assert int(ada.answer.headers["Retry-After"]) > 50


def test_nothing_that_signs_in_is_answered_again(site: Site) -> None:
    taking = {f"{route.method} {route.path}" for route in site.app.site.routes if repeatable(route)}
    assert {"POST /api/v1/rooms", "POST /api/v1/me/keys", "POST /api/v1/rooms/{room}/calls"} <= taking
    assert not taking & {"POST /api/v1/setup", "POST /api/v1/accounts"} and len(SIGNS_IN) == 2
