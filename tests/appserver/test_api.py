"""The public REST API and the internal one, over the wire."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Any

import pytest
from openapi_spec_validator import validate

from confero.errors import Refused, Unavailable
from confero.models import (
    LegRecord,
    LegRecords,
    McuHeartbeat,
    McuRegister,
    Participant,
    RoomInfo,
    SessionNotice,
    SessionNotices,
    SessionsSnapshot,
    TokenCheck,
    TokenGrant,
)

from .conftest import SiteMaker
from .site import Site

# --- public ----------------------------------------------------------------------------------------------------------


async def test_create_and_look(site: Site) -> None:
    status, made = await site.call("POST", "/api/v1/rooms", {"name": "Team", "max_participants": 5})
    assert status == 201
    info = RoomInfo.model_validate(made)
    seen = {name: value for name, value in made.items() if name in RoomInfo.model_fields}
    assert (info.name, info.max_participants, info.participants) == ("Team", 5, 0)
    assert info.join_url == f"{site.url}/r/{info.id}"
    assert await site.call("GET", f"/api/v1/rooms/{info.id}") == (200, seen)


async def test_a_room_is_as_it_was_asked_for(site: Site) -> None:
    wish = {"talkers": 0, "noise_dbov": 65, "announce": True}
    _, made = await site.call("POST", "/api/v1/rooms", wish)
    assert {name: made[name] for name in wish} == wish
    _, seen = await site.call("GET", f"/api/v1/rooms/{made['id']}")
    assert seen == {name: value for name, value in made.items() if name in seen}


async def test_public_url_is_what_people_get(make_site: SiteMaker) -> None:
    site = await make_site(public_url="https://meet.example/")
    _, made = await site.call("GET", "/api/v1/rooms/lobby")
    assert made["join_url"] == "https://meet.example/r/lobby"


async def test_host_that_is_none(site: Site) -> None:
    status, problem = await site.call("GET", "/api/v1/rooms/lobby", headers={"Host": "evil.example/<x>"})
    assert (status, problem["type"]) == (400, "urn:confero:problem:bad-host")


async def test_join(site: Site) -> None:
    reply = await site.join("Alice")
    assert (reply["room"]["id"], reply["room"]["participants"], reply["events_path"]) == ("lobby", 1, "/events")
    assert 590 < reply["token_expires"] - time.time() <= 600
    again = await site.join("Alicia", previous_token=reply["token"])
    assert again["participant"] == reply["participant"]
    assert again["room"]["participants"] == 1


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/api/v1/rooms/nowhere/join", {"display_name": "A"}, 404, "room-unknown"),
        ("/api/v1/rooms/lobby/join", {"display_name": "A", "previous_token": "forged"}, 401, "token-invalid"),
        ("/api/v1/rooms/lobby/join", {"display_name": ""}, 422, "invalid-body"),
        ("/api/v1/rooms/lobby/join", {"display_name": "x" * 65}, 422, "invalid-body"),
        ("/api/v1/rooms/lobby/join", {"display_name": "A", "admin": True}, 422, "invalid-body"),
        ("/api/v1/rooms/lobby/join", {"display_name": "A", "previous_token": "x" * 5000}, 422, "invalid-body"),
        ("/api/v1/rooms/lobby/join", "no json", 400, "not-json"),
        ("/api/v1/rooms/lobby/join", '{"display_name":"' + "x" * 100_000 + '"}', 413, "body-too-large"),
        ("/api/v1/rooms/lobby/join", "[" * 50_000, 400, "not-json"),
        ("/api/v1/rooms", {"max_participants": 1}, 422, "invalid-body"),
        ("/api/v1/rooms", {"max_participants": 10**9}, 422, "invalid-body"),
        ("/api/v1/rooms", {"noise_dbov": 19}, 422, "invalid-body"),
        ("/api/v1/rooms", {"noise_dbov": 127}, 422, "invalid-body"),
        ("/api/v1/rooms", {"announce": "loudly"}, 422, "invalid-body"),
        ("/api/v1/rooms", "null", 422, "invalid-body"),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_refusals(site: Site, path: str, body: Any, status: int, code: str) -> None:
    answered, problem = await site.call("POST", path, body)
    assert (answered, problem["type"]) == (status, f"urn:confero:problem:{code}")
    assert (await site.call("GET", "/api/v1/rooms/lobby"))[1]["participants"] == 0


async def test_wrong_content_type(site: Site) -> None:
    """What a page of another origin could send without asking first is not taken."""
    status, _ = await site.call("POST", "/api/v1/rooms", "{}", {"Content-Type": "text/plain"})
    assert status == 415


@pytest.mark.parametrize("room", ["%00", "a%2fb", "'; DROP TABLE rooms; --", "x" * 3000, "%f0%9f%8e%88"])
async def test_odd_room_ids(site: Site, room: str) -> None:
    assert (await site.call("GET", f"/api/v1/rooms/{room}"))[0] == 404


async def test_no_media_server(make_site: SiteMaker) -> None:
    site = await make_site()
    status, problem = await site.call("POST", "/api/v1/rooms/lobby/join", {"display_name": "A"})
    assert (status, problem["type"]) == (503, "urn:confero:problem:no-media-server")


async def test_full_room(site: Site) -> None:
    _, room = await site.call("POST", "/api/v1/rooms", {"max_participants": 2})
    first = await site.join("a", room["id"])
    await site.join("b", room["id"])
    status, problem = await site.call("POST", f"/api/v1/rooms/{room['id']}/join", {"display_name": "c"})
    assert (status, problem["type"]) == (409, "urn:confero:problem:room-full")
    await site.join("a", room["id"], previous_token=first["token"])


async def test_rate_of_rooms(make_site: SiteMaker) -> None:
    site = await make_site(room_creations_per_minute=3)
    assert [(await site.call("POST", "/api/v1/rooms", {}))[0] for _ in range(4)] == [201, 201, 201, 429]
    async with site.http.post(site.url + "/api/v1/rooms", json={}, ssl=site.trust) as response:
        assert response.status == 429
        assert 1 <= int(response.headers["Retry-After"]) <= 20
        assert (await response.json(content_type=None))["type"] == "urn:confero:problem:too-many-requests"
    assert (await site.call("GET", "/api/v1/rooms/lobby"))[0] == 200


async def test_rate_of_joins(make_site: SiteMaker) -> None:
    site = await make_site(joins_per_minute=2)
    await site.mcu.register(site.internal_url)
    body = {"display_name": "A"}
    assert [(await site.call("POST", "/api/v1/rooms/lobby/join", body))[0] for _ in range(3)] == [200, 200, 429]


async def test_descriptions(site: Site) -> None:
    """(What the public one says: test_description.py.)"""
    status, document = await site.call("GET", "/api/v1/openapi.json")
    assert (status, document["openapi"]) == (200, "3.1.0")
    validate(site.app.http.openapi())


# --- internal --------------------------------------------------------------------------------------------------------


async def grant_of(site: Site, token: str) -> TokenGrant:
    grant = await site.tell("notifier", "POST", "tokens/validate", TokenCheck(token=token), TokenGrant)
    assert isinstance(grant, TokenGrant)
    return grant


def notices(kind: Any, reply: dict[str, Any], session: str = "s1") -> SessionNotices:
    notice = SessionNotice(
        kind=kind, session=session, participant=reply["participant"], room=reply["room"]["id"], at=time.time()
    )
    return SessionNotices(notices=[notice])


def records(site: Site, reply: dict[str, Any], event: Any) -> LegRecords:
    record = LegRecord(
        at=time.time(),
        mcu=site.mcu.id,
        boot=site.mcu.boot,
        room=reply["room"]["id"],
        participant=reply["participant"],
        display_name="A",
        kind="webrtc",
        event=event,
    )
    return LegRecords(records=[record])


async def count(site: Site) -> int:
    number: int = (await site.call("GET", "/api/v1/rooms/lobby"))[1]["participants"]
    return number


async def test_validation(site: Site) -> None:
    reply = await site.join("Alice")
    grant = await grant_of(site, reply["token"])
    assert (grant.participant, grant.display_name, grant.mcu_url) == (reply["participant"], "Alice", site.mcu.url)


async def test_expired_token(make_site: SiteMaker) -> None:
    site = await make_site(token_ttl_s=0.001)
    await site.mcu.register(site.internal_url)
    reply = await site.join()
    with pytest.raises(Refused) as caught:
        await grant_of(site, reply["token"])
    assert (caught.value.status, caught.value.code) == (401, "token-expired")
    assert (await site.join(previous_token=reply["token"]))["participant"] == reply["participant"]


@pytest.mark.parametrize(
    ("caller", "method", "path", "body"),
    [
        ("mcu", "POST", "tokens/validate", TokenCheck(token="x")),
        ("lab", "PUT", "sessions", SessionsSnapshot(notifier="n", sessions=[])),
        ("notifier", "PUT", "mcus/m1/heartbeat", McuHeartbeat(boot="b", load=0, rooms=0, legs=0)),
    ],
)
async def test_scopes(site: Site, caller: str, method: str, path: str, body: Any) -> None:
    with pytest.raises(Refused) as caught:
        await site.tell(caller, method, path, body)
    assert (caught.value.status, caught.value.code) == (403, "not-allowed")


async def test_internal_calls_need_a_token(site: Site) -> None:
    async with site.http.post(site.internal_url + "/internal/v1/mcus", json={}) as response:
        assert response.status == 401


async def test_join_token_is_no_service_token(site: Site) -> None:
    token = (await site.join())["token"]
    headers = {"Authorization": f"Bearer {token}"}
    async with site.http.post(site.internal_url + "/internal/v1/mcus", json={}, headers=headers) as response:
        assert response.status == 401


async def test_presence_over_the_wire(site: Site) -> None:
    reply = await site.join()
    await site.tell("notifier", "POST", "sessions", notices("connected", reply))
    await site.tell("mcu", "POST", "records", records(site, reply, "joined"))
    await site.tell("notifier", "POST", "sessions", notices("disconnected", reply))
    assert await count(site) == 1
    await site.tell("mcu", "POST", "records", records(site, reply, "left"))
    assert await count(site) == 0


async def test_heartbeats(site: Site) -> None:
    await site.mcu.heartbeat(site.internal_url, load=3)
    site.mcu.boot = "another"
    with pytest.raises(Refused) as caught:
        await site.mcu.heartbeat(site.internal_url)
    assert (caught.value.status, caught.value.code) == (404, "mcu-unknown")


async def test_large_registration(site: Site) -> None:
    """An MCU with 10,000 participants can register again."""
    site.mcu.legs.clear()
    people = [f"participant_{number:06}" for number in range(10_000)]
    body = McuRegister(id="mcu-1", boot="b9", url=site.mcu.url, capacity=20_000, participants=people)
    await site.tell("mcu", "POST", "mcus", body)


async def test_restart_and_reconciliation(site: Site) -> None:
    """Killed and started again: rooms and people are there, and the MCU's registration says who really is."""
    alice, bob = await site.join("Alice"), await site.join("Bob")
    for reply in (alice, bob):
        await site.tell("notifier", "POST", "sessions", notices("connected", reply, f"s-{reply['participant']}"))
        await site.tell("mcu", "POST", "records", records(site, reply, "joined"))
    await site.app.stop()
    await site.start_app(join_grace_s=0)
    assert (await grant_of(site, alice["token"])).mcu == "mcu-1"
    with pytest.raises(Refused):
        await site.mcu.heartbeat(site.internal_url)
    site.mcu.legs["leg"] = ("lobby", Participant(id=bob["participant"], display_name="B", kind="webrtc", leg="leg"))
    await site.mcu.register(site.internal_url)
    await site.mcu.heartbeat(site.internal_url)
    await site.tell("notifier", "PUT", "sessions", SessionsSnapshot(notifier="notifier", sessions=[]))
    assert await count(site) == 1


