"""The farm under a fake clock."""

from __future__ import annotations

import pytest

from confero.appserver.rooms.entities import KnownMcu
from confero.appserver.rooms.farm import MAX_GONE, MAX_MCUS, RECALL_S, Farm
from confero.clock import FakeClock
from confero.errors import Refused
from confero.models import McuHeartbeat, McuRegister
from confero.models.turn import MediaPlace


class Bench:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.farm = Farm(self.clock, silence_s=6)

    def register(self, name: str, *, boot: str = "b1", capacity: int = 100) -> bool:
        return self.farm.register(McuRegister(id=name, boot=boot, url=f"http://{name}", capacity=capacity))

    def beat(self, name: str, *, boot: str = "b1", load: float = 0, draining: bool = False) -> bool:
        return self.farm.heartbeat(name, McuHeartbeat(boot=boot, load=load, rooms=0, legs=0, draining=draining))


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_no_mcu(bench: Bench) -> None:
    with pytest.raises(Refused) as caught:
        bench.farm.choose()
    assert (caught.value.status, caught.value.code) == (503, "no-media-server")


def test_least_filled_is_chosen(bench: Bench) -> None:
    bench.register("small", capacity=10)
    bench.register("large", capacity=1000)
    bench.beat("small", load=2)
    bench.beat("large", load=100)
    assert bench.farm.choose().id == "large"


def test_rooms_placed_between_heartbeats_spread(bench: Bench) -> None:
    for name in ("a", "b", "c"):
        bench.register(name)
    assert [bench.farm.choose().id for _ in range(6)] == ["a", "b", "c", "a", "b", "c"]
    bench.beat("c")
    assert bench.farm.choose().id == "c"


def test_draining_and_full_ones_take_no_new_room(bench: Bench) -> None:
    bench.register("draining")
    bench.register("full", capacity=5)
    bench.beat("draining", draining=True)
    bench.beat("full", load=5)
    with pytest.raises(Refused):
        bench.farm.choose()
    assert bench.farm.alive("draining") is not None
    assert bench.farm.alive("full") is not None


def test_silence(bench: Bench) -> None:
    bench.register("a")
    bench.register("b")
    bench.clock.advance(4)
    assert bench.beat("b")
    bench.clock.advance(2)
    assert bench.farm.alive("a") is None
    assert bench.farm.choose().id == "b"
    assert [mcu.id for mcu in bench.farm.lost()] == ["a"]
    assert bench.farm.lost() == []
    assert len(bench.farm) == 1


def test_heartbeat_of_a_stranger_a_lost_one_or_another_boot(bench: Bench) -> None:
    assert not bench.beat("a")
    bench.register("a")
    assert bench.beat("a")
    assert not bench.beat("a", boot="b2")
    bench.clock.advance(6)
    assert not bench.beat("a")


def test_restarted_mcu_registers_again(bench: Bench) -> None:
    bench.register("a")
    bench.register("a", boot="b2")
    assert not bench.beat("a", boot="b1")
    assert bench.beat("a", boot="b2")
    assert len(bench.farm) == 1


def test_the_same_process_registering_again_keeps_what_its_heartbeats_told(bench: Bench) -> None:
    assert bench.register("a")
    bench.beat("a", load=40, draining=True)
    bench.clock.advance(5)
    assert not bench.register("a", capacity=200)
    bench.clock.advance(5)
    mcu = bench.farm.alive("a")
    assert mcu is not None
    assert (mcu.load, mcu.draining, mcu.capacity) == (40, True, 200)
    assert bench.register("a", boot="b2")
    mcu = bench.farm.alive("a")
    assert mcu is not None
    assert (mcu.load, mcu.draining) == (0, False)


def test_new_mcu_under_the_same_url_supersedes(bench: Bench) -> None:
    bench.register("a")
    bench.farm.register(McuRegister(id="b", boot="b2", url="http://a", capacity=100))
    assert bench.farm.alive("a") is None
    assert not bench.beat("a")
    assert [mcu.id for mcu in bench.farm.lost()] == ["a"]
    assert bench.farm.choose().id == "b"


def test_recalled_mcu_lives_but_has_to_register(bench: Bench) -> None:
    bench.farm.recall(KnownMcu("a", "b1", "http://a", 100))
    assert bench.farm.alive("a") is not None
    assert bench.farm.choose().url == "http://a"
    assert not bench.beat("a")
    bench.clock.advance(6 + RECALL_S)
    assert [mcu.id for mcu in bench.farm.lost()] == ["a"]


