"""Secrets for TURN, one after the other: who signs, who is taken, and for how long."""

from __future__ import annotations

from pathlib import Path

import pytest

from confero.errors import LocalError
from confero.turnsecrets import FILE, LONGEST_TTL_S, MOST_TAKEN, Dated, TurnSecrets, parse, read, rotate, signing, taken

NOW = 1_800_000_000.0
FIRST, SECOND, THIRD = b"1" * 32, b"2" * 32, b"3" * 32


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def wall(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / FILE


def made(path: Path, clock: Clock, *earlier: bytes) -> TurnSecrets:
    return TurnSecrets(path, FIRST, clock.wall, earlier)


def test_without_a_file_the_configuration_holds(path: Path, clock: Clock) -> None:
    secrets = made(path, clock, SECOND)
    assert not secrets.look()
    assert (secrets.signing, secrets.taken) == (FIRST, (FIRST, SECOND))


def test_a_new_one_is_taken_before_it_signs_and_the_old_one_until_its_names_have_run_out(
    path: Path, clock: Clock
) -> None:
    secrets = made(path, clock)
    new = rotate(path, NOW, after_s=30)
    assert secrets.look() and not secrets.look()
    assert (secrets.signing, secrets.taken) == (FIRST, (FIRST, new.secret))
    clock.now = NOW + 30
    assert (secrets.signing, secrets.taken) == (new.secret, (new.secret, FIRST))
    clock.now = NOW + 30 + LONGEST_TTL_S - 1
    assert secrets.taken == (new.secret, FIRST)
    clock.now += 1
    assert secrets.taken == (new.secret,)


def test_what_is_revoked_is_refused_at_once(path: Path, clock: Clock) -> None:
    secrets = made(path, clock)
    rotate(path, NOW, after_s=30)
    clock.now = NOW + 60
    only = rotate(path, clock.now, after_s=30, revoke=True)
    secrets.look()
    assert (secrets.signing, secrets.taken) == (only.secret, (only.secret,))


def test_the_file_is_for_its_owner_and_forgets_what_nobody_needs(path: Path) -> None:
    old, new = rotate(path, NOW, after_s=10), rotate(path, NOW + 100, after_s=10)
    assert path.stat().st_mode & 0o777 == 0o600
    assert read(path) == (old, new)
    last = rotate(path, NOW + 200 + LONGEST_TTL_S, after_s=10)
    assert read(path) == (new, last)


def test_however_often_it_changes_the_one_that_signs_is_taken() -> None:
    known = [Dated(NOW - 10 * age, b"%032d" % age) for age in range(9, -4, -1)]
    found = taken(known, NOW)
    assert found[0] == signing(known, NOW) == b"%032d" % 0
    assert len(found) == MOST_TAKEN


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("soon " + "x" * 32, "line 1 does not begin"),
        ("-1 " + "x" * 32, "line 1 does not begin"),
        ("# head\n\n1 short", "line 3 has no secret"),
        ("1 " + "ä" * 32, "line 1 has no secret"),
        ("1 " + "x" * 32 + " y", "line 1 has no secret"),
        ("".join(f"{n} {'x' * 32}\n" for n in range(17)), "more than 16"),
    ],
)
def test_a_file_that_makes_no_sense(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse(text)


def test_lines_may_come_in_any_order() -> None:
    text = f"20 {THIRD.decode()}\n# between\n10 {SECOND.decode()}\n"
    assert parse(text) == (Dated(10, SECOND), Dated(20, THIRD))


def test_what_was_known_goes_on_when_the_file_is_no_good(path: Path, clock: Clock) -> None:
    secrets = made(path, clock)
    new = rotate(path, NOW - 60, after_s=30)
    secrets.look()
    path.write_text("nonsense")
    with pytest.raises(LocalError, match="turn-secrets: line 1"):
        secrets.look()
    assert not secrets.look() and secrets.signing == new.secret, "told of once"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(LocalError):
        secrets.look()
    rotate_again = path.with_name("other")
    rotate(rotate_again, NOW, after_s=10)
    rotate_again.replace(path)
    path.chmod(0o644)
    with pytest.raises(LocalError, match="others may read it"):
        secrets.look()


def test_a_folder_that_cannot_be_written(clock: Clock) -> None:
    with pytest.raises(LocalError):
        rotate(Path("/dev/null/state") / FILE, NOW, after_s=10)