async def test_readiness_follows_the_database(site: Site) -> None:
    async with site.http.get(site.internal_url + "/ready") as response:
        assert response.status == 200
        assert (await response.json())["checks"] == {"started": True, "database": True}
    async with site.http.get(site.internal_url + "/metrics") as response:
        assert "confero_mcus 1.0" in await response.text()


async def test_housekeeping(site: Site) -> None:
    await site.join()
    await site.app.housekeeping.once()
    assert await count(site) == 1


async def test_database_away(site: Site) -> None:
    """A dead database gives 503, and nothing of the inside in the answer."""

    async def fail(*_: object) -> None:
        raise Unavailable("The database does not answer; try again in a moment.", code="database-down")

    site.app.store.room = fail  # type: ignore[method-assign,assignment]
    status, problem = await site.call("GET", "/api/v1/rooms/lobby")
    assert (status, problem["type"]) == (503, "urn:confero:problem:database-down")


async def test_connections_of_one_source_are_bounded(make_site: SiteMaker) -> None:
    """Before TLS: whoever opens many and says nothing shuts out itself alone."""
    site = await make_site(max_connections_per_source=3)
    port = int(site.url.rpartition(":")[2])
    held = [await asyncio.open_connection("127.0.0.1", port, local_addr=("127.0.0.2", 0)) for _ in range(4)]
    with contextlib.suppress(ConnectionError):
        assert await asyncio.wait_for(held[3][0].read(), 5) == b""
    async with site.http.get(site.url + "/", ssl=site.trust) as response:
        assert response.status == 200
    for _, writer in held:
        writer.close()
