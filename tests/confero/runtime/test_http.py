"""The HTTP side of a service: probes, ids, metrics and its description."""

from __future__ import annotations

import asyncio

import pytest
from openapi_spec_validator import validate

from confero.clock import FakeClock
from confero.errors import Refused
from confero.runtime import http
from confero.runtime.http import HttpApp, Route

from .rig import SECRET, rig
from .routes import ECHO, WHO, Body, Query, echo, nothing, raises

pytestmark = pytest.mark.filterwarnings("error")


# --- probes --------------------------------------------------------------------------------------------------------


async def test_health_and_readiness() -> None:
    async with rig() as it:
        assert (await it.ask("GET", "/health"))[:2] == (200, {"status": "ok"})
        assert (await it.ask("GET", "/ready"))[:2] == (503, {"status": "not-ready", "checks": {"started": False}})
        it.app.set_ready(True)
        assert (await it.ask("GET", "/ready"))[:2] == (200, {"status": "ready", "checks": {"started": True}})


async def test_each_check_must_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "CHECK_S", 0.05)

    async def hangs() -> bool:
        await asyncio.Event().wait()
        return True

    async def fine() -> bool:
        return True

    def broken() -> bool:
        raise OSError("gone")

    async with rig() as it:
        it.app.set_ready(True)
        for name, check in {"plain": lambda: True, "async": fine, "hangs": hangs, "broken": broken}.items():
            it.app.add_check(name, check)
        status, body, _ = await it.ask("GET", "/ready")
        assert status == 503
        assert body["checks"] == {"started": True, "plain": True, "async": True, "hangs": False, "broken": False}


async def test_a_public_app_has_no_probes() -> None:
    async with rig(probes=False) as it:
        for path in ("/health", "/ready", "/metrics"):
            assert (await it.ask("GET", path))[0] == 404


# --- ids and heads -------------------------------------------------------------------------------------------------


async def test_a_good_request_id_is_kept_and_another_replaced() -> None:
    async with rig(raises(Refused("no"))) as it:
        for given, kept in [("abc-1.2_X", True), ("a" * 64, True), ("a" * 65, False), ("a b", False), ("", False)]:
            _, body, response = await it.ask("GET", "/fail", headers={"X-Request-Id": given})
            assert (response.headers["X-Request-Id"] == given) is kept
            assert body["instance"] == response.headers["X-Request-Id"]


async def test_no_answer_says_what_software_it_is() -> None:
    async with rig(ECHO) as it:
        for path in ("/health", "/nope"):
            _, _, response = await it.ask("GET", path)
            assert "Server" not in response.headers
        for garbage in (b"\x16\x03\x01 tls", b"GET / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1\r\nBad Header\r\n\r\n"):
            answer = await it.raw(garbage + b"\r\n\r\n")
            assert answer.split()[1] == b"400" and b"aiohttp" not in answer.lower() and b"python" not in answer.lower()


# --- metrics -------------------------------------------------------------------------------------------------------


async def test_requests_are_counted_by_template_and_status() -> None:
    async with rig(WHO, ECHO) as it:
        for room in ("a", "b"):
            await it.ask("GET", f"/v1/who/{room}", headers=it.token())
        await it.ask("GET", "/v1/who/c")
        await it.ask("GET", "/no/such/path")
        await it.ask("PROPFIND", "/no/such/path")
        count = "confero_http_requests_total"
        assert await it.metric(count, method="GET", route="/v1/who/{room}", status="200") == 2
        assert await it.metric(count, method="GET", route="/v1/who/{room}", status="401") == 1
        assert await it.metric(count, method="GET", route="unmatched", status="404") == 1
        assert await it.metric(count, method="other", route="unmatched", status="404") == 1
        assert await it.metric("confero_http_request_seconds_count", method="GET", route="/v1/who/{room}") == 3
        assert await it.metric("confero_http_requests_in_flight") == 0


async def test_the_exposition() -> None:
    async with rig(ECHO) as it:
        it.app.metrics.counter("things", "Things seen", ["kind"]).labels("a").inc()
        status, text, response = await it.ask("GET", "/metrics")
        assert status == 200 and response.headers["Content-Type"].startswith("text/plain; version=")
        assert 'confero_things_total{kind="a"} 1.0' in text
        assert "process_resident_memory_bytes" in text and "confero_loop_lag_seconds" in text


async def test_two_apps_of_one_service_share_metrics() -> None:
    async with rig(ECHO) as inner, rig(ECHO, metrics=inner.app.metrics, probes=False) as outer:
        await inner.ask("POST", "/v1/echo", json={"name": "x"})
        await outer.ask("POST", "/v1/echo", json={"name": "x"})
        name = "confero_http_requests_total"
        assert await inner.metric(name, method="POST", route="/v1/echo", status="200") == 2


# --- description ---------------------------------------------------------------------------------------------------


def test_the_description_is_valid_openapi_and_says_what_the_routes_say() -> None:
    routes = [
        Route(
            "POST",
            r"/v1/rooms/{room:[a-z]{1,9}}/legs",
            echo,
            "mcu:rooms",
            "Adds a leg",
            Body,
            Body,
            201,
            ("404 room-unknown", "409 room-full"),
        ),
        Route("GET", "/v1/rooms", nothing, reply=list[Body], query=Query),
        Route("GET", "/v1/legs/{leg}/tap", nothing, reply_type="audio/wav"),
        Route("DELETE", "/v1/rooms", nothing, status=204),
        Route("GET", "/hidden", nothing, documented=False),
    ]
    document = HttpApp("mcu", routes, secret=SECRET, clock=FakeClock(), title="MCU").openapi()
    validate(document)
    assert document["openapi"].startswith("3.1") and document["info"]["title"] == "MCU"
    assert set(document["paths"]) == {"/v1/rooms/{room}/legs", "/v1/rooms", "/v1/legs/{leg}/tap"}
    add = document["paths"]["/v1/rooms/{room}/legs"]["post"]
    assert add["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Body"}
    assert set(add["responses"]) == {"201", "400", "401", "403", "404", "408", "409", "413", "415", "422", "default"}
    name = add["responses"]["404"]["$ref"].removeprefix("#/components/responses/")
    unknown = document["components"]["responses"][name]
    assert unknown["description"] == "Problem `room-unknown`"
    [content] = unknown["content"].values()
    assert content["schema"]["allOf"][1] == {"properties": {"type": {"enum": ["urn:confero:problem:room-unknown"]}}}
    assert add["security"] == [{"service": []}] and "notifier" in add["description"]
    assert [parameter["name"] for parameter in add["parameters"]] == ["room"]
    listing = document["paths"]["/v1/rooms"]["get"]
    assert [(p["name"], p["in"], p["required"]) for p in listing["parameters"]] == [
        ("seconds", "query", False),
        ("point", "query", False),
    ]
    assert listing["responses"]["200"]["content"]["application/json"]["schema"]["type"] == "array"
    assert "security" not in listing and set(document["paths"]["/v1/rooms"]) == {"get", "delete"}
    tap = document["paths"]["/v1/legs/{leg}/tap"]["get"]["responses"]["200"]
    assert tap["content"] == {"audio/wav": {}}
    assert set(document["components"]["securitySchemes"]) == {"service"}
    ids = [op["operationId"] for path in document["paths"].values() for op in path.values()]
    assert len(set(ids)) == len(ids)
