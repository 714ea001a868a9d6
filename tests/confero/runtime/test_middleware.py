"""What surrounds every request: errors become problem details, and scopes let in whom the table names."""

from __future__ import annotations

import json
import logging

import aiohttp
import pytest
from aiohttp import web

from confero.clock import FakeClock
from confero.errors import LocalError, Refused, RemoteError, Unavailable
from confero.runtime.http import HttpApp, Route

from .rig import SECRET, logged, rig
from .routes import ECHO, JSON, WHO, Body, code_of, echo, nothing, raises

pytestmark = pytest.mark.filterwarnings("error")


# --- errors --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Refused("the room is full", status=409, code="room-full"), 409, "room-full"),
        (RemoteError("bad sdp", status=422, code="sdp-invalid"), 422, "sdp-invalid"),
        (Unavailable("no media server", code="no-media-server"), 503, "no-media-server"),
        (web.HTTPNotFound(), 404, "not-found"),
        (web.HTTPConflict(), 409, "http-409"),
    ],
)
async def test_errors_made_on_purpose_keep_their_words(error: Exception, status: int, code: str) -> None:
    async with rig(raises(error)) as it:
        got, body, response = await it.ask("GET", "/fail")
        assert (got, body["status"], code_of(body)) == (status, status, code)
        assert response.content_type == "application/problem+json"
        assert body.get("detail", "") == getattr(error, "detail", getattr(error, "reason", ""))


@pytest.mark.parametrize(
    "error", [KeyError("secret detail"), LocalError("our bug"), TimeoutError(), RecursionError("x")]
)
async def test_the_unexpected_is_500_without_detail_and_logged_with_trace(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    async with rig(raises(error)) as it:
        status, body, response = await it.ask("GET", "/fail")
        assert (status, code_of(body)) == (500, "internal")
        assert "detail" not in body and "secret" not in json.dumps(body)
    (record,) = logged(caplog, logging.WARNING)
    assert record["event"] == "request failed" and record["exc_info"] is error
    assert record["request_id"] == response.headers["X-Request-Id"]


async def test_a_service_that_is_down_is_one_line_without_trace(caplog: pytest.LogCaptureFixture) -> None:
    async with rig(raises(Unavailable("mcu did not answer"))) as it:
        await it.ask("GET", "/fail")
    (record,) = logged(caplog, logging.WARNING)
    assert record["reason"] == "mcu did not answer" and "exc_info" not in record


@pytest.mark.parametrize("kind", [Refused, Unavailable])
async def test_when_to_come_again_is_told_in_whole_seconds(kind: type[Refused] | type[Unavailable]) -> None:
    async with rig(raises(kind("later", retry_after_s=1.2))) as it:
        _, _, response = await it.ask("GET", "/fail")
        assert response.headers["Retry-After"] == "2"
    async with rig(raises(kind("maybe"))) as it:
        _, _, response = await it.ask("GET", "/fail")
        assert "Retry-After" not in response.headers


async def test_unknown_paths_and_methods() -> None:
    async with rig(ECHO) as it:
        status, body, _ = await it.ask("GET", "/v1/other")
        assert (status, code_of(body)) == (404, "not-found")
        status, body, response = await it.ask("DELETE", "/v1/echo")
        assert (status, code_of(body), response.headers["Allow"]) == (405, "method-not-allowed", "POST")


async def test_redirects_pass() -> None:
    async with rig(raises(web.HTTPFound("/elsewhere"))) as it:
        status, _, response = await it.ask("GET", "/fail", allow_redirects=False)
        assert (status, response.headers["Location"]) == (302, "/elsewhere")
        assert "X-Request-Id" in response.headers


async def test_an_error_after_the_head_cuts_the_connection(caplog: pytest.LogCaptureFixture) -> None:
    async def half(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"half")
        raise KeyError("midway")

    async def socket_(request: web.Request) -> web.StreamResponse:
        response = web.WebSocketResponse()
        await response.prepare(request)
        raise KeyError("midway")

    async with rig(Route("GET", "/half", half), Route("GET", "/ws", socket_)) as it:
        with pytest.raises(aiohttp.ClientPayloadError):
            await it.ask("GET", "/half")
        async with it.http.ws_connect(it.listener.url + "/ws") as ws:
            assert (await ws.receive(5)).type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
        assert (await it.ask("GET", "/health"))[0] == 200
    assert [record["event"] for record in logged(caplog, logging.WARNING)] == ["request failed"] * 2


# --- authentication ------------------------------------------------------------------------------------------------


async def test_a_scope_lets_only_those_in_that_the_table_names() -> None:
    async with rig(WHO) as it:
        assert (await it.ask("GET", "/v1/who/r", headers=it.token("notifier")))[:2] == (200, {"caller": "notifier"})
        status, body, _ = await it.ask("GET", "/v1/who/r", headers=it.token("appserver"))
        assert (status, code_of(body)) == (403, "not-allowed")


async def test_no_or_a_bad_token_is_401_and_names_the_scheme() -> None:
    async with rig(WHO) as it:
        token = it.token()["Authorization"].removeprefix("Bearer ")
        bad = ["", "Bearer", "Bearer ", f"Basic {token}", f"Bearer {token[:-1]}", "Bearer é".encode().decode("latin-1")]
        for header in bad:
            status, body, response = await it.ask("GET", "/v1/who/r", headers={"Authorization": header})
            assert (status, code_of(body)) == (401, "token-invalid")
            assert response.headers["WWW-Authenticate"] == "Bearer"
        for headers, code in [
            (it.token(audience="notifier"), "token-invalid"),
            (it.token(age=120), "token-expired"),
            ({}, "token-invalid"),
        ]:
            status, body, _ = await it.ask("GET", "/v1/who/r", headers=headers)
            assert (status, code_of(body)) == (401, code)
        assert (await it.ask("GET", "/v1/who/r", headers={"Authorization": f"bearer {token}"}))[0] == 200


async def test_a_token_that_is_known_ends_when_it_should() -> None:
    async with rig(WHO) as it:
        headers = it.token()
        for seconds, status in ((0, 200), (69, 200), (1, 401)):  # a minute, and the leeway
            it.clock.advance(seconds)
            assert (await it.ask("GET", "/v1/who/r", headers=headers))[0] == status


async def test_the_token_is_looked_at_before_the_body() -> None:
    route = Route("POST", "/v1/echo", echo, "mcu:rooms", body=Body)
    async with rig(route) as it:
        status, _, _ = await it.ask("POST", "/v1/echo", data=b"{", headers=JSON)
        assert status == 401


def test_a_scope_that_nobody_knows_is_a_bug() -> None:
    with pytest.raises(LocalError, match="mcu:romms"):
        HttpApp("mcu", [Route("GET", "/", nothing, "mcu:romms")], secret=SECRET, clock=FakeClock())
