"""Who is really there, through every way in which things end."""

from __future__ import annotations

import pytest

from confero.appserver.db.records import SqlRecords
from confero.appserver.history.store import Wanted
from confero.errors import Refused, Unavailable
from confero.models import McuRegister, RoomCreate, RoomSpec, SessionsSnapshot

from .conftest import Bench


async def test_session_holds_the_place(bench: Bench) -> None:
    await bench.mcu()
    alice = await bench.join()
    await bench.session("connected", alice)
    bench.clock.advance(3600)
    assert await bench.count() == 1
    await bench.session("disconnected", alice)
    assert await bench.count() == 0


async def test_leg_holds_the_place(bench: Bench) -> None:
    await bench.mcu()
    alice = await bench.join()
    await bench.record(alice, "joined")
    bench.clock.advance(60)
    assert await bench.count() == 1
    await bench.record(alice, "left", reason="ice-timeout")
    assert await bench.count() == 0


async def test_lost_notifier_keeps_places_for_a_while(bench: Bench) -> None:
    await bench.mcu()
    alice = await bench.join()
    await bench.session("connected", alice)
    bench.clock.advance(60)
    await bench.presence.snapshot(SessionsSnapshot(notifier="notifier", sessions=[]))
    assert await bench.count() == 1
    bench.clock.advance(31)
    assert await bench.count() == 0


async def test_snapshot_keeps_the_living(bench: Bench) -> None:
    await bench.mcu()
    alice = await bench.join()
    await bench.session("connected", alice)
    bench.clock.advance(60)
    await bench.presence.snapshot(SessionsSnapshot(notifier="notifier", sessions=["s1"]))
    bench.clock.advance(60)
    assert await bench.count() == 1


async def test_heartbeat_of_a_stranger(bench: Bench) -> None:
    with pytest.raises(Refused) as caught:
        bench.beat()
    assert (caught.value.status, caught.value.code) == (404, "mcu-unknown")


async def test_restart_of_this_server(bench: Bench) -> None:
    """The MCU is presumed to live, has to register again, and then its word counts: who is not listed has gone."""
    await bench.mcu("m1")
    alice, bob = await bench.join("Alice"), await bench.join("Bob")
    for someone in (alice, bob):
        await bench.record(someone, "joined")
    bench.clock.advance(60)
    bench.restart()
    await bench.presence.start()
    assert (await bench.reception.check((await bench.join("Carol")).token)).mcu == "m1"
    bench.clock.advance(31)
    with pytest.raises(Refused):
        bench.beat("m1")
    await bench.mcu("m1", bob.person.id)
    bench.beat("m1")
    assert await bench.count() == 1


