"""Transfers: REFER and its reports, blind and attended, and calls that take another's place (RFC 3515, 4488, 3891, 5359)."""

from __future__ import annotations

import pytest

from confero.errors import LocalError
from confero.protocols.sip import Headers, Request, SipError
from confero.protocols.sip.fields import Replaces
from confero.protocols.sip.session import (
    Ended,
    InviteSession,
    SessionConfig,
    Transfer,
    TransferProgress,
    as_peer_has,
    replaces_in,
)

from .line import Line, sdp

C = "<sip:c@192.0.2.3>"


def running() -> Line:
    line = Line()
    line.establish()
    return line


def test_blind_transfer() -> None:
    line = running()
    id, actions = line.a.it.transfer(C, line.now, [("Referred-By", "<sip:a@192.0.2.1>")])
    line.do(line.a, actions)
    line.run()
    wish = line.b.last(Transfer)
    assert (wish.id, wish.target, wish.referred_by) == (id, "sip:c@192.0.2.3", "<sip:a@192.0.2.1>")
    line.do(line.b, line.b.it.accept_transfer(wish.id, line.now))
    line.run()
    assert line.a.last(TransferProgress) == TransferProgress(id, 100, "Trying", False)
    line.do(line.b, line.b.it.transfer_progress(wish.id, 180, "Ringing", line.now))
    line.run()
    assert line.a.last(TransferProgress) == TransferProgress(id, 180, "Ringing", False)
    line.do(line.b, line.b.it.transfer_progress(wish.id, 200, "OK", line.now))
    line.run()
    assert line.a.last(TransferProgress) == TransferProgress(id, 200, "OK", True)
    assert line.trace == [
        "A REFER",
        "B 202 REFER",
        "B NOTIFY",
        "A 200 NOTIFY",
        "B NOTIFY",
        "A 200 NOTIFY",
        "B NOTIFY",
        "A 200 NOTIFY",
    ]
    line.do(line.b, line.b.it.transfer_progress(wish.id, 200, "OK", line.now))
    assert not line.flight


def test_reports_go_on_when_the_call_is_over() -> None:
    line = running()
    id, actions = line.a.it.transfer(C, line.now)
    line.do(line.a, actions)
    line.run()
    line.do(line.b, line.b.it.accept_transfer(line.b.last(Transfer).id, line.now))
    line.run()
    line.do(line.a, line.a.it.hang_up(line.now))
    line.run()
    assert not line.a.it.finished and not line.b.it.finished
    line.do(line.b, line.b.it.transfer_progress(id, 486, "Busy Here", line.now))
    line.run()
    assert line.a.last(TransferProgress) == TransferProgress(id, 486, "Busy Here", True)
    line.advance(40)
    assert line.a.it.finished and line.b.it.finished


def test_a_refused_transfer() -> None:
    line = running()
    id, actions = line.a.it.transfer(C, line.now)
    line.do(line.a, actions)
    line.run()
    line.do(line.b, line.b.it.refuse_transfer(line.b.last(Transfer).id, line.now))
    line.run()
    assert line.a.last(TransferProgress) == TransferProgress(id, 603, "Decline", True)
    with pytest.raises(LocalError):
        line.b.it.accept_transfer(id, line.now)


def test_a_transfer_that_nobody_decides_on_is_declined_with_the_end_of_the_call() -> None:
    line = running()
    _, actions = line.a.it.transfer(C, line.now)
    line.do(line.a, actions)
    line.run()
    line.do(line.b, line.b.it.hang_up(line.now))
    line.run()
    assert "B 603 REFER" in line.trace


def test_without_reports_where_the_peer_wants_none() -> None:
    line = running()
    id, actions = line.a.it.transfer(C, line.now, [("Refer-Sub", "false"), ("Supported", "norefersub")])
    line.do(line.a, actions)
    line.run()
    line.do(line.b, line.b.it.accept_transfer(line.b.last(Transfer).id, line.now))
    line.run()
    assert line.trace == ["A REFER", "B 202 REFER"]
    assert line.a.last(TransferProgress) == TransferProgress(id, 202, "Accepted", True)


def test_reports_that_do_not_come_are_not_waited_for() -> None:
    line = running()
    id, actions = line.a.it.transfer(C, line.now)
    line.do(line.a, actions)
    line.run()
    line.do(line.b, line.b.it.accept_transfer(line.b.last(Transfer).id, line.now))
    line.deliver("202 REFER")
    line.flight.clear()
    line.b.session = None
    line.advance(33)
    assert line.a.last(TransferProgress) == TransferProgress(id, 408, "no report", True)


