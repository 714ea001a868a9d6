"""Calls from and to pages over HTTP: who may make, answer, key into and end them; what the gateway is told."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import WSMsgType, web

from confero.appserver.sip.switchboard import dialled
from confero.errors import RemoteError
from confero.models.calls import CallInfo
from confero.runtime.http import Listener
from confero.tokens import check_service_token

from .conftest import SiteMaker
from .site import SECRET, Site
from .test_sip_api import admin


class FakeGateway:
    """Keeps what it was asked; knows one call, ``c1``, or what was called out."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self.calls: dict[str, CallInfo] = {}
        self.listener: Listener
        self.forwarded = ""

    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/v1/{path:.*}", self._handle)
        app.router.add_get("/sip", self._sip)
        self.listener = await Listener.start(app, "127.0.0.1", 0, shutdown_s=0.1)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.port}"

    async def _handle(self, request: web.Request) -> web.Response:
        token = request.headers["Authorization"].removeprefix("Bearer ")
        assert check_service_token(token, audience="sipgw", secret=SECRET, now=time.time()) == "appserver"
        body = await request.json() if request.can_read_body else None
        self.asked.append((request.method, request.path, body))
        if request.path == "/v1/calls":
            place = body["decision"]["place"]
            info = CallInfo(
                id=body["id"], direction="out", room=body["room"], participant=place["participant"],
                owner=body["owner"], name=body["name"], state="calling",
            )  # fmt: skip
            self.calls[info.id] = info
            return web.json_response(info.model_dump(), status=201)
        found = next((c for c in self.calls.values() if request.path.split("/")[3] in (c.id, c.participant)), None)
        if found is None:
            problem = {"type": "urn:confero:problem:call-unknown", "title": "x", "status": 404}
            return web.json_response(problem, status=404)
        if request.method == "GET":
            return web.json_response(found.model_dump())
        return web.Response(status=204)

    async def _sip(self, request: web.Request) -> web.StreamResponse:
        self.forwarded = request.headers.get("X-Forwarded-For", "")
        ws = web.WebSocketResponse(protocols=("sip",))
        await ws.prepare(request)
        async for message in ws:
            await ws.send_str(f"heard {message.data}")
        return ws


@pytest.fixture
async def gateway() -> AsyncIterator[FakeGateway]:
    fake = FakeGateway()
    await fake.start()
    yield fake
    await fake.listener.close()


@pytest.fixture
async def office(make_site: SiteMaker, gateway: FakeGateway) -> Site:
    """Guests may call numbers that begin with 030, by a rule for all addresses at phones.example."""
    site: Site = await make_site(sipgw_url=gateway.url, call_out_roles=["guest"], call_out_patterns=["030."])
    await site.mcu.register(site.internal_url)
    rule = {
        "position": 10,
        "direction": "out",
        "source": "browser",
        "pattern": ".",
        "domain": "phones.example",
        "action": "address",
    }
    assert (await admin(site, "POST", "rules", rule))[0] == 201
    return site


