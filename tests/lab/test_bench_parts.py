"""The benchmark's parts without a mixer: what is asked for, what is judged, what is searched, what is shown."""

from __future__ import annotations

import itertools
import os
import socket
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from confero.errors import LocalError, RemoteError
from confero.lab.bench import charts, command, network, table, whole
from confero.lab.bench.calm import CALM_S, LIMIT_S, Calm, wait_until_calm
from confero.lab.bench.case import Case, Floor, disturbed, faults_of
from confero.lab.bench.joining import offer_of, target_of
from confero.lab.bench.results import Report, Result, html, median_of
from confero.lab.bench.whole import toml_of
from confero.lab.stack import addresses
from confero.protocols.sdp import parse

FINGERPRINT = ":".join(["AB"] * 32)


def row(**changed: Any) -> dict[str, Any]:
    """A row that is good in all respects."""
    spread = {"p50": 20.0, "p95": 30.0, "p99": 31.0, "max": 32.0}
    good: dict[str, Any] = {
        "unheard_members": 0,
        "loss_percent": 0.0,
        "short_percent": 0.0,
        "srtp_failures": 0,
        "consents_lost": 0,
        "closed": 0,
        "gaps": 0,
        "clicks": 0,
        "blocks": 1000,
        "bursts_said": 40,
        "bursts_heard": 40,
        "heard_db": {"least": -0.5, "p50": -0.2, "most": 0.1},
        "own_voice_db": -50.0,
        "own_over_noise_db": 9.0,
        "delay_ms": spread,
        "late_ms": spread,
        "generator_late_ms": {"p99": 0.3},
        "generator_worst_ms": 5.0,
        "delay_histogram": [0] * 19 + [30, 10],
        "cpu_percent": 12.5,
        "shares_percent": {"decode": 20.0, "io": 30.0},
    }
    return good | changed


def test_everyone_and_all_are_what_they_say() -> None:
    case = Case(members=40, rooms=4, talkers=0, mixed=0)
    assert (case.room_size, case.talking, case.loud) == (10, 10, 10)
    assert replace(case, mixed=6).loud == 6
    assert "loud=3" in replace(case, talkers=3, mixed=6).generator_arguments()


def test_a_good_row_has_no_faults() -> None:
    assert faults_of(row(), Floor()) == []
    assert not disturbed(row())


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"unheard_members": 3}, "3 members got nothing"),
        ({"loss_percent": 0.2}, "0.20 % lost"),
        ({"short_percent": 2.0}, "2.00 % of the packets never left the mixer"),
        ({"heard_db": {"least": -9.0, "p50": 0.0, "most": 0.0}}, "talkers are heard at -9.0 to 0.0 dB"),
        ({"own_voice_db": -20.0}, "the first talker hears itself at -20.0 dB"),
        ({"gaps": 2}, "2 gaps in 1000 blocks"),
        ({"clicks": 2}, "2 clicks in 1000 blocks"),
        ({"bursts_heard": 20}, "only 50 % of the bursts were heard in time"),
        ({"delay_ms": {"p50": 50, "p95": 61}}, "delay p95 61 ms"),
        ({"srtp_failures": 1}, "1 packets failed to authenticate"),
        ({"consents_lost": 1}, "1 members lost consent"),
        ({"closed": 1}, "the mixer ended 1 associations"),
        ({"cpu_percent": 101.0}, "more than one core"),
    ],
)
def test_each_fault_is_named(changed: dict[str, Any], fault: str) -> None:
    assert faults_of(row(**changed), Floor()) == [fault]


def test_own_voice_may_be_the_codecs_noise() -> None:
    assert faults_of(row(own_voice_db=-20.0, own_over_noise_db=2.0), Floor()) == []


def test_in_a_crowd_the_median_talker_counts() -> None:
    crowd = row(heard_db={"least": -9.0, "p50": -1.0, "most": 4.0})
    assert faults_of(crowd, Floor(crowd=True)) == []
    assert len(faults_of(crowd, Floor())) == 1


def test_a_generator_that_stood_still_disturbs() -> None:
    assert disturbed(row(generator_late_ms={"p99": 11.0}))
    assert disturbed(row(generator_worst_ms=150.0))


def test_a_media_thread_that_had_no_core_is_disturbed() -> None:
    assert disturbed(row(waited_percent=11.0))
    assert not disturbed(row(waited_percent=1.0))