def test_nobody_is_alive() -> None:
    assert Bench().farm.alive(None) is None


def test_table_is_bounded(bench: Bench) -> None:
    for number in range(MAX_MCUS):
        bench.register(f"m{number}")
    with pytest.raises(Refused):
        bench.register("one-more")
    bench.register("m0", boot="b2")


def test_whoever_follows_the_farm_is_told_when_media_goes_elsewhere(bench: Bench) -> None:
    told: list[int] = []
    bench.farm.changed.append(lambda: told.append(bench.farm.version))

    def register(*ports: int, boot: str = "b1") -> None:
        media = [MediaPlace(host="192.0.2.9", low=port, high=port + 99) for port in ports]
        bench.farm.register(McuRegister(id="a", boot=boot, url="http://a", capacity=9, media=media))

    register()
    assert told == [], "one without media changes nothing"
    register(5000)
    register(5000)
    register(5000, boot="b2")
    assert told == [1], "nor does a restart at the same place"
    register(6000, boot="b2")
    bench.clock.advance(6)
    register(6000, boot="b2")
    assert told == [1, 2, 3], "it was forgotten in between"
    bench.clock.advance(6)
    bench.farm.lost()
    assert told == [1, 2, 3, 4] and bench.farm.media() == []


def test_of_equally_filled_ones_the_one_with_fewest_rooms_is_chosen(bench: Bench) -> None:
    """Empty rooms cost nothing now, but people will come."""
    for name, rooms in (("a", 3), ("b", 1), ("c", 2)):
        bench.register(name)
        assert bench.farm.heartbeat(name, McuHeartbeat(boot="b1", load=0, rooms=rooms, legs=0))
    assert [bench.farm.choose().id for _ in range(4)] == ["b", "c", "a", "b"]


def test_rooms_placed_just_now_fill_a_small_one(bench: Bench) -> None:
    bench.register("small", capacity=5)
    bench.beat("small", load=1.5)
    assert [bench.farm.choose().id for _ in range(2)] == ["small", "small"]
    with pytest.raises(Refused):
        bench.farm.choose()
    bench.beat("small", load=2)
    assert bench.farm.choose().id == "small"


def test_drained_by_an_administrator_whatever_it_says_itself(bench: Bench) -> None:
    bench.farm.drain("a", draining=True)
    bench.register("a")
    bench.register("b")
    bench.beat("a")
    assert {bench.farm.choose().id for _ in range(5)} == {"b"}
    bench.register("a", boot="b2")
    assert {bench.farm.choose().id for _ in range(5)} == {"b"}
    bench.farm.drain("a", draining=False)
    assert "a" in {bench.farm.choose().id for _ in range(5)}


def test_last_one_to_leave_a_draining_mcu_is_told_of_each_time(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    bench.register("a")
    bench.farm.drain("a", draining=True)
    for legs in (2, 0, 0, 1, 0):
        bench.farm.heartbeat("a", McuHeartbeat(boot="b1", load=legs, rooms=1, legs=legs))
    assert sum("mcu drained" in record.getMessage() for record in caplog.records) == 2


def test_lost_ones_are_shown_for_an_hour(bench: Bench) -> None:
    bench.register("a")
    bench.register("b")
    bench.clock.advance(4)
    bench.beat("b")
    bench.clock.advance(2)
    bench.farm.lost()
    assert [(mcu.id, lives, silent_s) for mcu, lives, silent_s in bench.farm.shown()] == [
        ("a", False, 6),
        ("b", True, 2),
    ]
    assert bench.farm.knows("a")
    bench.clock.advance(3597)
    bench.farm.lost()
    assert [(mcu.id, lives) for mcu, lives, _ in bench.farm.shown()] == [("b", False)]
    bench.register("b", boot="b2")
    assert [lives for _, lives, _ in bench.farm.shown()] == [True]


def test_memory_of_lost_ones_is_bounded(bench: Bench) -> None:
    for number in range(MAX_GONE + 5):
        bench.register(f"m{number}")
    bench.clock.advance(6)
    bench.farm.lost()
    assert len(bench.farm.shown()) == MAX_GONE
