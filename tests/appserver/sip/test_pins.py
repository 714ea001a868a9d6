"""PINs: three tries a call, waits for source and number, and nothing that tells a number without a PIN from none."""

from __future__ import annotations

import asyncio

import pytest

from confero.appserver.sip.vault import Vault
from confero.errors import Refused
from confero.models import RoomCreate
from confero.models.sip import SipPinReply

from .conftest import Bench


async def test_number_and_pin(bench: Bench) -> None:
    await bench.number("4711", pin="1234")
    asked = await bench.pin("4711")
    assert (asked.outcome, asked.place, asked.tries_left) == ("ask-pin", None, 3)
    reply = await bench.pin("4711", "1234", from_name="Bob")
    assert reply.outcome == "accepted" and reply.place is not None
    assert (reply.place.room, reply.place.display_name, reply.place.mcu) == ("lobby", "Bob", "m1")


async def test_a_number_without_a_pin_lets_in(bench: Bench) -> None:
    await bench.number("4711")
    assert (await bench.pin("4711")).outcome == "accepted"
    assert (await bench.pin("4711", "99")).outcome == "accepted"


async def test_where_only_hosts_have_a_pin_whoever_keys_none_is_a_guest(bench: Bench) -> None:
    room = (await bench.reception.catalogue.create(RoomCreate(name="Hosts", host_pin="4321"))).id
    await bench.number("4711", room=room)
    assert (await bench.pin("4711")).outcome == "ask-host"
    assert [(await bench.pin("4711", pin)).outcome for pin in ("0000", "1111")] == ["wrong", "wrong"]
    for pin, role in (("", "guest"), ("4321", "host")):
        reply = await bench.pin("4711", pin)
        assert reply.outcome == "accepted" and reply.place is not None and reply.place.role == role
    assert (await bench.pin("4711", "2222")).tries_left == 0
    assert (await bench.pin("4711", "4321")).outcome == "wait", "tries of a host's PIN are counted as all others"
    assert (await bench.pin("4711", "")).outcome == "accepted", "which keeps no guest out"


async def test_a_number_of_such_a_room_is_asked_at_its_door(bench: Bench) -> None:
    room = (await bench.reception.catalogue.create(RoomCreate(name="Hosts", host_pin="4321"))).id
    await bench.number("4711", room=room)
    decision = await bench.route("4711")
    assert (decision.action, decision.number, decision.host_pin) == ("menu", "4711", True)
    assert (await bench.route(room)).action == "room", "whoever knows its id comes straight in"


async def test_three_tries_a_call(bench: Bench) -> None:
    await bench.number("4711", pin="1234")
    replies = [await bench.pin("4711", "0000") for _ in range(3)]
    assert [(r.outcome, r.tries_left) for r in replies] == [("wrong", 2), ("wrong", 1), ("wrong", 0)]
    right = await bench.pin("4711", "1234", source="198.51.100.1")
    assert (right.outcome, right.place, right.retry_after_s, right.tries_left) == ("wait", None, 3600, 0)
    assert (await bench.pin("4711", "1234", call="c2", source="198.51.100.1")).outcome == "accepted"


async def test_another_call_does_not_help_the_source(bench: Bench) -> None:
    await bench.number("4711", pin="1234")
    for _ in range(3):
        await bench.pin("4711", "0000")
    waits = await bench.pin("4711", "1234", call="c2")
    assert (waits.outcome, waits.retry_after_s, waits.tries_left) == ("wait", 30, 3)
    bench.later(30)
    assert (await bench.pin("4711", "1234", call="c2")).outcome == "accepted"
    assert (await bench.pin("4711", "1234", call="c3")).outcome == "accepted"  # the right PIN costs nobody a wait


async def test_waits_double(bench: Bench) -> None:
    await bench.number("4711", pin="1234")
    waits = []
    for n in range(8):
        reply = await bench.pin("4711", "0000", call=f"c{n}")
        if reply.outcome == "wait":
            waits.append(reply.retry_after_s)
            bench.later(reply.retry_after_s)
            assert (await bench.pin("4711", "0000", call=f"d{n}")).outcome == "wrong"
    assert waits == [30, 60, 120, 240, 480]