def test_offers_are_sdp_and_answers_are_targets() -> None:
    offer = offer_of(Case(), 7, 40_007, FINGERPRINT)
    media = parse(offer).media[0]
    assert (media.port, media.ice_ufrag) == (40_007, "m00007")
    assert target_of(offer) == f"127.0.0.1 40007 m00007 benchmarkMembersPassword {FINGERPRINT} 111 1"
    plain = offer_of(Case(profile="plain", codec="pcmu"), 7, 40_007, "")
    assert target_of(plain) == "127.0.0.1 40007 - - - 0 1"


def test_an_answer_without_audio_is_no_target() -> None:
    with pytest.raises(RemoteError):
        target_of("v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 0 RTP/AVP 0\r\n")


def test_medians_go_number_by_number() -> None:
    rows = [row(cpu_percent=cpu, delay_ms={"p50": cpu}) for cpu in (9.0, 1.0, 5.0)]
    median = median_of(rows)
    assert (median["cpu_percent"], median["delay_ms"]["p50"], median["gaps"]) == (5.0, 5.0, 0)


def test_settings_are_toml() -> None:
    text = toml_of({"mcu": {"media_threads": 1, "jitter_mode": "minimum", "opus_low_delay": True}})
    assert text == '[mcu]\nmedia_threads = 1\njitter_mode = "minimum"\nopus_low_delay = true\n'


def test_unknown_peers_are_refused() -> None:
    with pytest.raises(LocalError, match="no such peer: asterisk"):
        command.mixers_of(["asterisk"], core_only=False, secure=True)
    assert command.mixers_of(["janus"], core_only=False, secure=True) == ("confero", "confero-plain", "janus")
    assert command.mixers_of(["janus"], core_only=False, secure=False) == ("confero", "janus")


class Silent:
    """A meter that nobody looks at."""

    title = ""

    def tell(self, what: str, done: int, of: int) -> None: ...

    def say(self, line: str) -> None: ...


