"""What sounds before anybody has answered: a telephone that is called through the gateway is heard by the one that calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from confero.models.calls import SipCallOut
from confero.models.sip import SipDecision
from confero.runtime.tasks import TaskBag

from ..support.waiting import until
from .house import House
from .telephone import Called, Telephone, field

HEARD = 1500.0


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    made = House(tmp_path)
    await made.start()
    yield made
    await made.stop()


class Pair:
    """A telephone that calls (440 Hz), one that is called (700 Hz), and the first one's call."""

    def __init__(self, house: House) -> None:
        self._house = house
        self.tasks = TaskBag()
        self.carol: Called
        self.alice: Telephone

    async def begin(self, *fields: str) -> asyncio.Task[int]:
        """Alice calls; returned when Carol's telephone knows of it. The task gives the final status."""
        self.carol = await Called.open(self._house.sip, 700)
        self.alice = await Telephone.open(self._house.sip, 440)
        self.alice.more["INVITE"] = fields
        self._house.office.outside = ":".join(map(str, self.carol.address))
        task = self.tasks.spawn(self.alice.call("outside"), name="a call")
        await until(lambda: self.carol.invite, "the INVITE")
        return task

    def hear(self, response: str) -> None:
        """Alice's telephone takes the description that came with the response, as one that talks from then on."""
        self.alice.sound.talk_to(response.partition("\r\n\r\n")[2])

    async def close(self) -> None:
        await self.tasks.close()
        await self.alice.close()
        await self.carol.close()


@pytest.fixture
async def pair(house: House) -> AsyncIterator[Pair]:
    made = Pair(house)
    yield made
    await made.close()


async def test_an_announcement_before_the_answer(house: House, pair: Pair) -> None:
    call = await pair.begin()
    alice, carol = pair.alice, pair.carol
    carol.says("180 Ringing")
    await until(lambda: alice.told(180), "180")
    assert "\r\n\r\nv=0" not in alice.told(180)[0]
    carol.says("183 Session Progress", sounds=True)
    await until(lambda: alice.told(183), "183")
    described = alice.told(183)[0].partition("\r\n\r\n")[2]
    pair.hear(alice.told(183)[0])
    await until(lambda: alice.sound.levels(700)[0] > HEARD, "the announcement")
    await until(lambda: carol.sound.levels(440)[0] > HEARD, "what Alice says to it")
    assert not call.done()
    carol.says("200 OK", sounds=True)
    assert await call == 200
    assert alice.told(200)[0].partition("\r\n\r\n")[2] == described, "RFC 6337 section 3.1: the same description"
    assert house.legs == 2
    alice.sound.heard.clear()
    await until(lambda: len(alice.sound.heard) > 50 and alice.sound.levels(700)[0] > HEARD, "Carol")
    alice.hang_up()
    await until(lambda: carol.hung_up and house.legs == 0, "the end of both")


async def test_an_announcement_instead_of_an_answer(house: House, pair: Pair) -> None:
    """ "The number you have dialled is not in use", and then 404."""
    call = await pair.begin()
    pair.carol.says("183 Session Progress", sounds=True)
    await until(lambda: pair.alice.told(183), "183")
    pair.hear(pair.alice.told(183)[0])
    await until(lambda: pair.alice.sound.levels(700)[0] > HEARD, "the announcement")
    pair.carol.says("404 Not Found")
    assert await call == 404
    await until(lambda: house.legs == 0, "no leg")


async def test_who_has_shown_nothing_is_sent_nothing(house: House, pair: Pair) -> None:
    """An INVITE by UDP may be forged: what it names gets no sound before a packet comes from there, or the ACK."""
    call = await pair.begin()
    pair.carol.says("183 Session Progress", sounds=True)
    await until(lambda: pair.alice.told(183), "183")
    await asyncio.sleep(0.3)
    assert not pair.alice.sound.heard and len(house.gateway.means.unproven) == 1
    pair.carol.says("200 OK", sounds=True)
    assert await call == 200
    await until(lambda: pair.alice.sound.levels(700)[0] > HEARD, "Carol")
    assert len(house.gateway.means.unproven) == 0


async def test_a_prack_shows_it(house: House, pair: Pair) -> None:
    """RFC 3262: the 183 is reliable where the caller knows that, and who acknowledges it hears what sounds, itself silent."""
    call = await pair.begin("Supported: 100rel")
    pair.carol.says("183 Session Progress", sounds=True)
    await until(lambda: pair.alice.told(183), "183")
    (reliable, *_) = pair.alice.told(183)
    assert field(reliable, "Require") == "100rel"
    await asyncio.sleep(0.2)
    assert not pair.alice.sound.heard
    pair.alice.prack(reliable)
    await until(lambda: pair.alice.sound.levels(700)[0] > HEARD, "the announcement")
    assert len(house.gateway.means.unproven) == 0
    pair.carol.says("200 OK", sounds=True)
    assert await call == 200
    assert "\r\n\r\nv=0" not in pair.alice.told(200)[0], "the 183 was the answer"
    pair.alice.hang_up()
    await until(lambda: pair.carol.hung_up and house.legs == 0, "the end of both")


async def test_a_room_hears_whom_it_calls(house: House, pair: Pair) -> None:
    """Who has called from a browser is in the room, and hears there how the telephone rings."""
    pair.alice, pair.carol = await Telephone.open(house.sip, 440), await Called.open(house.sip, 700)
    assert await pair.alice.call("meeting") == 200
    decision = SipDecision(action="address", number="carol", domain=":".join(map(str, pair.carol.address)))
    decision = decision.model_copy(update={"place": house.office.place("meeting", "Carol")})
    wish = SipCallOut(id="c9", decision=decision, room="meeting", owner="ann", owner_name="Ann", name="carol")
    await house.gateway.desk.call_out(wish)
    await until(lambda: pair.carol.invite, "the INVITE")
    pair.carol.says("183 Session Progress", sounds=True)
    await until(lambda: pair.alice.sound.levels(700)[0] > HEARD, "the ringing")
    assert house.gateway.desk.call("c9").state == "ringing"
    pair.carol.says("486 Busy Here")
    await until(lambda: house.legs == 1, "Carol's leg is gone")
