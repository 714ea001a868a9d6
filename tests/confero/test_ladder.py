"""The live ladder of ``confero sip trace``: what is shown of a message, and which ones."""

from __future__ import annotations

from typing import Any

from typer.testing import CliRunner

from confero import cli
from confero.cli import ladder


def line(**more: Any) -> dict[str, Any]:
    text = 'INVITE sip:4711@gw SIP/2.0\r\nFrom: "A" <sip:+4930@pbx>;tag=1\r\nt: <sip:4711@gw>\r\nCall-ID: abc\r\n\r\nv=0 9999'
    return {
        "at": 1_700_000_000.25,
        "transport": "udp",
        "source": ["192.0.2.9", 5070],
        "destination": ["192.0.2.1", 5060],
        "came": True,
        "title": "INVITE sip:4711@gw (1 INVITE)",
        "call": "abc",
        "text": text,
    } | more


def test_a_message_that_came_and_one_that_went() -> None:
    came = ladder.rung(line()).plain
    assert "192.0.2.9:5070 ──udp──▶ INVITE sip:4711@gw (1 INVITE)" in came and ".250 " in came
    went = ladder.rung(line(came=False, source=["::1", 5060], destination=["2001:db8::1", 5061], transport="tls")).plain
    assert "[2001:db8::1]:5061 ◀─tls" in went


def test_what_is_chosen() -> None:
    assert ladder.wanted(line()) and ladder.wanted(line(), call="b") and not ladder.wanted(line(), call="x")
    assert ladder.wanted(line(), number="4930") and ladder.wanted(line(), number="4711")
    assert not ladder.wanted(line(), number="9999")  # that is in the body


def test_colours() -> None:
    assert (
        ladder.style_of("486 Busy Here (1 INVITE)") == "red" and ladder.style_of("BYE sip:x (2 BYE)") == "bold yellow"
    )
    assert ladder.hue("abc") == ladder.hue("abc") and len({ladder.hue(str(n)) for n in range(100)}) == len(ladder.HUES)


def test_errors_are_one_line(tmp_path: Any) -> None:
    result = CliRunner().invoke(cli.app, ["sip", "trace", "--state-dir", str(tmp_path)])
    assert result.exit_code == 1
    (tmp_path / "secret").write_text("s" * 40)
    result = CliRunner().invoke(
        cli.app, ["sip", "trace", "--state-dir", str(tmp_path), "--gateway", "http://127.0.0.1:9"]
    )
    assert result.exit_code == 1