@pytest.mark.parametrize(("rooms", "limit", "least"), [(1, 700, 650), (1, 9000, 8000), (10, 700, 650), (1, 3, 0)])
async def test_the_limit_is_found(monkeypatch: pytest.MonkeyPatch, rooms: int, limit: int, least: int) -> None:
    tried = []

    async def measure(case: Case, runs: int, tell: command.Tell) -> list[dict[str, Any]]:
        tried.append(case)
        return [row(loss_percent=0.0 if case.members <= limit else 5.0)]

    monkeypatch.setitem(command.MIXERS, "confero", measure)
    wish = command.Wish(Case(members=100, rooms=rooms), (100,))
    report = Report({}, "", Floor())
    found = await command.find_limit(wish, "confero", report, Silent())  # type: ignore[arg-type]
    assert least <= found <= limit
    assert report.limits == {"confero": found}
    assert len({case.members for case in tried}) == len(tried) < 20
    assert all(case.room_size == 100 // rooms for case in tried if rooms > 1)


async def test_disturbed_windows_are_measured_again() -> None:
    late = iter([50.0, 0.1, 0.1, 50.0, 0.1])

    async def window() -> dict[str, Any]:
        return row(generator_late_ms={"p99": next(late)})

    asked: list[int] = []
    rows = await whole.windows(3, lambda: asked.append(1), window)
    assert len(asked) == 4
    assert [one["generator_late_ms"]["p99"] for one in rows] == [0.1, 0.1, 0.1]


async def test_a_machine_that_stays_busy_is_told_of() -> None:
    late = itertools.count(50)

    async def window() -> dict[str, Any]:
        return row(generator_late_ms={"p99": next(late)})

    rows = await whole.windows(2, lambda: None, window)
    assert [one["generator_late_ms"]["p99"] for one in rows] == [52, 53]
    assert "the machine was too busy for a figure" in Result("", "confero", 2, rows).faults(Floor())


class Services:
    """Use so much of a core, percent, second by second; the last figure goes on."""

    def __init__(self, *percent: float) -> None:
        self._percent = list(percent)
        self.used, self.time = 17.0, 100.0
        self.shown: list[int] = []

    async def sleep(self, seconds: float) -> None:
        self.time += seconds
        self.used += seconds * (self._percent.pop(0) if len(self._percent) > 1 else self._percent[0]) / 100

    async def wait(self) -> Calm:
        return await wait_until_calm(5.0, lambda: self.used, lambda: self.time, self.shown.append, self.sleep)


async def test_calm_is_some_quiet_seconds_in_succession() -> None:
    services = Services(80, 30, 2, 2, 9, 1, 1, 1.5, 90)
    assert await services.wait() == Calm(8, 1.5, reached=True)
    assert services.shown == list(range(1, 9))
    assert (await Services(0).wait()).seconds == CALM_S


async def test_services_that_never_rest_are_told_of() -> None:
    assert await Services(6).wait() == Calm(LIMIT_S, 6.0, reached=False)


def test_two_benchmarks_never_share_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither while their services are not there yet, nor where somebody else's are."""
    monkeypatch.setattr(network, "_hold_name", lambda number: f"\0confero-test-network-{os.getpid()}-{number}")
    with network.held_network() as first, network.held_network() as second:
        assert first != second
        monkeypatch.setattr(network, "NETWORKS", (first, second))
        with pytest.raises(LocalError, match="hold all the addresses"), network.held_network():
            pass
    with socket.create_server((addresses(first)["mcu"], 2131)), network.held_network() as other:
        assert other == second


def report_of_all_kinds() -> Report:
    results = [
        Result("calm", "confero", 100, [row(), row(cpu_percent=14.5)]),
        Result("calm", "janus", 50, [row(cpu_percent=80.0, shares_percent={})]),
        Result("calm", "confero", 200, [row(cpu_percent=25.0)]),
        Result("calm", "aiortc", 50, [], "it is not <installed>"),
    ]
    return Report({"cpu": "a CPU", "load_before": 0.1}, "confero bench mix", Floor(), results)


def test_the_page_shows_everything_and_escapes(tmp_path: Path) -> None:
    report = report_of_all_kinds()
    page = html(report)
    assert page.count("<svg") == 3
    assert "it is not &lt;installed&gt;" in page
    assert [path.name for path in report.write(tmp_path)] == ["mix.json", "mix.html"]
    assert report.as_json()["results"][3]["faults"] == ["it is not <installed>"]


def test_charts_are_xml_and_stay_inside() -> None:
    drawn = charts.lines("a & b", "members", "%", {"confero": [(10, 1.0), (1000, 90.0)], "janus <1>": [(10, 9.0)]})
    root = ET.fromstring(drawn)
    circles = root.findall("{http://www.w3.org/2000/svg}circle")
    assert len(circles) == 3
    for circle in circles:
        assert charts.LEFT <= float(circle.attrib["cx"]) <= charts.WIDTH - charts.RIGHT
        assert charts.TOP <= float(circle.attrib["cy"]) <= charts.HEIGHT - charts.BOTTOM
    ET.fromstring(charts.stacks("shares", "%", {"100": {"decode": 20, "io": 5}, "200": {"decode": 40}}))
    assert charts.lines("nothing", "x", "y", {}) == charts.stacks("nothing", "y", {}) == ""


@pytest.mark.parametrize(("top", "last"), [(0.7, 0.8), (1, 1), (93, 100), (4000, 4000), (7, 8)])
def test_axes_end_at_round_numbers(top: float, last: float) -> None:
    assert charts.ticks(top)[-1] == pytest.approx(last)


async def test_the_table_fills_its_page() -> None:
    async def measured(case: Case, mixer: str, runs: int, label: str) -> Result:
        rss = {"engine": 40 * case.members, "mcu": 90 * case.members}
        return Result(label, mixer, case.members, [row(rss_kb=rss)] * runs)

    facts = {"date": "2026-01-01T00:00:00", "commit": "abc", "cpu": "a CPU", "cores": 2, "kernel": "6", "build": "b"}
    report = Report(facts | {"load_before": 0.0}, "", Floor())
    rows = await table.run(report, Silent(), measured, quick=True)
    assert len(rows) == len(table.LINES) + 1
    assert "engine 40 kB | MCU 90 kB" in rows[-1]
    page = f"before\n{table.BEGIN}\nold\n{table.END}\nafter\n"
    filled = table.with_table(page, rows, report)
    assert filled.startswith("before\n") and filled.endswith("after\n") and "old" not in filled
    assert table.with_table(filled, rows, report) == filled
    with pytest.raises(ValueError, match="lost the marks"):
        table.with_table("no marks", rows, report)


def test_the_page_has_the_marks() -> None:
    page = table.PAGE.read_text()
    assert page.index(table.BEGIN) < page.index(table.END)