def test_a_report_has_its_end() -> None:
    line = running()
    id, actions = line.a.it.transfer(C, line.now)
    line.do(line.a, actions)
    line.run()
    line.do(line.b, line.b.it.accept_transfer(line.b.last(Transfer).id, line.now))
    line.advance(179)
    assert line.trace.count("B NOTIFY") == 1
    line.advance(2)
    assert line.trace.count("B NOTIFY") == 2 and line.a.last(TransferProgress).done
    assert line.a.it.phase == "established" and id > 0


def test_no_more_transfers_than_can_be_watched() -> None:
    line = running()
    for _ in range(4):
        line.do(line.a, line.a.it.transfer(C, line.now)[1])
    with pytest.raises(LocalError):
        line.a.it.transfer(C, line.now)
    line.run()
    assert len([event for event in line.b.told if isinstance(event, Transfer)]) == 4


def test_where_transfers_are_not_wanted() -> None:
    line = Line(b=SessionConfig("<sip:b@192.0.2.2>", refer=False))
    line.establish()
    line.do(line.a, line.a.it.transfer(C, line.now)[1])
    line.run()
    assert line.trace[-1] == "B 403 REFER"


@pytest.mark.parametrize(
    ("event", "body", "status"),
    [
        ("refer;id=77", b"SIP/2.0 200 OK\r\n", 481),
        ("presence", b"SIP/2.0 200 OK\r\n", 489),
        ("refer", b"hello", 400),
        ("refer;id=x", b"SIP/2.0 200 OK\r\n", 481),
    ],
)
def test_reports_of_nothing(event: str, body: bytes, status: int) -> None:
    line = running()
    line.do(line.a, line.a.it.transfer(C, line.now)[1])
    line.run()
    dialog = line.b.it.dialog
    assert dialog is not None
    notify = dialog.request("NOTIFY")
    notify.headers.add("Event", event)
    notify.body = body
    line._send(line.b, notify)
    line.run()
    assert line.trace[-1] == f"A {status} NOTIFY" and not line.a.has(TransferProgress)


def test_an_attended_transfer_names_the_call_to_be_replaced() -> None:
    """RFC 5359 section 2.5: B talks to A and to C; C's call with B is replaced by one with A."""
    line = running()
    dialog = line.b.it.dialog
    assert dialog is not None
    # In C's eyes (here: A's), its own tag is the to-tag.
    value = f"{dialog.call_id};to-tag={dialog.remote_tag};from-tag={dialog.local_tag}"
    replaces = replaces_in(Request("INVITE", "sip:c@d", Headers([("Replaces", value)])))
    assert replaces is not None and replaces == as_peer_has(dialog)
    assert line.a.it.judge(replaces) == 200
    mirrored = Replaces(replaces.call_id, replaces.from_tag, replaces.to_tag)
    assert line.a.it.judge(mirrored) == 481 and line.b.it.judge(mirrored) == 200
    line.do(line.a, line.a.it.hang_up(line.now))
    line.run()
    assert line.a.it.judge(replaces) == 603


def test_what_may_be_replaced_of_calls_that_are_not_answered() -> None:
    line = Line()
    line.call()
    line.run()
    line.do(line.b, line.b.it.progress(180, line.now))
    line.run()
    ours, theirs = line.a.it.local_tag, line.b.it.local_tag
    assert line.a.it.judge(Replaces(line.a.it.call_id, ours, theirs)) == 200
    assert line.b.it.judge(Replaces(line.a.it.call_id, theirs, ours)) == 481
    line.do(line.b, line.b.it.accept(line.now, sdp("answer")))
    line.run()
    assert line.a.it.judge(Replaces(line.a.it.call_id, ours, theirs, early_only=True)) == 486


@pytest.mark.parametrize("values", [["x"], ["x;to-tag=1;from-tag="], ["x;to-tag=1;from-tag=2"] * 2])
def test_a_replaces_that_names_no_call(values: list[str]) -> None:
    with pytest.raises(SipError) as caught:
        replaces_in(Request("INVITE", "sip:a@b", Headers([("Replaces", value) for value in values])))
    assert caught.value.status == 400


def test_a_replaced_call_ends_like_any_other() -> None:
    line = running()
    assert isinstance(line.b.it, InviteSession)
    line.do(line.b, line.b.it.hang_up(line.now, [("Reason", 'SIP;cause=200;text="replaced"')]))
    line.run()
    assert line.a.last(Ended).reason.startswith("SIP;cause=200")