async def test_tries_made_at_once_are_counted_one_by_one(bench: Bench) -> None:
    """Thirty calls of one source guess together, and three are looked at."""
    await bench.number("4711", pin="1234")
    looked: list[str] = []
    check = Vault.check_pin

    def watch(vault: Vault, pin: str, hashed: str | None) -> bool:
        looked.append(pin)
        return check(vault, pin, hashed)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Vault, "check_pin", watch)
        replies = await asyncio.gather(*(bench.pin("4711", f"{n:04}", call=f"c{n}") for n in range(30)))
    assert len(looked) == 3
    assert sorted(r.outcome for r in replies) == ["wait"] * 27 + ["wrong"] * 3


async def test_many_sources_slow_each_other_down_and_shut_nobody_out_for_long(bench: Bench) -> None:
    await bench.number("4711", pin="1234")
    for n in range(50):
        assert (await bench.pin("4711", "0000", call=f"c{n}", source=f"198.51.100.{n}")).outcome == "wrong"
    reply = await bench.pin("4711", "1234", call="mine", source="203.0.113.1")
    assert reply.outcome == "wait" and reply.retry_after_s <= 60
    bench.later(reply.retry_after_s)
    assert (await bench.pin("4711", "1234", call="mine", source="203.0.113.1")).outcome == "accepted"


async def test_one_source_at_many_numbers(bench: Bench) -> None:
    for n in range(10):
        assert (await bench.pin(f"10{n}", "0000", call=f"c{n}")).outcome == "wrong"
    assert (await bench.pin("4711", "0000", call="c99")).outcome == "wait"


async def test_telephones_behind_a_trunk_are_sources_of_their_own(bench: Bench) -> None:
    await bench.number("4711", pin="1234")
    for _ in range(3):
        await bench.pin("4711", "0000", trunk="pstn", from_user="+491")
    assert (await bench.pin("4711", "1234", call="c2", trunk="pstn", from_user="+492")).outcome == "accepted"


async def test_a_number_that_nobody_has_answers_like_one_with_a_pin(bench: Bench) -> None:
    """The same texts, the same waits, the same work: each PIN is checked once, against a hash of the same cost."""
    await bench.number("4711", pin="1234")
    seen: list[list[tuple[SipPinReply, int]]] = []
    slow = Vault._slow
    for number in ("4711", "4712"):
        replies = []
        for pin in (None, "0000", "0001", None, "0002", "0003"):
            work: list[str] = []

            def count(vault: Vault, text: str, salt: bytes, work: list[str] = work) -> bytes:
                work.append(text)
                return slow(vault, text, salt)

            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(Vault, "_slow", count)
                reply = await bench.pin(number, pin, call=f"call{number}", source=f"192.0.2.{number[-1]}")
            replies.append((reply, len(work)))
        seen.append(replies)
    assert seen[0] == seen[1]
    assert [work for _, work in seen[0]] == [0, 1, 1, 0, 1, 0]


async def test_numbers_are_not_tried_without_end(bench: Bench) -> None:
    outcomes = [(await bench.pin(str(n))).outcome for n in range(6)]
    assert outcomes == ["ask-pin"] * 5 + ["wait"]
    for call in range(10):
        for n in range(5):
            last = await bench.pin(str(n), call=f"d{call}")
    assert last.outcome == "wait"


async def test_a_full_room_is_told_to_who_knows_the_pin_only(bench: Bench) -> None:
    room = await bench.reception.catalogue.create(RoomCreate(max_participants=2))
    await bench.number("4711", room.id, pin="1234")
    for call in ("c1", "c2"):
        await bench.pin("4711", "1234", call=call)
    assert (await bench.pin("4711", "0000", call="c3")).outcome == "wrong"
    with pytest.raises(Refused) as caught:
        await bench.pin("4711", "1234", call="c3")
    assert caught.value.code == "room-full"
