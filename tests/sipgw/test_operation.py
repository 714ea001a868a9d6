"""The gateway in operation: records with ladders, metrics, draining, the live trace, calls without ACK."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from confero.clock import SystemClock
from confero.errors import Refused
from confero.models.calls import SipCallOut
from confero.models.sip import SipDecision
from confero.runtime.tasks import spawn
from confero.tokens import service_token

from ..mcu.fakes import SECRET
from ..support.waiting import until
from .house import House
from .telephone import Called, Telephone


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    made = House(tmp_path, unproven_calls=2)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def phone(house: House) -> AsyncIterator[Telephone]:
    made = await Telephone.open(house.sip)
    yield made
    await made.close()


async def metrics(house: House) -> str:
    assert house.gateway.listener is not None
    async with aiohttp.ClientSession() as http, http.get(f"{house.gateway.listener.url}/metrics") as response:
        return await response.text()


async def test_a_call_is_on_record(house: House, phone: Telephone) -> None:
    assert await phone.call("meeting") == 200
    await until(lambda: house.roster("meeting"), "in the room")
    assert 'sipgw_calls_running{direction="in",state="established"} 1.0' in await metrics(house)
    await asyncio.sleep(1.0)
    phone.hang_up()
    await until(lambda: len(house.office.records) == 2, "both revisions")
    begun, over = house.office.records
    assert (begun.revision, begun.status, begun.ended_at) == (1, 200, None)
    assert (over.revision, over.status, over.room, over.participant) == (2, 200, "meeting", "p1")
    assert over.answered_at and over.ended_at and over.started_at <= over.answered_at < over.ended_at
    assert [(step.sent, step.text.split(" ")[0]) for step in over.ladder if "100" not in step.text] == [
        (False, "INVITE"), (True, "200"), (False, "ACK"), (False, "BYE"), (True, "200"),
    ]  # fmt: skip
    assert over.media["codec"] == "PCMU" and over.media["loss_in"] == 0 and over.mos and over.mos > 4
    text = await metrics(house)
    assert 'sipgw_calls_total{direction="in",outcome="answered"} 1.0' in text
    assert 'sipgw_setup_seconds_count{direction="in"} 1.0' in text


async def test_a_failed_call_is_on_record(house: House, phone: Telephone) -> None:
    assert await phone.call("nobody") == 404
    await until(lambda: house.office.records, "a record")
    (record,) = house.office.records
    assert (record.revision, record.status, record.reason, record.answered_at) == (1, 404, "room-unknown", None)


async def test_records_wait_for_the_application_server(house: House, phone: Telephone) -> None:
    house.office.away = True
    assert await phone.call("meeting") == 200
    phone.hang_up()
    await until(lambda: house.legs == 0)
    spool = house.folder / "sipgw" / "records"
    await until(lambda: spool.exists() and b'"revision":2' in spool.read_bytes(), "the spool")
    house.office.away = False
    await until(lambda: house.office.records and house.office.records[-1].revision == 2, "the record")


async def test_draining(house: House, phone: Telephone) -> None:
    """New calls are for another gateway; those that run, and those that just come about, go on to their own end."""
    assert await phone.call("meeting") == 200
    await until(lambda: house.roster("meeting"))
    coming, called = await Telephone.open(house.sip), await Called.open(house.sip, 700)
    house.office.outside = ":".join(map(str, called.address))
    ringing = spawn(coming.call("outside"), name="a call that rings")
    await until(lambda: called.invite, "the INVITE")
    task = spawn(house.gateway.drain(), name="drain")
    await asyncio.sleep(0)
    late = await Telephone.open(house.sip)
    assert await late.call("meeting") == 503
    assert "Retry-After: 5" in late.received[-1]
    late.address_to("meeting")
    late.request("OPTIONS")  # as a trunk's health check asks
    await until(lambda: late.status("OPTIONS") == 503)
    assert await ready(house) == 503
    with pytest.raises(Refused, match="No further"):
        await house.gateway.desk.call_out(call_out(house))
    phone.request("OPTIONS")  # within the call all goes on
    await until(lambda: phone.status("OPTIONS") == 200)
    called.says("200 OK", sounds=True)
    assert await ringing == 200
    assert not task.done() and house.legs == 3
    phone.hang_up()
    coming.hang_up()
    await asyncio.wait_for(task, 10)
    assert called.hung_up and house.legs == 0
    for one in (coming, called, late):
        await one.close()


async def test_what_still_runs_after_the_drain_gets_bye(house: House, phone: Telephone) -> None:
    assert await phone.call("meeting") == 200
    await until(lambda: house.roster("meeting"))
    await house.gateway.stop()
    assert phone.hung_up and house.legs == 0
    assert [record.reason for record in house.office.records] == ["the gateway stops"]
    assert not (house.folder / "sipgw" / "records").exists(), "nothing is left for the next process"


async def ready(house: House) -> int:
    assert house.gateway.listener is not None
    async with aiohttp.ClientSession() as http, http.get(f"{house.gateway.listener.url}/ready") as response:
        return response.status


def call_out(house: House) -> SipCallOut:
    decision = SipDecision(action="address", number="carol", domain=house.office.outside)
    decision = decision.model_copy(update={"place": house.office.place("meeting", "Carol")})
    return SipCallOut(id="c9", decision=decision, room="meeting", owner="ann", owner_name="Ann", name="carol")


async def test_who_sends_no_ack_takes_two_places_only(house: House) -> None:
    phones = [await Telephone.open(house.sip) for _ in range(3)]
    for number, one in enumerate(phones):
        one._send = _without_ack(one)  # type: ignore[method-assign]
        assert await one.call(f"room{number}") == (200 if number < 2 else 503)
    phones[0].hang_up()
    await until(lambda: len(house.gateway.means.unproven) == 1, "a place")
    for one in phones:
        await one.close()


def _without_ack(phone: Telephone) -> Any:
    send = phone._send
    return lambda method, *rest: None if method == "ACK" else send(method, *rest)


async def test_running_calls_are_listed(house: House, phone: Telephone) -> None:
    assert await phone.call("meeting") == 200
    (one,) = house.gateway.desk.calls()
    assert (one.direction, one.room, one.participant, one.state) == ("in", "meeting", "p1", "answered")
    house.gateway.desk.end(one.id)
    await until(lambda: phone.hung_up and not house.gateway.desk.calls(), "the end")


async def test_the_live_trace(house: House, phone: Telephone) -> None:
    assert house.gateway.listener is not None
    url = f"{house.gateway.listener.url}/v1/trace"
    token = service_token("lab", "sipgw", secret=SECRET, now=SystemClock().wall())
    async with aiohttp.ClientSession() as http:
        async with http.get(url) as response:
            assert response.status == 401
        async with http.get(url, headers={"Authorization": f"Bearer {token}"}) as response:
            assert await phone.call("meeting") == 200
            titles: list[str] = []
            while not any(title.startswith("ACK") for title in titles):
                titles.append(json.loads(await asyncio.wait_for(response.content.readline(), 5))["title"])
    assert titles[0].startswith("INVITE") and any(title.startswith("200") for title in titles)
