"""What ``up`` says, and that it finds the reason of a failure among a service's last words."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from confero.secretfile import write_private
from confero.up.plan import Child, Moved, Plan, Socket
from confero.up.screen import Screen, build_info, ended, port_map, reason_of
from confero.up.supervisor import AllReady, GaveUp, Kill, Ready, Restarting, Spawn, Terminate

PLAN = Plan(
    (Child("appserver", (), {}), Child("mcu", (), {})),
    (Socket("mcu", "127.0.0.13", "2131", "tcp", "signalling"),),
    "https://localhost:8443/r/lobby",
    (Moved("appserver", "https", 443, 8443),),
)


def console() -> Console:
    return Console(file=io.StringIO(), width=120)


def text_of(made: Console) -> str:
    assert isinstance(made.file, io.StringIO)
    return made.file.getvalue()


def test_the_course_of_events_reads_as_lines() -> None:
    out, err = console(), console()
    screen = Screen(PLAN, out, err)
    screen.starting()
    for action in (
        Spawn("mcu"),
        Ready("mcu", first=True),
        Restarting("mcu", -9, 0.2),
        Ready("mcu", first=False),
        Kill("mcu", "it does not answer"),
        Terminate("mcu"),
    ):
        screen.report(action, ())
    assert text_of(err).splitlines() == [
        "confero: starting appserver, mcu",
        "confero: port 443 is not permitted here: appserver https uses 8443; documented ports need root or "
        "'sysctl net.ipv4.ip_unprivileged_port_start=80'",
        "confero: mcu is ready",
        "confero: mcu was ended by SIGKILL; it starts again in 0.2 s",
        "confero: mcu is ready again",
        "confero: mcu is killed: it does not answer",
        "confero: stopping mcu",
    ]
    assert text_of(out) == ""


def test_who_stops_a_service_with_calls_is_told_what_to_wait_for() -> None:
    err = console()
    media = Plan((), (Socket("mcu", "0.0.0.0", "5000-15000", "udp", "ICE + DTLS-SRTP, RTP/RTCP"),), drain_s=10.0)
    Screen(media, console(), err).report(Terminate("mcu"), ())
    assert text_of(err) == "confero: stopping mcu (calls may take 10 s to end; Ctrl-C again stops at once)\n"


def test_once_all_is_ready_the_page_and_the_ports_are_shown() -> None:
    out, err = console(), console()
    Screen(PLAN, out, err).report(AllReady(), ())
    assert "Everything is ready. Open https://localhost:8443/r/lobby" in text_of(out)
    assert ["mcu", "127.0.0.13", "2131", "tcp", "signalling"] in [line.split() for line in text_of(out).splitlines()]


def test_the_first_administrators_link_is_shown_as_long_as_it_is_good(tmp_path: Path) -> None:
    file = tmp_path / "setup-link"
    plan = replace(PLAN, setup_file=file)
    write_private(file, "s" * 43)
    for shown in (True, False):
        out = console()
        Screen(plan, out, console()).report(AllReady(), ())
        assert (f"https://localhost:8443/setup#{'s' * 43} first is the one" in text_of(out).replace("\n", " ")) is shown
        file.unlink(missing_ok=True)


def test_what_a_killed_service_said_last_is_no_reason() -> None:
    out, err = console(), console()
    Screen(PLAN, out, err).report(Restarting("mcu", -9, 0.2), ["12:00 info mcu leg joined"])
    assert text_of(err) == "confero: mcu was ended by SIGKILL; it starts again in 0.2 s\n"


def test_giving_up_shows_the_last_words() -> None:
    out, err = console(), console()
    tail = ["[bold]not markup", '{"event": "cannot start", "reason": "cannot listen on 127.0.0.1:80: in use"}']
    Screen(PLAN, out, err).report(GaveUp("mcu", 1, 5), tail)
    first, *rest = text_of(err).splitlines()
    assert first == (
        "confero: mcu ended with code 1 (cannot listen on 127.0.0.1:80: in use); "
        "given up after 5 failures in a row, the rest is stopped"
    )
    assert rest == [f"    {line}" for line in tail]


@pytest.mark.parametrize(
    ("tail", "reason"),
    [
        ((), ""),
        (("", "  last words ", ""), "last words"),
        (('12:00 error mcu cannot start  reason="no ports"', "stopped"), "no ports"),
        (('{"event": "cannot start", "reason": "a"}', '{"event": "stopped"}'), "a"),
        (('{"event": "cannot start"', "x"), "x"),
    ],
)
def test_reason(tail: tuple[str, ...], reason: str) -> None:
    assert reason_of(tail) == reason


def test_exit_codes_in_words() -> None:
    assert (ended(1), ended(-15), ended(-1000)) == (
        "ended with code 1",
        "was ended by SIGTERM",
        "ended with code -1000",
    )


def test_port_map_has_every_port() -> None:
    made = console()
    made.print(port_map())
    assert "49152-65535" in text_of(made) and "14040" in text_of(made)


def test_build_info_is_a_line_of_text() -> None:
    assert build_info()[0].startswith("media engine: ")
