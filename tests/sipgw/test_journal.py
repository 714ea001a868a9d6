"""The journal of calls: what survives, what is passed over, and that its file stays small."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from confero.sipgw import journal as journals
from confero.sipgw.journal import LONGEST, Journal
from confero.sipgw.owner import kept_owner


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sipgw" / "journal"


def opened(path: Path) -> tuple[Journal, dict[str, dict[str, object]]]:
    journal = Journal(path)
    return journal, journal.open()


def test_what_was_put_is_there_after_a_crash(path: Path) -> None:
    journal, nothing = opened(path)
    assert nothing == {}
    journal.put("a", json.dumps({"seq": 1}))
    journal.put("b", json.dumps({"seq": 1}))
    journal.put("a", json.dumps({"seq": 2}))
    journal.drop("b")
    journal.drop("never")  # and no close: the process was killed
    assert opened(path)[1] == {"a": {"seq": 2}}


def test_a_torn_line_and_nonsense_are_passed_over(path: Path) -> None:
    journal, _ = opened(path)
    journal.put("a", json.dumps({"seq": 1}))
    journal.close()
    whole = path.read_bytes()
    rubbish = (
        b'{"id":"x"}\n[]\n\xff\xfe\n{"id":"y","entry":7}\n' + whole.replace(b'"a"', b'"b"') + whole[: len(whole) // 2]
    )
    path.write_bytes(whole + rubbish)
    assert sorted(opened(path)[1]) == ["a", "b"]


def test_the_file_is_compacted(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journals, "SPARE", 50)
    journal, _ = opened(path)
    for number in range(500):
        journal.put("a", json.dumps({"seq": number}))
        assert path.read_bytes().count(b"\n") <= 50 + 5
    journal.put("b", json.dumps({}))
    assert opened(path)[1] == {"a": {"seq": 499}, "b": {}}


def test_a_call_that_is_too_large_is_left_out(path: Path) -> None:
    journal, _ = opened(path)
    journal.put("a", json.dumps({"seq": 1}))
    journal.put("a", json.dumps({"sdp": "x" * LONGEST}))
    assert len(journal) == 0 and opened(path)[1] == {}


def test_a_disk_that_fails_is_counted_and_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "sipgw").write_text("a file where a folder should be")
    journal, _ = opened(tmp_path / "sipgw" / "journal")
    journal.put("a", json.dumps({}))
    journal.drop("a")
    assert journal.failures > 0


def test_others_cannot_read_it(path: Path) -> None:
    """Descriptions hold keys of SDES."""
    opened(path)[0].put("a", json.dumps({}))
    assert path.stat().st_mode & 0o077 == 0


def test_the_gateways_name_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "sipgw" / "owner"
    name = kept_owner(file)
    assert kept_owner(file) == name and name.startswith("sipgw-")
    file.write_text("something/else")
    assert kept_owner(file) not in (name, "something/else")
    assert kept_owner(Path("/proc/nowhere/owner")).startswith("sipgw-")
