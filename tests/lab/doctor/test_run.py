"""A run: every row of the port map is spoken of, checks are bounded, and reports say it all."""

from __future__ import annotations

import asyncio
import json

import numpy as np
import pytest
from rich.console import Console

from confero.errors import RemoteError
from confero.lab.doctor import examine as examining
from confero.lab.doctor import members, report, visit
from confero.lab.doctor.examine import chosen, examine, settle
from confero.lab.doctor.findings import Finding, NotTried, Told, Unwell, Verdict, ok
from confero.lab.doctor.patient import Patient
from confero.lab.doctor.place import PAGE, Spot
from confero.lab.doctor.table import CHECKS, ELSEWHERE, Check
from confero.lab.signals import sources
from confero.ports import PORTS, UNPRIVILEGED

from .rig import HOST, patient, place, streams


def test_every_row_of_the_port_map_has_its_check() -> None:
    checked = {check.row for check in CHECKS if check.row} | set(ELSEWHERE)
    assert {(entry.service, entry.purpose) for entry in PORTS} - checked == set()
    assert set(ELSEWHERE.values()) <= {check.name for check in CHECKS}
    assert len({check.name for check in CHECKS}) == len(CHECKS)


def test_checks_by_place_and_name() -> None:
    inside, outside = chosen(place()), chosen(place(inside=False))
    assert {check.name for check in inside} - {check.name for check in outside} >= {"mcu", "database", "talk rtp"}
    assert [check.name for check in chosen(place(), ["sip "])] == [
        "sip udp",
        "sip tcp",
        "sip tls",
        "sip certificate",
        "sip websocket",
    ]
    assert chosen(place(), ["nothing"]) == []


async def ends_well(_: Patient) -> Told:
    return ok("well")


async def is_unwell(_: Patient) -> Told:
    raise Unwell("unwell", "rest")


async def is_not_tried(_: Patient) -> Told:
    raise NotTried("no reason")


async def is_slow(_: Patient) -> Told:
    await asyncio.sleep(60)
    return ok("never")


async def is_broken(_: Patient) -> Told:
    raise KeyError("oops")


async def gives_up(_: Patient) -> Told:
    raise TimeoutError


async def test_whatever_a_check_does_there_is_a_finding() -> None:
    hows = (ends_well, is_unwell, is_not_tried, is_slow, is_broken, gives_up)
    checks = [Check(how.__name__, PAGE if how is ends_well else None, how, limit_s=0.05) for how in hows]
    found = await examine(Patient(place()), checks, total_s=5)
    assert [finding.check for finding in found] == [how.__name__ for how in hows]
    ok_, fail, skip = Verdict.OK, Verdict.FAIL, Verdict.SKIP
    assert [finding.verdict for finding in found] == [ok_, fail, skip, fail, fail, fail]
    assert found[0].port == "1/tcp" and found[1].advice == "rest"
    assert "no result within" in found[3].what and "KeyError" in found[4].what and "TimeoutError" in found[5].what


async def test_a_run_has_an_end() -> None:
    checks = [Check("slow", None, is_slow, limit_s=100)]
    async with asyncio.timeout(3):
        (found,) = await examine(Patient(place()), checks, total_s=0.05)
    assert found.verdict is Verdict.FAIL


async def test_what_one_check_learns_is_asked_once() -> None:
    asked = []

    async def how() -> int:
        asked.append(1)
        await asyncio.sleep(0)
        return 7

    async with patient(place()) as one:
        assert await asyncio.gather(one.learn("it", how), one.learn("it", how)) == [7, 7]

        async def wrong() -> int:
            raise Unwell("no")

        for _ in range(2):
            with pytest.raises(Unwell):
                await one.learn("other", wrong)
    assert asked == [1]


async def test_goodbyes_are_said_the_last_first() -> None:
    said: list[str] = []

    async def say(word: str) -> None:
        said.append(word)

    async with patient(place()) as one:
        one.at_the_end(lambda: say("first"))
        one.at_the_end(lambda: say("last"))
    await one.close()
    assert said == ["last", "first"]


