"""Requests of browsers against an MCU that does as it is told."""

from __future__ import annotations

import json

import pytest

from confero.clock import FakeClock
from confero.errors import Refused, Unavailable
from confero.models import (
    Answer,
    ErrorReply,
    LegPatch,
    LegReply,
    Ok,
    Participant,
    Reply,
    RoomSpec,
    TokenGrant,
    WebRtcLegCreate,
)
from confero.notifier.hub import Hub, HubLimits
from confero.notifier.rosters import Rosters
from confero.notifier.session import Session
from confero.notifier.signaling import Signaling, room_spec
from confero.notifier.wire import Leave, Mute, Offer, Ping

from .fakes import WELCOME, FakeSink, grant


class ScriptedMcu:
    """Keeps legs, notes calls, raises what stands in ``failures`` under a call's name."""

    def __init__(self) -> None:
        self.legs: dict[str, str] = {}
        self.calls: list[tuple[object, ...]] = []
        self.failures: dict[str, Exception] = {}
        self.rooms = {"lobby"}

    def _note(self, name: str, *details: object) -> None:
        self.calls.append((name, *details))
        if name in self.failures:
            raise self.failures[name]

    @property
    def names(self) -> list[object]:
        return [call[0] for call in self.calls]

    async def roster(self, url: str, room: str) -> list[Participant]:
        self._note("roster", url, room)
        return [Participant(id=who, display_name=who, kind="webrtc", leg=leg) for leg, who in self.legs.items()]

    async def leg(self, url: str, leg: str) -> Participant:
        self._note("leg", leg)
        if leg not in self.legs:
            raise Refused("no such leg", status=404, code="leg-unknown")
        who = self.legs[leg]
        return Participant(id=who, display_name=who, kind="webrtc", leg=leg)

    async def ensure_room(self, url: str, room: str, spec: RoomSpec) -> None:
        self._note("ensure", url, room, spec)
        self.rooms.add(room)

    async def create_leg(self, url: str, room: str, body: WebRtcLegCreate) -> LegReply:
        self._note("create", url, room, body)
        if room not in self.rooms:
            raise Refused("no such room", status=404, code="room-unknown")
        leg = f"leg_{len(self.calls)}"
        self.legs[leg] = body.participant
        return LegReply(leg=leg, participant=body.participant, room=room, sdp="answer")

    async def reoffer(self, url: str, leg: str, sdp: str) -> LegReply:
        self._note("reoffer", leg)
        return LegReply(leg=leg, participant="alice", room="lobby", sdp="answer")

    async def patch_leg(self, url: str, leg: str, patch: LegPatch) -> None:
        self._note("patch", leg, patch)

    async def delete_leg(self, url: str, leg: str, reason: str) -> None:
        self._note("delete", leg, reason)
        if self.legs.pop(leg, None) is None:
            raise Refused("no such leg", status=404, code="leg-unknown")


class Bench:
    def __init__(self) -> None:
        self.mcu = ScriptedMcu()
        self.hub = Hub(FakeClock(), HubLimits(), lambda session, cause: None)
        self.followed: list[Session] = []
        self.rosters = Rosters(self.mcu)
        self.signaling = Signaling(self.mcu, self.hub, self.rosters, self._follow)
        self.session = self.hub.open(grant(), "token")

    async def _follow(self, session: Session) -> None:
        self.followed.append(session)

    async def ask(self, message: Offer | Mute | Leave | Ping) -> Reply:
        self.mcu.calls.clear()
        return await self.signaling.answer(self.session, message)

    async def offer(self) -> str:
        reply = await self.ask(Offer(id=1, sdp="offer"))
        assert isinstance(reply, Answer)
        return reply.leg


@pytest.fixture
def bench() -> Bench:
    return Bench()


def code(reply: Reply) -> str:
    assert isinstance(reply, ErrorReply)
    return reply.problem.type.removeprefix("urn:confero:problem:")


async def test_fresh_offer_makes_a_leg(bench: Bench) -> None:
    reply = await bench.ask(Offer(id=7, sdp="v=0"))
    assert bench.mcu.names == ["create"]
    assert reply == Answer(id=7, leg="leg_1", sdp="answer")
    assert bench.session.leg == "leg_1"


