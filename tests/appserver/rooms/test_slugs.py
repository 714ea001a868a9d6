"""Room ids: readable, valid on the wire, not to be guessed."""

from __future__ import annotations

from itertools import count

import pytest
from pydantic import TypeAdapter

from confero.appserver.rooms.slugs import ADJECTIVES, ALPHABET, NOUNS, display_name, named_id, unnamed_id
from confero.models import Id

WIRE_ID = TypeAdapter[str](Id)


def test_words_and_letters_carry_the_bits_that_are_claimed() -> None:
    assert len(set(ADJECTIVES)) == len(set(NOUNS)) == 64
    assert len(set(ALPHABET)) == 32


def test_unnamed_id_uses_every_choice() -> None:
    numbers = count()
    sizes: list[int] = []

    def choose(size: int) -> int:
        sizes.append(size)
        return next(numbers) % size

    assert unnamed_id(choose) == "amber-bear-234567"
    assert sizes == [64, 64, *[32] * 6]


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("Team stand-up", "team-stand-up-"),
        ("Équipe  Café!", "equipe-cafe-"),
        ("<script>alert(1)</script>", "script-alert-1-script-"),
        ("../../etc/passwd", "etc-passwd-"),
        ("x" * 64, "x" * 40 + "-"),
    ],
)
def test_named_id_keeps_what_it_can(name: str, start: str) -> None:
    made = named_id(name)
    assert made.startswith(start)
    assert len(made) == len(start) + 8
    assert WIRE_ID.validate_python(made) == made


@pytest.mark.parametrize("name", ["会議", "🎈", "---"])
def test_name_that_leaves_nothing(name: str) -> None:
    assert named_id(name).split("-")[0] in ADJECTIVES


def test_ids_do_not_repeat() -> None:
    assert len({unnamed_id() for _ in range(1000)}) == 1000
    assert len({named_id("x") for _ in range(1000)}) == 1000


def test_display_name() -> None:
    assert display_name("calm-otter-7kq3mw") == "Calm otter"
