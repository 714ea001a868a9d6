"""What may be relayed to, as the farm and the operator say."""

from __future__ import annotations

from confero.clock import FakeClock
from confero.models.turn import MediaPlace
from confero.protocols.turn import PeerPolicy
from confero.turn.reach import REMEMBERED_S, Reaching

MCU = MediaPlace(host="198.18.0.9", low=5000, high=15_000)
PUBLIC = MediaPlace(host="8.8.4.4", low=5000, high=15_000)


class Bench:
    def __init__(self, **settings: object) -> None:
        self.clock = FakeClock()
        self.made: list[PeerPolicy] = []
        self.own = ["8.8.8.8"]
        self.reaching = Reaching(self.clock, self.made.append, lambda: self.own, **settings)  # type: ignore[arg-type]

    def admits(self, host: str, port: int) -> bool:
        return self.made[-1].admits((host, port))


def test_media_servers_are_reached_on_media_ports_less_those_of_services() -> None:
    bench = Bench()
    assert not bench.admits(MCU.host, 6000)
    bench.reaching.told([MCU])
    assert bench.admits(MCU.host, 6000)
    assert not any(bench.admits(MCU.host, port) for port in (443, 2131, 5060, 14_040, 14_049, 20_000))


def test_a_media_server_in_the_open_is_no_more_open_than_that() -> None:
    bench = Bench()
    assert bench.admits(PUBLIC.host, 22)
    bench.reaching.told([PUBLIC])
    assert bench.admits(PUBLIC.host, 6000) and not bench.admits(PUBLIC.host, 22)


def test_addresses_of_this_machine_are_refused_and_followed() -> None:
    bench = Bench()
    assert not bench.admits("8.8.8.8", 6000)
    bench.own = ["9.9.9.9"]
    bench.reaching.told(())
    assert bench.admits("8.8.8.8", 6000) and not bench.admits("9.9.9.9", 6000)


def test_this_machine_may_be_a_media_server_too() -> None:
    bench = Bench()
    bench.reaching.told([MediaPlace(host="8.8.8.8", low=5000, high=15_000)])
    assert bench.admits("8.8.8.8", 6000) and not bench.admits("8.8.8.8", 2131)


def test_who_is_not_told_any_more_is_remembered_for_a_while() -> None:
    bench = Bench()
    bench.reaching.told([MCU])
    bench.clock.advance(REMEMBERED_S - 1)
    bench.reaching.told(())
    assert bench.admits(MCU.host, 6000)
    bench.clock.advance(1)
    bench.reaching.told(())
    assert not bench.admits(MCU.host, 6000)


def test_a_policy_is_made_when_something_has_changed() -> None:
    bench = Bench()
    for _ in range(3):
        bench.reaching.told([MCU])
    assert len(bench.made) == 2


def test_the_farm_only_and_exceptions_only() -> None:
    closed = Bench(only=True)
    closed.reaching.told([MCU])
    assert closed.admits(MCU.host, 6000) and not closed.admits("1.1.1.1", 6000)
    fixed = Bench(farm=False, reach=["10.0.0.5:7000-7001"])
    fixed.reaching.told([MCU])
    assert fixed.admits("10.0.0.5", 7001) and not fixed.admits(MCU.host, 6000)


def test_a_place_that_no_exception_may_name_opens_nothing() -> None:
    bench = Bench()
    bench.reaching.told([MediaPlace(host="0.0.0.0", low=5000, high=6000), MediaPlace(host="nonsense", low=1, high=2)])
    assert not bench.admits("0.0.0.0", 5500)
