"""The internal API: who may, what is refused, what is passed on; and the parts that every service has."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from openapi_spec_validator import validate
from pydantic import ValidationError

from confero.clock import SystemClock
from confero.errors import Unavailable
from confero.models import RoomPlacement, RoomSpec, RoomState
from confero.notifier.config import NotifierConfig
from confero.runtime.client import ServiceClient
from confero.tokens import service_token

from .conftest import Stack
from .fakes import SECRET

PUBLISH = {"room": "lobby", "events": [{"type": "speakers", "speakers": []}]}
STARTED = {"boot": "b", "url": "http://127.0.0.1:9"}


async def call(
    stack: Stack, method: str, path: str, body: Any, caller: str | None = "mcu", secret: bytes = SECRET
) -> tuple[int, Any]:
    headers = {"Content-Type": "application/json"}
    if caller is not None:
        headers["Authorization"] = f"Bearer {service_token(caller, 'notifier', secret=secret, now=time.time())}"
    data = body if isinstance(body, (str, bytes)) else json.dumps(body)
    async with stack.http.request(method, stack.url + path, data=data, headers=headers) as response:
        text = await response.text()
        return response.status, json.loads(text) if text else None


@pytest.mark.parametrize(
    ("method", "path", "body", "caller"),
    [
        ("POST", "/internal/v1/publish", PUBLISH, "mcu"),
        ("POST", "/internal/v1/publish", PUBLISH, "appserver"),
        ("POST", "/internal/v1/mcus/m1/started", STARTED, "mcu"),
    ],
)
async def test_allowed(stack: Stack, method: str, path: str, body: Any, caller: str) -> None:
    assert await call(stack, method, path, body, caller) == (204, None)


@pytest.mark.parametrize(
    ("path", "body", "caller"),
    [
        ("/internal/v1/publish", PUBLISH, "lab"),
        ("/internal/v1/mcus/m1/started", STARTED, "appserver"),
    ],
)
async def test_not_in_the_table(stack: Stack, path: str, body: Any, caller: str) -> None:
    status, problem = await call(stack, "POST", path, body, caller)
    assert (status, problem["type"]) == (403, "urn:confero:problem:not-allowed")


async def test_no_token_or_a_forged_one(stack: Stack) -> None:
    assert (await call(stack, "POST", "/internal/v1/publish", PUBLISH, None))[0] == 401
    forged = await call(stack, "POST", "/internal/v1/publish", PUBLISH, "mcu", b"another secret of 32 characters!")
    assert forged[0] == 401


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("no json", 400),
        ("{}", 422),
        ({**PUBLISH, "more": 1}, 422),
        ({"room": "lobby", "events": [{"type": 5}]}, 422),
        ({"room": "../..", "events": []}, 422),
        ({"room": "lobby", "events": PUBLISH["events"] * 257}, 422),
        ("x" * 2_000_000, 413),
        ('{"room":"lobby","events":[{"type":"x","a":' + "[" * 100_000, 400),
    ],
    ids=["no json", "empty", "unknown field", "no event", "bad id", "too many", "too large", "deep"],
)
async def test_bad_bodies(stack: Stack, body: Any, status: int) -> None:
    alice = await stack.join()
    assert (await call(stack, "POST", "/internal/v1/publish", body))[0] == status
    assert (await alice.ask("ping"))["type"] == "ok"
    assert alice.events == []


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/internal/v1/publish", 405),
        ("POST", "/internal/v1/nothing", 404),
        ("POST", "/internal/v1/mcus/a%20b/started", 404),
    ],
)
async def test_wrong_method_or_path(stack: Stack, method: str, path: str, status: int) -> None:
    assert (await call(stack, method, path, STARTED))[0] == status


def client(stack: Stack) -> ServiceClient:
    return ServiceClient("appserver", "notifier", stack.url, secret=SECRET, clock=SystemClock())


async def test_placement_is_passed_on_and_moves_sessions(stack: Stack) -> None:
    alice = stack.browser()
    await alice.hello(stack.token(mcu="mcu-0", mcu_url="http://127.0.0.1:9"))
    appserver = client(stack)
    placement = RoomPlacement(mcu="mcu-1", mcu_url=stack.mcu.url, spec=RoomSpec(name="Lobby", max_participants=7))
    state = await appserver.call("PUT", "/internal/v1/rooms/lobby", body=placement, reply=RoomState)
    await appserver.close()
    assert (state.id, state.max_participants) == ("lobby", 7)
    assert stack.mcu.rooms["lobby"].max_participants == 7
    assert (await alice.event("renegotiate"))["reason"] == "moved"
    assert (await alice.ask("offer", sdp="v=0"))["type"] == "answer"


async def test_placement_at_an_absent_mcu_moves_nobody(stack: Stack) -> None:
    alice = await stack.join()
    await stack.mcu.stop()
    appserver = client(stack)
    placement = RoomPlacement(mcu="mcu-2", mcu_url="http://127.0.0.1:9", spec=RoomSpec())
    with pytest.raises(Unavailable):
        await appserver.call("PUT", "/internal/v1/rooms/lobby", body=placement, reply=RoomState, timeout_s=2)
    await appserver.close()
    assert (await alice.ask("ping"))["type"] == "ok"
    assert alice.events == []


async def test_openapi_is_valid(stack: Stack) -> None:
    document = stack.notifier.http.openapi()
    validate(document)
    assert set(document["paths"]) == {
        "/events",
        "/events/poll",
        "/events/sessions/{session}",
        "/events/stream",
        "/internal/v1/publish",
        "/internal/v1/rooms/{room}",
        "/internal/v1/rooms/{room}/participants",
        "/internal/v1/rooms/{room}/participants/{participant}",
        "/internal/v1/mcus/{mcu}/started",
    }


async def test_probes(stack: Stack) -> None:
    alice = await stack.join()
    async with stack.http.get(stack.url + "/ready") as response:
        assert response.status == 200
    async with stack.http.get(stack.url + "/metrics") as response:
        text = await response.text()
    assert "confero_websockets 1.0" in text
    assert "confero_sessions 1.0" in text
    assert (await alice.ask("ping"))["type"] == "ok"


def test_config_refuses_what_is_no_origin() -> None:
    with pytest.raises(ValidationError, match="not an origin"):
        NotifierConfig(allowed_origins=["portal.example"])