async def test_fresh_offer_makes_the_room_where_there_is_none(bench: Bench) -> None:
    bench.mcu.rooms.clear()
    reply = await bench.ask(Offer(id=7, sdp="v=0"))
    spec = RoomSpec(name="Lobby", max_participants=10)
    body = WebRtcLegCreate(kind="webrtc", participant="alice", display_name="Alice", role="guest", sdp="v=0")
    create = ("create", "http://mcu-1", "lobby", body)
    assert bench.mcu.calls == [create, ("ensure", "http://mcu-1", "lobby", spec), create]
    assert reply == Answer(id=7, leg="leg_3", sdp="answer")
    assert bench.session.leg == "leg_3"


def test_the_mcu_is_told_all_that_the_room_was_made_with() -> None:
    wishes = {"max_participants": 9, "talkers": 3, "noise_dbov": 70, "announce": True}
    assert room_spec(grant(**wishes)) == RoomSpec(
        name="Lobby", max_participants=9, talkers=3, noise_dbov=70, announce=True
    )
    assert not set(RoomSpec.model_fields) - {"name"} - set(TokenGrant.model_fields)


async def test_reoffer_on_the_own_leg(bench: Bench) -> None:
    leg = await bench.offer()
    reply = await bench.ask(Offer(id=2, sdp="offer", leg=leg))
    assert bench.mcu.calls == [("reoffer", leg)]
    assert reply == Answer(id=2, leg=leg, sdp="answer")


async def test_own_leg_is_found_again_after_a_restart(bench: Bench) -> None:
    bench.mcu.legs["leg_9"] = "alice"
    reply = await bench.ask(Offer(id=2, sdp="offer", leg="leg_9"))
    assert bench.mcu.names == ["roster", "reoffer"]
    assert isinstance(reply, Answer)


async def test_anothers_leg_is_refused(bench: Bench) -> None:
    await bench.offer()
    bench.mcu.legs["leg_bob"] = "bob"
    reply = await bench.ask(Offer(id=2, sdp="offer", leg="leg_bob"))
    assert code(reply) == "leg-unknown"
    assert bench.mcu.names == ["roster"]


async def test_leg_lost_at_the_mcu(bench: Bench) -> None:
    leg = await bench.offer()
    bench.mcu.failures["reoffer"] = Refused("no such leg", status=404, code="leg-unknown")
    assert code(await bench.ask(Offer(id=2, sdp="offer", leg=leg))) == "leg-unknown"
    assert bench.session.leg is None


async def test_refusal_of_the_mcu_reaches_the_browser(bench: Bench) -> None:
    bench.mcu.failures["create"] = Refused("The room is full.", status=409, code="room-full")
    reply = await bench.ask(Offer(id=3, sdp="offer"))
    assert isinstance(reply, ErrorReply)
    assert (reply.id, reply.problem.status, reply.problem.detail) == (3, 409, "The room is full.")
    assert bench.followed == []


async def test_absent_mcu(bench: Bench) -> None:
    bench.mcu.failures["create"] = Unavailable("no route")
    reply = await bench.ask(Offer(id=3, sdp="offer"))
    assert isinstance(reply, ErrorReply)
    assert (code(reply), reply.problem.status) == ("media-server-down", 503)
    assert bench.followed == [bench.session]


async def test_the_mcus_own_reason_is_kept(bench: Bench) -> None:
    bench.mcu.failures["create"] = Unavailable("draining", code="draining")
    assert code(await bench.ask(Offer(id=3, sdp="offer"))) == "draining"


async def test_mute(bench: Bench) -> None:
    leg = await bench.offer()
    assert await bench.ask(Mute(id=4, muted=True)) == Ok(id=4)
    assert bench.mcu.calls == [("patch", leg, LegPatch(muted=True))]


async def test_mute_without_a_leg(bench: Bench) -> None:
    assert code(await bench.ask(Mute(id=4, muted=True))) == "leg-unknown"


async def test_leave_removes_the_leg(bench: Bench) -> None:
    leg = await bench.offer()
    assert await bench.ask(Leave(id=5)) == Ok(id=5)
    assert bench.mcu.calls[-1] == ("delete", leg, "left")


