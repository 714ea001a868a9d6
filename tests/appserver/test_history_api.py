"""Records and the farm over HTTP, as an administrator with the token of the installation, and as nobody."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from confero.models import LegRecord, LegRecords, McuHeartbeat, McuRegister

from ..support.waiting import until
from .conftest import SiteMaker
from .site import Site

TOKEN = "t" * 40
ADMIN = {"Authorization": f"Bearer {TOKEN}"}
T = 1_800_000_000.0


@pytest.fixture
async def told(make_site: SiteMaker) -> Site:
    """A site with records of three meetings, of which one goes on."""
    site: Site = await make_site(admin_token=TOKEN)
    await site.mcu.register(site.internal_url)
    for number in range(3):
        await leg(site, f"p{number}", "joined", 100 * number)
        if number < 2:
            await leg(site, f"p{number}", "left", 100 * number + 50)
    return site


async def leg(site: Site, who: str, event: Any, at: float) -> None:
    common: dict[str, Any] = {"mcu": site.mcu.id, "boot": site.mcu.boot, "room": "lobby", "kind": "webrtc"}
    record = LegRecord(at=T + at, participant=who, display_name=who.title(), event=event, **common)
    await site.tell("mcu", "POST", "records", LegRecords(records=[record]))


async def get(site: Site, path: str, method: str = "GET", body: Any = None) -> Any:
    status, answer = await site.call(method, f"/api/v1/{path}", body, ADMIN)
    assert status in (200, 204), answer
    return answer


async def test_pages_of_records(told: Site) -> None:
    first = await get(told, "meetings?everyone=true&limit=2")
    assert [one["started_at"] - T for one in first["items"]] == [200, 100]
    rest = await get(told, f"meetings?everyone=true&limit=2&page={first['next']}")
    assert [one["ended_at"] - T for one in rest["items"]] == [50]
    assert rest["next"] is None
    assert (await get(told, "meetings"))["items"] == []  # the admin token has no rooms of its own


async def test_a_record_and_its_end(told: Site) -> None:
    newest, one, _ = (await get(told, "meetings?everyone=true"))["items"]
    detail = await get(told, f"meetings/{one['id']}")
    assert [(stay["display_name"], stay["left_at"] - T) for stay in detail["stays"]] == [("P1", 150)]
    assert await get(told, f"meetings/{one['id']}", "DELETE") == ""
    for method, id, code in (
        ("GET", one["id"], "404 meeting-unknown"),
        ("DELETE", newest["id"], "409 meeting-goes-on"),
    ):
        status, problem = await told.call(method, f"/api/v1/meetings/{id}", headers=ADMIN)
        assert f"{status} {problem['type'].rpartition(':')[2]}" == code


async def test_exports(told: Site) -> None:
    rows = list(csv.DictReader(io.StringIO(await get(told, "meetings.csv?everyone=true"), newline="")))
    assert [row["name"] for row in rows] == ["P2", "P1", "P0"]
    assert [len(one["stays"]) for one in await get(told, "meetings.json?everyone=true")] == [1, 1, 1]


@pytest.mark.parametrize(
    ("query", "code"),
    [("page=x~y", "422 page-invalid"), ("limit=201", "422 invalid-body"), ("colour=red", "422 invalid-body")],
)
async def test_queries_that_make_no_sense(told: Site, query: str, code: str) -> None:
    status, problem = await told.call("GET", f"/api/v1/meetings?{query}", headers=ADMIN)
    assert f"{status} {problem['type'].rpartition(':')[2]}" == code


@pytest.mark.parametrize("path", ["meetings", "meetings/x", "meetings.csv", "meetings.json", "mcus", "live"])
async def test_nobody_and_people_in_the_room_see_none_of_it(told: Site, path: str) -> None:
    assert (await told.call("GET", f"/api/v1/{path}"))[0] == 401
    join = await told.join()
    status, _ = await told.call("GET", f"/api/v1/{path}", headers={"Authorization": f"Bearer {join['token']}"})
    assert status in (403, 404)


async def test_what_is_live(told: Site) -> None:
    (room,) = (await get(told, "live"))["items"]
    assert (room["room"], room["participants"], room["started_at"] - T) == ("lobby", 1, 200)


async def test_drain_outlives_both_ends(told: Site) -> None:
    """An MCU is drained: rooms go elsewhere, and go on doing so when it and the application server have started anew."""
    mcu = told.mcu.id
    assert (await get(told, f"mcus/{mcu}", "PATCH", {"draining": True}))["state"] == "draining"
    refused = await told.call("POST", "/api/v1/rooms/lobby/join", {"display_name": "Eve"})
    assert refused[0] == 503
    await told.app.stop()
    await told.start_app(admin_token=TOKEN)
    await told.mcu.stop()
    await told.mcu.start()
    await told.mcu.register(told.internal_url)
    await told.mcu.heartbeat(told.internal_url, load=0)
    (shown,) = (await get(told, "mcus"))["items"]
    assert (shown["state"], shown["drained"], shown["used"]) == ("draining", True, 0)
    assert (await get(told, f"mcus/{mcu}", "PATCH", {"draining": False}))["state"] == "up"
    await told.join()
    status, _ = await told.call("PATCH", "/api/v1/mcus/nothing", {"draining": True}, ADMIN)
    assert status == 404


async def test_silent_mcu_is_lost_within_five_seconds_and_its_load_is_shown_in_units(told: Site) -> None:
    """By the real clock and the defaults: from the last heartbeat until the farm counts it as lost."""
    await told.tell(
        "mcu", "POST", "mcus", McuRegister(id="m2", boot="b", url="http://127.0.0.1:9", capacity=7, version="9")
    )
    beat = McuHeartbeat(boot="b", load=2.5, rooms=1, legs=2)
    await told.tell("mcu", "PUT", "mcus/m2/heartbeat", beat)
    before = told.app._clock.monotonic()

    async def state() -> Any:
        return next(one for one in (await get(told, "mcus"))["items"] if one["id"] == "m2")

    shown = await state()
    assert (shown["state"], shown["capacity"], shown["used"], shown["legs"], shown["version"]) == ("up", 7, 2.5, 2, "9")
    await until(lambda: told.app.farm.alive("m2") is None, seconds=8)
    await until(lambda: any(mcu.id == "m2" and not lives for mcu, lives, _ in told.app.farm.shown()), seconds=2)
    assert told.app._clock.monotonic() - before <= 5.0
    assert (await state())["state"] == "lost"
