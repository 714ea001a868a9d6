"""Calls without an ACK are bounded by source and by room."""

from __future__ import annotations

import pytest

from confero.errors import Refused
from confero.sipgw.calls.unproven import Unproven


def test_by_source_and_by_room() -> None:
    calls = Unproven(2, trusted=lambda address: address == "203.0.113.1")
    calls.enter("a", "192.0.2.1", "r1")
    calls.enter("b", "192.0.2.1", "r2")
    with pytest.raises(Refused):
        calls.enter("c", "192.0.2.1", "r3")
    calls.enter("d", "192.0.2.2", "r1")
    with pytest.raises(Refused):
        calls.enter("e", "192.0.2.3", "r1")
    for number in range(10):
        calls.enter(f"t{number}", "203.0.113.1", "r1")
    assert len(calls) == 3


def test_what_is_proved_counts_no_more() -> None:
    calls = Unproven(1)
    calls.enter("a", "192.0.2.1", "r1")
    calls.enter("a", "192.0.2.1", "r1")  # a call counts once
    calls.leave("a")
    calls.leave("a")
    calls.enter("b", "192.0.2.1", "r1")
    calls.leave("b")
    assert not calls._counts and len(calls) == 0


def test_an_ipv6_network_is_one_source() -> None:
    calls = Unproven(1)
    calls.enter("a", "2001:db8::1", "r1")
    with pytest.raises(Refused):
        calls.enter("b", "2001:db8::2", "r2")
