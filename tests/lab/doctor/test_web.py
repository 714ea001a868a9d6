"""The page's port against servers that answer as they are told, each with one fault."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import formatdate
from typing import Any

import pytest
from aiohttp import web as http

from confero.clock import FakeClock
from confero.lab.doctor import web
from confero.lab.doctor.findings import NotTried, Told, Verdict
from confero.lab.doctor.patient import Patient
from confero.lab.doctor.place import PAGE, Spot

from .rig import certificate, patient, place, says, serving, shows

CLIENT = shows("<title>Confero</title>")
SITE = says({"calls_out": False})
Check = Callable[[Patient], Any]


def problem(code: str, status: int, detail: str = "") -> Callable[..., Any]:
    return says({"type": f"urn:confero:problem:{code}", "title": code, "status": status, "detail": detail}, status)


async def told(check: Check, routes: dict[str, Any]) -> Told:
    async with serving(routes, certificate()[1]) as spot, patient(place({PAGE: spot})) as one:
        found: Told = await check(one)
        return found


async def test_the_page_and_its_api() -> None:
    found = await told(web.page, {"/": CLIENT, "/api/v1/site": SITE})
    assert found.verdict is Verdict.OK and "https://meet.test:" in found.what


@pytest.mark.parametrize(
    ("routes", "what", "advice"),
    [
        ({"/": shows("It works!", Server="Apache")}, "not with the web client", "Apache answers there"),
        ({"/": shows("confero", 404)}, "answers 404", "give the port"),
        ({"/": CLIENT, "/api/v1/site": shows("?", 502)}, "not the application server", "pass everything on"),
        ({"/": CLIENT, "/api/v1/site": problem("internal", 500, "it broke")}, "500 internal: it broke", "log"),
    ],
)
async def test_other_pages(routes: dict[str, Any], what: str, advice: str) -> None:
    async def check(one: Patient) -> Told:
        try:
            return await web.page(one)
        except web.Unwell as error:
            return error.told

    found = await told(check, routes)
    assert found.verdict is Verdict.FAIL and what in found.what and advice in found.advice


def closing(code: int) -> Callable[..., Any]:
    """A WebSocket that ends so after the first message."""

    async def handle(request: http.Request) -> http.WebSocketResponse:
        socket = http.WebSocketResponse()
        await socket.prepare(request)
        await socket.receive()
        await socket.close(code=code)
        return socket

    return handle


@pytest.mark.parametrize(
    ("code", "verdict", "words"),
    [
        (4401, Verdict.OK, "asks the application server"),
        (4503, Verdict.FAIL, "cannot ask the application server"),
        (4403, Verdict.FAIL, "lets nobody in"),
        (1011, Verdict.FAIL, "close code 1011"),
    ],
)
async def test_how_the_events_socket_ends(code: int, verdict: Verdict, words: str) -> None:
    found = await told(web.events, {"/events": closing(code)})
    assert found.verdict is verdict and words in found.what


@pytest.mark.parametrize(
    ("handler", "what", "advice"),
    [
        (problem("notifier-down", 503), "cannot reach the notification server", "notifier_url"),
        (problem("origin-refused", 403), "refuses a page of this origin", "public_url"),
        (problem("odd", 400, "an odd one"), "400 odd: an odd one", "log"),
        (shows("?", 404), "answers 404 instead of a WebSocket", "Upgrade"),
    ],
)
async def test_an_upgrade_that_is_refused(handler: Callable[..., Any], what: str, advice: str) -> None:
    found = await told(web.events, {"/events": handler})
    assert found.verdict is Verdict.FAIL and what in found.what and advice in found.advice


async def test_a_page_that_is_not_there() -> None:
    async with patient(place()) as one:
        for check in (web.page, web.events):
            assert "nothing listens" in (await check(one)).what
        with pytest.raises(NotTried, match="see 'page'"):
            await web.clock(one)


@pytest.mark.parametrize(
    ("skew", "verdict", "words"),
    [(3, Verdict.OK, "within 3 s"), (-40, Verdict.WARN, "40 s behind"), (3600, Verdict.WARN, "3600 s ahead of")],
)
async def test_clocks(skew: float, verdict: Verdict, words: str) -> None:
    clock = FakeClock()
    server = shows("confero", Date=formatdate(clock.wall() + skew, usegmt=True))
    async with serving({"/": server}, certificate()[1]) as spot, patient(place({PAGE: spot}), clock=clock) as one:
        found = await web.clock(one)
    assert found.verdict is verdict and words in found.what


async def test_names() -> None:
    spot = {PAGE: Spot("127.0.0.1", 1)}
    async with patient(place(spot)) as one:
        found = await web.name(one)  # .test has no addresses, RFC 6761
        assert found.verdict is Verdict.FAIL and "DNS record for meet.test" in found.advice
