"""Keys that come twice, and pairs of keys that mean something."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from confero.clock import FakeClock
from confero.sipgw.calls.keypad import Keypad
from confero.sipgw.features import WITHIN_S, Features
from confero.sipgw.keys import APART_S, MEMORY, Once


def test_a_key_that_comes_both_ways_counts_once() -> None:
    once = Once()
    assert once.counts("media", "5", 0.0)
    assert not once.counts("info", "5", 0.3)
    assert once.counts("info", "5", 0.6)  # the next press, whose INFO is first
    assert not once.counts("media", "5", 0.7)


def test_a_key_that_is_pressed_twice_counts_twice() -> None:
    once = Once()
    assert once.counts("media", "5", 0.0) and once.counts("media", "5", 0.2)
    assert not once.counts("info", "5", 0.3) and not once.counts("info", "5", 0.4)
    assert once.counts("info", "5", 0.5)


def test_other_keys_and_later_ones_are_no_twins() -> None:
    once = Once()
    assert once.counts("media", "5", 0.0) and once.counts("info", "6", 0.1)
    assert once.counts("info", "5", APART_S + 0.1)


def test_a_flood_is_remembered_in_part() -> None:
    once = Once()
    for _ in range(10 * MEMORY):
        assert once.counts("media", "1", 0.0)
    assert len(once._seen) == MEMORY


def test_a_star_and_a_key() -> None:
    features = Features()
    assert [features.key(key, 0.0) for key in "*6"] == [None, "mute"]
    assert [features.key(key, 0.0) for key in "*#"] == [None, "help"]
    assert [features.key(key, 0.0) for key in "*9"] == [None, "hand"]
    assert [features.key(key, 0.0) for key in "*8"] == [None, "unknown"]
    assert [features.key(key, 0.0) for key in "**6"] == [None, None, "mute"]
    assert [features.key(key, 0.0) for key in "6#"] == [None, None]


def test_a_star_is_forgotten() -> None:
    features = Features()
    features.key("*", 0.0)
    assert features.key("6", WITHIN_S + 0.1) is None


def test_who_cannot_be_moved_is_not_waited_for_in_vain() -> None:
    """After a transfer; in the menu it would be told."""
    reasons: list[str] = []
    keypad = Keypad(cast(Any, SimpleNamespace(hang_up=reasons.append)), cast(Any, SimpleNamespace()), FakeClock())
    keypad.stranded()
    assert len(reasons) == 1