async def test_leave_without_mcu_or_leg(bench: Bench) -> None:
    assert await bench.ask(Leave(id=5)) == Ok(id=5)
    bench.mcu.failures["roster"] = Unavailable("away")
    assert await bench.ask(Leave(id=6)) == Ok(id=6)


async def test_leave_when_the_leg_just_went(bench: Bench) -> None:
    await bench.offer()
    bench.mcu.failures["delete"] = Refused("gone", status=404, code="leg-unknown")
    assert await bench.ask(Leave(id=5)) == Ok(id=5)


async def test_leave_costs_no_roster(bench: Bench) -> None:
    await bench.offer()
    await bench.ask(Leave(id=5))
    assert bench.mcu.names == ["delete"]


async def test_leave_finds_the_leg_that_took_the_known_ones_place(bench: Bench) -> None:
    await bench.offer()
    bench.mcu.legs = {"leg_other": "alice"}
    await bench.ask(Leave(id=5))
    assert bench.mcu.calls[-1] == ("delete", "leg_other", "left")
    assert bench.mcu.legs == {}


async def test_ping(bench: Bench) -> None:
    assert await bench.ask(Ping(id=6)) == Ok(id=6)
    assert bench.mcu.calls == []


async def test_roster_of_an_unknown_room_is_empty(bench: Bench) -> None:
    bench.mcu.failures["roster"] = Refused("no such room", status=404, code="room-unknown")
    assert await bench.signaling.roster(bench.session) == b"[]"
    assert bench.session.informed  # by the MCU, once somebody makes the room


async def roster(bench: Bench) -> list[str]:
    bench.mcu.calls.clear()
    return [entry["leg"] for entry in json.loads(await bench.signaling.roster(bench.session))]


async def test_the_mcu_is_asked_for_a_roster_once(bench: Bench) -> None:
    bench.mcu.legs["leg_bob"] = "bob"
    assert await roster(bench) == ["leg_bob"]
    assert bench.mcu.names == ["roster"]
    assert await roster(bench) == ["leg_bob"]
    assert bench.mcu.names == []


async def test_who_is_back_is_asked_for_at_the_mcu(bench: Bench) -> None:
    bench.mcu.legs |= {"leg_bob": "bob", "leg_9": "alice"}
    assert await roster(bench) == ["leg_bob", "leg_9"]
    assert (bench.mcu.names, bench.session.leg) == (["roster", "leg"], "leg_9")
    del bench.mcu.legs["leg_9"]  # and the word of it is still on its way
    assert await roster(bench) == ["leg_bob"]
    assert (bench.mcu.names, bench.session.leg) == (["leg"], None)
    assert await roster(bench) == ["leg_bob"]
    assert bench.mcu.names == []


async def test_who_is_back_while_the_mcu_is_away_offers_afresh(bench: Bench) -> None:
    bench.mcu.legs["leg_9"] = "alice"
    await roster(bench)
    bench.mcu.failures["leg"] = Unavailable("away")
    assert await roster(bench) == []
    assert bench.session.leg is None


async def test_the_roster_comes_later_if_the_welcome_could_not_have_it(bench: Bench) -> None:
    sink = FakeSink()
    bench.hub.attach(bench.session, sink, WELCOME)
    bench.mcu.legs["leg_bob"] = "bob"
    bench.mcu.failures["roster"] = Unavailable("away")
    assert await roster(bench) == []
    await bench.offer()
    assert sink.sent == ["welcome"]
    del bench.mcu.failures["roster"]
    await bench.offer()
    (event,) = [json.loads(text) for text in sink.sent[1:]]
    assert (event["type"], event["seq"], event["participants"][0]["id"]) == ("roster", 1, "bob")
    await bench.offer()
    assert len(sink.sent) == 2


async def test_leave_spares_the_leg_of_a_newer_session(bench: Bench) -> None:
    old = bench.session
    await bench.offer()
    bench.hub.open(grant(), "token")
    bench.mcu.calls.clear()
    assert await bench.signaling.answer(old, Leave(id=9)) == Ok(id=9)
    assert bench.mcu.names == []