async def test_ports_that_had_to_move_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    async with streams(lambda _: None) as spot:
        monkeypatch.setitem(UNPRIVILEGED, PAGE, spot.port)
        here = place({PAGE: Spot(HOST, 443)})
        monkeypatch.setattr(examining, "find", lambda *_: type("Row", (), {"number": 443}))

        async def nobody_at_443(tried: Spot) -> bool:
            return tried.port == spot.port

        monkeypatch.setattr(examining, "_takes", nobody_at_443)
        assert (await settle(here, {})).page == spot
        assert (await settle(here, {PAGE: 443})).page.port == 443


FINDINGS = [
    Finding("page", "443/tcp", Verdict.OK, 0.12, "well"),
    Finding("sip udp", "5060/udp", Verdict.FAIL, 1.5, "no answer [bold]", "open it"),
    Finding("flash", "1935/tcp", Verdict.SKIP, 0.0, "not built"),
]


def test_a_report_for_programs() -> None:
    found = json.loads(report.as_json(place(inside=False), FINDINGS, 1.6))
    assert (found["address"], found["seen"], found["verdict"], found["seconds"]) == (
        "meet.test",
        "outside",
        "fail",
        1.6,
    )
    assert found["findings"][1] == {
        "check": "sip udp",
        "port": "5060/udp",
        "verdict": "fail",
        "seconds": 1.5,
        "what": "no answer [bold]",
        "advice": "open it",
    }


def test_a_report_for_people() -> None:
    console = Console(width=100, record=True, quiet=False, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    report.show(console, place(), FINDINGS, 1.6)
    text = console.export_text()
    assert "no answer [bold]" in text and "→ open it" in text
    assert "1 failed, 1 well, 1 not tried, in 1.6 s" in text


@pytest.mark.parametrize(
    ("levels", "verdict", "words"),
    [
        ([(1.0, -70.0), (0.9, -71.0)], Verdict.OK, "hear each other"),
        ([(1.0, -70.0), (0.5, -71.0)], Verdict.WARN, "in 50% of the time"),
        ([(1.0, -70.0), (0.0, -71.0)], Verdict.FAIL, "does not hear the other"),
        ([(1.0, -20.0), (1.0, -71.0)], Verdict.FAIL, "A hears itself"),
    ],
)
def test_what_members_have_heard(levels: list[tuple[float, float]], verdict: Verdict, words: str) -> None:
    heard = [members.Heard(name, other, own) for name, (other, own) in zip("AB", levels, strict=True)]
    found = members._judge(heard, "two", "advice")
    assert found.verdict is verdict and words in found.what


def test_how_long_a_tone_was_there() -> None:
    tone = sources.tone(440, 1.5, dbfs=-12)
    assert members.share_of(tone, 440, 1.5) > 0.9 and members.share_of(tone, 740, 1.5) == 0
    assert members.share_of(0.1 * tone, 440, 1.5) == 0
    half = np.concatenate([tone[: tone.size // 2], np.zeros(tone.size // 2)])
    assert 0.4 < members.share_of(half, 440, 1.5) < 0.6
    assert members.share_of(tone, 440, 6.0) <= 0.25 and members.share_of(np.zeros(0), 440, 1.5) == 0


def test_why_members_failed() -> None:
    assert members._why(TimeoutError()) == "joined, and nothing was heard"
    assert members._why(RemoteError("full")) == "full"
    assert members._why(OSError("gone")) == "gone"


@pytest.mark.parametrize(
    ("code", "words"),
    [("no-media-server", "knows no MCU"), ("media-server-down", "cannot reach the MCU"), ("new-one", "told by it")],
)
def test_refused_joins_have_their_words(code: str, words: str) -> None:
    body = {"type": f"urn:confero:problem:{code}", "title": "?", "status": 503, "detail": "told by it"}
    found = visit._refused("joining", body, 503).told
    assert code in found.what and words in found.what and found.advice