async def test_a_registration_repeated_puts_rows_right(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """A lost ``left`` leaves a phantom, a lost ``joined`` a gap: both are gone when the same process registers once more."""
    await bench.mcu("m1")
    alice, bob, carol = [await bench.join(name) for name in ("Alice", "Bob", "Carol")]
    for someone in (alice, bob):
        await bench.record(someone, "joined")
    bench.clock.advance(60)
    assert await bench.count() == 2
    caplog.clear()
    await bench.mcu("m1", alice.person.id, carol.person.id)
    found = {a.person.display_name: await bench.store.person(a.person.id) for a in (alice, bob, carol)}
    assert {name: person and person.leg_mcu for name, person in found.items()} == {
        "Alice": "m1",
        "Bob": None,
        "Carol": "m1",
    }
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    caplog.clear()
    await bench.mcu("m1", alice.person.id, carol.person.id)
    assert [record for record in caplog.records if record.levelname != "DEBUG"] == []


async def test_restart_while_a_room_has_no_home(bench: Bench) -> None:
    """An MCU was lost, no other was there, and then this server died too: the room is not forgotten."""
    await bench.mcu("m1")
    alice = await bench.join()
    await bench.session("connected", alice)
    bench.clock.advance(6)
    await bench.presence.sweep()
    bench.restart()
    await bench.presence.start()
    await bench.presence.sweep()
    assert bench.notifier.placed == []
    await bench.mcu("m2")
    await bench.presence.sweep()
    assert [placement.mcu for _, placement in bench.notifier.placed] == ["m2"]


async def test_lost_mcu_with_a_spare_one(bench: Bench) -> None:
    await bench.mcu("m1")
    alice = await bench.join()
    await bench.session("connected", alice)
    await bench.record(alice, "joined")
    bench.clock.advance(6)
    await bench.mcu("m2")
    await bench.presence.sweep()
    ((room, placement),) = bench.notifier.placed
    assert (room, placement.mcu, placement.mcu_url, placement.spec.name) == ("lobby", "m2", "http://m2", "Lobby")
    assert (await bench.reception.check(alice.token)).mcu == "m2"
    await bench.presence.sweep()
    assert len(bench.notifier.placed) == 1


async def test_a_room_sounds_the_same_at_its_next_mcu(bench: Bench) -> None:
    await bench.mcu("m1")
    room = await bench.reception.catalogue.create(
        RoomCreate(name="Quiet", max_participants=9, talkers=3, noise_dbov=70, announce=True)
    )
    await bench.session("connected", await bench.join(room=room.id))
    bench.clock.advance(6)
    await bench.mcu("m2")
    await bench.presence.sweep()
    ((_, placement),) = bench.notifier.placed
    assert placement.spec == RoomSpec(name="Quiet", max_participants=9, talkers=3, noise_dbov=70, announce=True)


async def test_lost_mcu_without_a_spare_one(bench: Bench) -> None:
    await bench.mcu("m1")
    alice = await bench.join()
    await bench.session("connected", alice)
    bench.clock.advance(6)
    await bench.presence.sweep()
    assert bench.notifier.placed == []
    await bench.mcu("m2")
    await bench.presence.sweep()
    assert [placement.mcu for _, placement in bench.notifier.placed] == ["m2"]


async def test_lost_mcu_that_comes_back(bench: Bench) -> None:
    await bench.mcu("m1")
    alice = await bench.join()
    await bench.session("connected", alice)
    bench.clock.advance(6)
    await bench.presence.sweep()
    await bench.mcu("m1", boot="b2")
    await bench.presence.sweep()
    assert bench.notifier.placed == []
    assert (await bench.reception.check(alice.token)).mcu == "m1"


async def test_restarted_mcu_with_a_new_id_gets_its_rooms_at_once(bench: Bench) -> None:
    await bench.mcu("m1")
    alice = await bench.join()
    await bench.session("connected", alice)
    await bench.record(alice, "joined")
    await bench.presence.registered(McuRegister(id="m2", boot="b2", url="http://m1", capacity=100))
    await bench.presence.sweep()
    assert [placement.mcu for _, placement in bench.notifier.placed] == ["m2"]
    await bench.session("disconnected", alice)
    assert await bench.count() == 0


async def test_notifier_away_while_a_room_moves(bench: Bench) -> None:
    await bench.mcu("m1")
    alice = await bench.join()
    await bench.session("connected", alice)
    bench.clock.advance(6)
    await bench.mcu("m2")
    bench.notifier.failure = Unavailable("away")
    await bench.presence.sweep()
    bench.notifier.failure = None
    await bench.presence.sweep()
    assert [placement.mcu for _, placement in bench.notifier.placed] == ["m2"]


async def test_database_away_while_an_mcu_is_lost(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be written is written by the next sweep."""
    await bench.mcu("m1")
    alice = await bench.join()
    await bench.record(alice, "joined")
    bench.clock.advance(31)

    async def fail(_: str, at: float) -> int:
        raise Unavailable("away")

    with monkeypatch.context() as patch:
        patch.setattr(bench.store, "mcu_lost", fail)
        with pytest.raises(Unavailable):
            await bench.presence.sweep()
    assert await bench.count() == 1
    await bench.presence.sweep()
    assert await bench.count() == 0


async def test_empty_rooms_of_a_lost_mcu_stay_until_somebody_comes(bench: Bench) -> None:
    await bench.mcu("m1")
    alice = await bench.join()
    bench.clock.advance(6)
    await bench.mcu("m2")
    await bench.presence.sweep()
    assert bench.notifier.placed == []
    assert (await bench.reception.check(alice.token)).mcu == "m2"


async def test_room_of_a_draining_mcu_goes_elsewhere_once_it_is_empty(bench: Bench) -> None:
    await bench.mcu("m1")
    alice = await bench.join("Alice")
    await bench.session("connected", alice)
    await bench.mcu("m2")
    bench.farm.drain("m1", draining=True)
    bob = await bench.join("Bob")
    assert (await bench.reception.check(bob.token)).mcu == "m1", "somebody is there: who comes joins them"
    await bench.session("disconnected", alice)
    bench.clock.advance(31)
    for name in ("m1", "m2"):
        await bench.mcu(name)
    carol = await bench.join("Carol")
    assert (await bench.reception.check(carol.token)).mcu == "m2"


async def test_legs_of_a_lost_mcu_end_when_it_was_last_heard(bench: Bench) -> None:
    """Not when that was noticed."""
    await bench.mcu("m1")
    alice = await bench.join()
    await bench.record(alice, "joined")
    bench.clock.advance(3)
    bench.beat("m1")
    heard = bench.clock.wall()
    bench.clock.advance(9)
    await bench.presence.sweep()
    (meeting,) = await SqlRecords(bench.store._db).meetings(Wanted(None), None, 9)
    assert (meeting.ended_at, meeting.reason) == (pytest.approx(heard), "lost")
