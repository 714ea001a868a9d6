"""The port map: unique, in range, with every documented row, and rendered as the page."""

from __future__ import annotations

import re
import subprocess
import sys
from itertools import combinations

import pytest

from confero.ports import PORTS, UNPRIVILEGED, find, render_markdown, reserved


def test_purposes_are_unique_and_numbers_in_range() -> None:
    assert len({(entry.service, entry.purpose) for entry in PORTS}) == len(PORTS)
    assert all(0 < entry.low <= entry.high < 65_536 for entry in PORTS)


def test_every_row_of_the_documented_map_is_there_once_or_more() -> None:
    assert {row for entry in PORTS for row in entry.rows} == set(range(1, 20))


def test_ports_of_one_service_do_not_overlap() -> None:
    for one, other in combinations(PORTS, 2):
        if one.service == other.service and {*one.transport.split("/")} & {*other.transport.split("/")}:
            assert one.high < other.low or other.high < one.low, (one, other)


def test_find() -> None:
    assert find("mcu", "http").number == 2131 and str(find("mcu", "media")) == "5000-15000"
    with pytest.raises(KeyError, match="no port 'https' of service 'mcu'"):
        find("mcu", "https")


def test_media_may_not_take_a_fixed_port() -> None:
    assert {5060, 5061, 14040, 14049} <= reserved() and 5000 not in reserved()


def test_stand_ins_are_for_low_ports_and_free() -> None:
    for key, number in UNPRIVILEGED.items():
        assert find(*key).number < 1024 <= number and number not in {entry.low for entry in PORTS}
    built = ("appserver", "edge", "turn")
    public = {(entry.service, entry.purpose) for entry in PORTS if entry.low < 1024 and entry.service in built}
    assert public == set(UNPRIVILEGED)


def test_the_command_prints_the_page() -> None:
    printed = subprocess.run([sys.executable, "-m", "confero.ports"], check=True, capture_output=True, text=True).stdout
    assert printed == render_markdown()
    assert len(re.findall(r"^\| (?!service|-)", printed, flags=re.MULTILINE)) == len(PORTS)