def bearer(join: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {join['token']}"}


async def call(site: Site, join: dict[str, Any], to: str, **more: Any) -> tuple[int, Any]:
    path = f"/api/v1/rooms/{join['room']['id']}/calls"
    return await site.call("POST", path, {"to": to, **more}, bearer(join))


async def test_a_guest_calls_where_he_may(office: Site, gateway: FakeGateway) -> None:
    ada = await office.join("Ada")
    assert ada["calls_out"] is True and (await office.call("GET", "/api/v1/site"))[1] == {"calls_out": True}
    status, info = await call(office, ada, "sip:0301@phones.example", user_data="order 7", headers={"X-Customer": "1"})
    assert (status, info["state"], info["room"], info["owner"]) == (201, "calling", "lobby", ada["participant"])
    asked = gateway.asked[-1][2]
    assert (asked["decision"]["number"], asked["decision"]["domain"]) == ("0301", "phones.example")
    assert (asked["owner_name"], asked["user_data"], asked["headers"]) == ("Ada", "order 7", {"X-Customer": "1"})
    for to, code in (
        ("0401@phones.example", "call-out-refused"),
        ("0301@elsewhere.example", "not-found"),
        ("0301", "not-found"),
        ("sip:a@b;transport=tcp", "address-invalid"),
        ("sip:a:pw@b", "address-invalid"),
    ):
        status, problem = await call(office, ada, to)
        assert problem["type"].endswith(f":{code}"), (to, problem)


async def test_nobody_calls_out_of_the_box(make_site: SiteMaker, gateway: FakeGateway) -> None:
    site = await make_site(sipgw_url=gateway.url)
    await site.mcu.register(site.internal_url)
    ada = await site.join()
    assert ada["calls_out"] is False and (await site.call("GET", "/api/v1/site"))[1] == {"calls_out": False}
    assert (await call(site, ada, "0301@phones.example"))[0] == 404
    rule = {"position": 10, "direction": "out", "source": "browser", "pattern": ".", "action": "address"}
    await admin(site, "POST", "rules", rule)
    assert (await call(site, ada, "0301@phones.example"))[1]["type"].endswith(":call-out-refused")
    assert gateway.asked == []


async def test_only_with_a_token_of_the_room(office: Site, gateway: FakeGateway) -> None:
    ada = await office.join()
    status, room = await office.call("POST", "/api/v1/rooms", {})
    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": f"Basic {ada['token']}"}):
        status, problem = await office.call("POST", "/api/v1/rooms/lobby/calls", {"to": "0301@phones.example"}, headers)
        code = "token-invalid" if headers else "sign-in-needed"
        assert (status, problem["type"]) == (401, f"urn:confero:problem:{code}")
    status, _ = await office.call(
        "POST", f"/api/v1/rooms/{room['id']}/calls", {"to": "0301@phones.example"}, bearer(ada)
    )
    assert status == 401
    assert gateway.asked == []


async def test_who_rules_a_call(office: Site, gateway: FakeGateway) -> None:
    ada, bob = await office.join("Ada"), await office.join("Bob")
    _, info = await call(office, ada, "0301@phones.example")
    path = f"/api/v1/rooms/lobby/calls/{info['id']}"
    assert (await office.call("GET", path, None, bearer(bob)))[1]["name"] == "0301@phones.example"
    words = {"user_data": "case closed", "headers": {"X-Customer": "4711"}}
    for method, tail, body in (("DELETE", "", None), ("POST", "/end", words), ("POST", "/digits", {"digits": "12#"})):
        status, problem = await office.call(method, path + tail, body, bearer(bob))
        assert (status, problem["type"]) == (403, "urn:confero:problem:not-yours")
        assert (await office.call(method, path + tail, body, bearer(ada)))[0] == 204
    nothing = {"user_data": "", "headers": {}}
    assert [asked for asked in gateway.asked if asked[0] != "GET"][1:3] == [
        ("POST", f"/v1/calls/{info['id']}/end", nothing),
        ("POST", f"/v1/calls/{info['id']}/end", words),
    ]
    assert gateway.asked[-1][:2] == ("POST", f"/v1/calls/{info['id']}/digits")
    by_person = f"/api/v1/rooms/lobby/calls/{info['participant']}"
    assert (await office.call("DELETE", by_person, None, bearer(ada)))[0] == 204
    assert (await office.call("DELETE", "/api/v1/rooms/lobby/calls/c_none", None, bearer(ada)))[0] == 404
    gateway.calls[info["id"]] = gateway.calls[info["id"]].model_copy(update={"room": "elsewhere"})
    assert (await office.call("GET", path, None, bearer(ada)))[0] == 404


async def test_an_answer_is_passed_on_as_whose_it_is(office: Site, gateway: FakeGateway) -> None:
    ada = await office.join("Ada")
    gateway.calls["c1"] = CallInfo(id="c1", direction="in", room=None, participant=None, name="Bob", state="ringing")
    assert (await office.call("POST", "/api/v1/calls/c1/answer", {"action": "accept"}, bearer(ada)))[0] == 204
    said = {"participant": ada["participant"], "action": "accept", "user_data": "", "headers": {}}
    assert gateway.asked[-1] == ("POST", "/v1/calls/c1/answer", said)
    assert (await office.call("POST", "/api/v1/calls/c2/answer", {"action": "busy"}, bearer(ada)))[0] == 404
    assert (await office.call("POST", "/api/v1/calls/c1/answer", {"action": "sing"}, bearer(ada)))[0] == 422


async def test_without_a_gateway(make_site: SiteMaker) -> None:
    site = await make_site(sipgw_url="http://127.0.0.1:9", call_out_roles=["guest"])
    await site.mcu.register(site.internal_url)
    await admin(site, "POST", "rules", {"position": 1, "direction": "out", "pattern": ".", "action": "address"})
    ada = await site.join()
    assert (await call(site, ada, "0301@phones.example"))[0] == 503
    status, _ = await site.call("GET", "/sip", None, {"Sec-WebSocket-Protocol": "sip"})
    assert status == 426


async def test_sip_goes_through_to_the_gateway(office: Site, gateway: FakeGateway) -> None:
    async with office.http.ws_connect(office.url + "/sip", ssl=office.trust, protocols=("sip",)) as ws:
        assert ws.protocol == "sip"
        await ws.send_str("OPTIONS")
        message = await ws.receive(timeout=5)
        assert (message.type, message.data) == (WSMsgType.TEXT, "heard OPTIONS")
    assert gateway.forwarded == "127.0.0.1"
    async with office.http.get(office.url + "/sip", ssl=office.trust) as response:
        assert response.status == 426 and json.loads(await response.text())["type"].endswith("upgrade-required")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (" +49 (30) 12-34 ", ("+49 (30) 12-34", "")),
        ("tel:+493012", ("+493012", "")),
        ("SIP:bob@Example.org", ("bob", "Example.org")),
        ("bob@192.0.2.1:5070", ("bob", "192.0.2.1:5070")),
        ("bob@[2001:db8::1]", ("bob", "[2001:db8::1]")),
        ("*21#", ("*21#", "")),
    ],
)
def test_what_is_dialled(text: str, found: tuple[str, str]) -> None:
    assert dialled(text) == found


@pytest.mark.parametrize(
    "text", ["", "@", "sips:a@b", "sip:b", "a@b@c", "http://a", "a@b\r\nX: y", "a\x00", "a@b?x=y", "ä"]
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(RemoteError) as caught:
        dialled(text)
    assert caught.value.status == 422
