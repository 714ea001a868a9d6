"""Who waits, who has to go for others, and when time is over."""

from __future__ import annotations

from confero.edge.lobby import Lobby

A, B = "192.0.2.1", "192.0.2.2"


def test_the_oldest_goes_when_it_is_full() -> None:
    lobby: Lobby[str] = Lobby(limit=3, per_source=3, seconds=5)
    assert [lobby.enter(key, A if key == "b" else B, 0) for key in "abc"] == [None, None, None]
    assert lobby.enter("d", A, 1) == "a"
    assert lobby.enter("e", A, 1) == "b"
    assert len(lobby) == 3


def test_of_a_source_that_has_too_many_its_own_oldest_goes() -> None:
    lobby: Lobby[str] = Lobby(limit=10, per_source=2, seconds=5)
    for key, address in (("a", A), ("b", B), ("c", B)):
        assert lobby.enter(key, address, 0) is None
    assert lobby.enter("d", B, 0) == "b"
    assert lobby.enter("e", A, 0) is None
    assert lobby.enter("f", "2001:db8::1", 0) is None
    assert lobby.enter("g", "2001:db8::2", 0) is None
    assert lobby.enter("h", "2001:db8::3", 0) == "f", "a /64 is one source"


def test_time_is_over_in_order() -> None:
    lobby: Lobby[str] = Lobby(limit=10, per_source=10, seconds=5)
    assert lobby.get_timer() is None
    for at, key in enumerate("abc"):
        lobby.enter(key, A, at)
    assert lobby.get_timer() == 5
    assert lobby.leave("a") and not lobby.leave("a")
    assert lobby.get_timer() == 6
    assert list(lobby.expire(5.9)) == [] and list(lobby.expire(7)) == ["b", "c"]
    assert len(lobby) == 0 and lobby.get_timer() is None and list(lobby.expire(9)) == []


def test_nothing_is_left_of_those_who_went() -> None:
    lobby: Lobby[int] = Lobby(limit=100, per_source=2, seconds=5)
    for key in range(1000):
        lobby.enter(key, f"10.0.{key % 50}.1", 0)
    assert len(lobby) == 100 and lobby.clear() == list(range(900, 1000))
    assert not lobby._by_source and not lobby._entries
