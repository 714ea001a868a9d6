"""The control API over HTTP: what it answers to good, bad and unauthorised calls."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import pytest
from openapi_spec_validator import validate

from confero.clock import SystemClock
from confero.errors import Refused, Unavailable
from confero.tokens import service_token

from ..support.waiting import until
from .fakes import SECRET
from .others import Others
from .rig import Phone, Rig
from .stranger import Stranger

JSON = "application/json"


async def call(
    rig: Rig,
    method: str,
    path: str,
    body: Any = None,
    *,
    caller: str | None = "lab",
    data: bytes | None = None,
    **head: str,
) -> tuple[int, dict[str, Any], dict[str, str]]:
    headers = {"Content-Type": JSON} | head
    if caller is not None:
        token = service_token(caller, "mcu", secret=SECRET, now=SystemClock().wall())
        headers["Authorization"] = f"Bearer {token}"
    payload = data if data is not None else None if body is None else json.dumps(body).encode()
    assert rig.app.listener is not None
    async with (
        aiohttp.ClientSession() as http,
        http.request(method, rig.app.listener.url + path, data=payload, headers=headers) as response,
    ):
        text = await response.text()
        return response.status, json.loads(text) if text.startswith(("{", "[")) else {}, dict(response.headers)


def leg(sdp: str, kind: str = "webrtc", **more: Any) -> dict[str, Any]:
    return {"kind": kind, "participant": "p", "display_name": "P", "sdp": sdp} | more


def code(problem: dict[str, Any]) -> str:
    return str(problem["type"]).removeprefix("urn:confero:problem:")


async def test_rooms(rig: Rig) -> None:
    status, room, _ = await call(rig, "PUT", "/v1/rooms/r1", {"name": "Room", "max_participants": 5})
    assert (status, room["name"], room["participants"]) == (201, "Room", [])
    assert (await call(rig, "PUT", "/v1/rooms/r1", {"name": "Other"}))[0] == 200
    assert [r["id"] for r in (await call(rig, "GET", "/v1/rooms"))[1]] == ["r1"]  # type: ignore[call-overload]
    assert (await call(rig, "GET", "/v1/rooms/r1"))[1]["name"] == "Room"
    assert (await call(rig, "DELETE", "/v1/rooms/r1"))[0] == 204
    for method in ("GET", "DELETE"):
        status, problem, _ = await call(rig, method, "/v1/rooms/r1")
        assert (status, code(problem)) == (404, "room-unknown")


@pytest.mark.parametrize("id", ["a b", "x" * 65, "%C3%A4", ".."])
async def test_room_names_that_nobody_could_write(rig: Rig, id: str) -> None:
    status, _, _ = await call(rig, "PUT", f"/v1/rooms/{id}", {})
    assert status in (404, 422) and rig.app.conference.registry.rooms == 0


async def test_leg_life(rig: Rig, others: Others) -> None:
    await rig.room()
    phone = await Phone.open(440)
    status, reply, _ = await call(rig, "POST", "/v1/rooms/r1/legs", leg(phone.offer(), "rtp"))
    assert status == 201 and reply["room"] == "r1" and "m=audio" in reply["sdp"]
    path = f"/v1/legs/{reply['leg']}"
    status, view, _ = await call(rig, "PATCH", path, {"muted": True, "gain_db": -3})
    assert (status, view["muted"], view["leg"]) == (200, True, reply["leg"])
    assert (await call(rig, "GET", path))[:2] == (200, view)
    status, stats, _ = await call(rig, "GET", f"{path}/stats")
    assert (stats["codec"], stats["kind"], stats["counters"]["rx_packets"]) == ("PCMU", "rtp", 0)
    assert (await call(rig, "PUT", f"{path}/offer", {"sdp": phone.offer()}))[1]["leg"] == reply["leg"]
    status, problem, _ = await call(rig, "PUT", f"{path}/answer", {"sdp": phone.offer()})
    assert (status, code(problem)) == (409, "no-offer-pending")
    status, last, _ = await call(rig, "DELETE", f"{path}?reason=owner-gone")
    assert (status, last["leg"], last["codec"]) == (200, path.rpartition("/")[2], "PCMU")
    status, problem, _ = await call(rig, "DELETE", path)
    assert (status, code(problem)) == (404, "leg-unknown")
    await until(lambda: others.left("p") == ["owner-gone"])
    await phone.close()


@pytest.mark.parametrize("path", ["/v1/legs/leg_x", "/v1/legs/leg_x/stats", "/v1/legs/leg_x/tap?seconds=1"])
async def test_unknown_legs(rig: Rig, path: str) -> None:
    status, problem, _ = await call(rig, "GET", path)
    assert (status, code(problem)) == (404, "leg-unknown")


async def test_room_full(rig: Rig) -> None:
    await rig.room(max_participants=2)
    phones = [await rig.phone(name, 440) for name in ("a", "b")]
    with pytest.raises(Refused) as caught:
        await rig.leg("c", kind="rtp", sdp=phones[0].offer())
    assert (caught.value.status, caught.value.code) == (409, "room-full")
    assert caught.value.detail == "The room is full (2 people)."


BAD_SDP = {
    "empty line only": "\r\n",
    "not SDP": "hello",
    "no origin": "v=0\r\n",
    "ten thousand m-lines": "v=0\no=- 1 1 IN IP4 0.0.0.0\n" + "m=a 0 x y\n" * 6000,
    "long attribute": "v=0\no=- 1 1 IN IP4 0.0.0.0\na=" + "x" * 60_000,
    "port beyond": "v=0\no=- 1 1 IN IP4 0.0.0.0\nm=audio 70000 RTP/AVP 0\n",
    "duplicate mids": "v=0\no=- 1 1 IN IP4 0.0.0.0\nm=audio 9 RTP/AVP 0\na=mid:0\nm=video 9 RTP/AVP 34\na=mid:0\n",
    "unknown bundled mid": "v=0\no=- 1 1 IN IP4 0.0.0.0\na=group:BUNDLE 7\nm=audio 9 RTP/AVP 0\na=mid:0\n",
    "control character": "v=0\no=- 1 1 IN IP4 0.0.0.0\ns=\x00\n",
    "unicode digits": "v=0\no=- 1 1 IN IP4 0.0.0.0\nm=audio \u0665\u0660\u0660\u0660 RTP/AVP 0\n",
    "no usable codec": "v=0\no=- 1 1 IN IP4 1.2.3.4\nc=IN IP4 1.2.3.4\nm=audio 9000 RTP/AVP 18\n",
    "no m-line": "v=0\no=- 1 1 IN IP4 0.0.0.0\n",
    "multicast": "v=0\no=- 1 1 IN IP4 1.2.3.4\nc=IN IP4 239.0.0.1\nm=audio 9000 RTP/AVP 0\n",
    "host name": "v=0\no=- 1 1 IN IP4 1.2.3.4\nc=IN IP4 pbx.invalid\nm=audio 9000 RTP/AVP 0\n",
    "own control port": "v=0\no=- 1 1 IN IP4 1.2.3.4\nc=IN IP4 127.0.0.1\nm=audio 2131 RTP/AVP 0\n",
}


@pytest.mark.parametrize("kind", ["webrtc", "rtp"])
@pytest.mark.parametrize("name", BAD_SDP)
async def test_malformed_sdp(rig: Rig, name: str, kind: str) -> None:
    await rig.room()
    status, problem, head = await call(rig, "POST", "/v1/rooms/r1/legs", leg(BAD_SDP[name], kind))
    assert status == 422 and head["Content-Type"].startswith("application/problem+json")
    assert code(problem) in ("sdp-invalid", "sdp-no-usable-media") and problem["detail"]
    assert rig.app.conference.registry.legs == 0


@pytest.mark.parametrize(
    ("data", "status", "problem"),
    [
        (b'{"x": "' + b"y" * 100_000 + b'"}', 413, "body-too-large"),
        (b"{", 400, "not-json"),
        (b"[]", 422, "invalid-body"),
        (b"{}", 422, "invalid-body"),
        (json.dumps(leg("v=0", "sip")).encode(), 422, "invalid-body"),
        (json.dumps(leg("v=0", surprise=1)).encode(), 422, "invalid-body"),
        (json.dumps(leg("v=0", participant="no spaces please")).encode(), 422, "invalid-body"),
        (json.dumps(leg("x" * 65_537)).encode(), 422, "invalid-body"),
    ],
)
async def test_bad_bodies(rig: Rig, data: bytes, status: int, problem: str) -> None:
    await rig.room()
    answer = await call(rig, "POST", "/v1/rooms/r1/legs", data=data)
    assert (answer[0], code(answer[1])) == (status, problem)


async def test_wrong_method_content_type_and_path(rig: Rig) -> None:
    status, _, head = await call(rig, "POST", "/v1/rooms/r1", {})
    assert status == 405 and "PUT" in head["Allow"]
    assert (await call(rig, "PUT", "/v1/rooms/r1", data=b"{}", **{"Content-Type": "text/plain"}))[0] == 415
    assert (await call(rig, "GET", "/v1/nothing"))[0] == 404
    status, problem, _ = await call(rig, "POST", "/v1/rooms/none/legs", leg((await Stranger.open()).offer()))
    assert (status, code(problem)) == (404, "room-unknown")


@pytest.mark.parametrize(
    "query", ["", "?seconds=0", "?seconds=61", "?seconds=x", "?seconds=1&point=up", "?seconds=1&z=1"]
)
async def test_bad_queries(rig: Rig, query: str) -> None:
    await rig.room()
    phone = await rig.phone("bob", 440)
    assert (await call(rig, "GET", f"/v1/legs/{phone.leg}/tap{query}"))[0] == 422
    assert (await call(rig, "DELETE", f"/v1/legs/{phone.leg}?reason=boredom"))[0] == 422
    assert rig.state("bob") != ""


async def test_who_may_call(rig: Rig) -> None:
    for path in ("/v1/rooms", "/v1/legs/x/stats", "/v1/rooms/x/tap?seconds=1"):
        assert (await call(rig, "GET", path, caller=None))[0] == 401
        assert (await call(rig, "GET", path, caller="appserver"))[0] == 403
    assert (await call(rig, "GET", "/v1/rooms", caller="notifier"))[0] == 200
    assert (await call(rig, "GET", "/v1/rooms/x/tap?seconds=1", caller="notifier"))[0] == 403


async def test_openapi(rig: Rig) -> None:
    status, document, _ = await call(rig, "GET", "/v1/openapi.json", caller=None)
    assert status == 200
    validate(document)
    assert set(document["paths"]) == {
        "/v1/rooms",
        "/v1/rooms/{room}",
        "/v1/rooms/{room}/participants",
        "/v1/rooms/{room}/participants/{participant}",
        "/v1/rooms/{room}/legs",
        "/v1/rooms/{room}/stats",
        "/v1/rooms/{room}/tap",
        "/v1/rooms/{room}/play",
        "/v1/rooms/{room}/play/{number}",
        "/v1/legs/{leg}/play",
        "/v1/legs/{leg}/play/{number}",
        "/v1/legs/{leg}/digits",
        "/v1/legs/{leg}/collect",
        "/v1/legs/{leg}",
        "/v1/legs/{leg}/offer",
        "/v1/legs/{leg}/answer",
        "/v1/legs/{leg}/stats",
        "/v1/legs/{leg}/tap",
        "/v1/legs/{leg}/hears/{talker}",
        "/v1/owners/{owner}",
        "/v1/owners/{owner}/digits",
    }


async def test_metrics_and_health(rig: Rig) -> None:
    await rig.room()
    await rig.phone("bob", 440)
    assert rig.app.listener is not None
    async with aiohttp.ClientSession() as http:
        text = await (await http.get(rig.app.listener.url + "/metrics")).text()
        assert (await http.get(rig.app.listener.url + "/ready")).status == 200
    values = dict(line.rsplit(" ", 1) for line in text.splitlines() if line.startswith("confero_mcu_"))
    assert float(values["confero_mcu_rooms"]) == float(values["confero_mcu_legs"]) == 1
    assert {"confero_mcu_packets_in", "confero_mcu_late_ticks", "confero_mcu_tick_ns_max"} <= set(values)


async def test_room_stats(rig: Rig) -> None:
    await rig.room()
    assert (await call(rig, "GET", "/v1/rooms/r1/stats"))[1] == {
        "room": "r1",
        "legs": 0,
        "connected": 0,
        "counters": {},
    }
    one, two = await rig.phone("one", 440), await rig.phone("two", 1000)
    await until(lambda: len(one.heard) > 20 and len(two.heard) > 20)
    _, stats, _ = await call(rig, "GET", "/v1/rooms/r1/stats")
    assert (stats["legs"], stats["connected"]) == (2, 2)
    single = [(await rig.stats(phone.leg)).counters["rx_packets"] for phone in (one, two)]
    assert 40 <= stats["counters"]["rx_packets"] <= sum(single)
    assert "level_in" not in stats["counters"] and "level_in" in (await rig.stats(one.leg)).counters
    status, problem, _ = await call(rig, "GET", "/v1/rooms/none/stats")
    assert (status, code(problem)) == (404, "room-unknown")


async def test_draining(rig: Rig, others: Others) -> None:
    await rig.room()
    phone = await rig.phone("bob", 440)
    await until(lambda: rig.state("bob") == "connected")
    rig.app.conference.start_draining()
    with pytest.raises(Unavailable) as caught:
        await rig.leg("late", kind="rtp", sdp=phone.offer())
    assert caught.value.code == "draining"
    await until(lambda: others.beats and others.beats[-1].draining, "the farm knows", 4)
    assert rig.state("bob") == "connected"
