"""Whatever a peer sends within a call: nothing is raised, each request is answered, and what is kept of it is bounded."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from confero.errors import LocalError
from confero.protocols.sip import Request, parse, response_to
from confero.protocols.sip.dialog import Dialog
from confero.protocols.sip.session import InviteSession, Respond, SendAck, SendRequest, SessionConfig

from .line import Line, sdp

NAMES = """
Contact|RAck|RSeq|Session-Expires|Min-SE|Event|Subscription-State|Content-Type|Refer-To|Replaces|Supported|Require|Allow
|Info-Package|Content-Disposition|Content-Encoding|Expires|Record-Route|Refer-Sub|Referred-By|Reason|Retry-After
""".replace("\n", "").split("|")
PIECES = """
|x|0|-1|99999999999999999999|90|1800;refresher=uac|3;refresher=x;;|<sip:a@b>|<sip:|*|sip:a@b;tag|1 1 INVITE|1 x INVITE|refer
|refer;id=9|active;expires=x|terminated|application/sdp|multipart/mixed;boundary=b|multipart/mixed|application/dtmf-relay|100rel
|timer, replaces|"|,|;;=|é|gzip|false|a;to-tag=1;from-tag=2|UPDATE, INVITE|<sip:c?Replaces=%>|message/sipfrag
""".replace("\n", "").split("|")
BODIES = [
    b"",
    b"x",
    b"\xff\xfe",
    sdp("o").encode(),
    b"SIP/2.0 200 OK\r\n",
    b"Signal=1",
    b"--b\r\n\r\nx\r\n--b--",
    b"m=audio",
]
METHODS = ("INVITE", "UPDATE", "PRACK", "INFO", "REFER", "NOTIFY", "OPTIONS", "MESSAGE", "BYE", "x")
printable = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=12)
fields = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(PIECES) | printable), max_size=6)
requests = st.lists(
    st.tuples(st.sampled_from(METHODS), fields, st.sampled_from(BODIES), st.integers(-1, 3)), min_size=1, max_size=12
)


def ringing() -> tuple[Line, Dialog]:
    line = Line()
    line.call()
    line.run()
    line.do(line.b, line.b.it.progress(183, line.now, sdp("early")))
    line.run()
    (peer,) = line.a.it._core.peers.values()
    return line, peer.dialog


def running() -> tuple[Line, Dialog]:
    line = Line()
    line.establish()
    assert line.a.it.dialog is not None
    return line, line.a.it.dialog


@given(requests, st.booleans(), st.sampled_from(["nothing", "answer", "refuse", "offer"]))
@settings(max_examples=200, deadline=None)
def test_requests_within_a_call(
    todo: list[tuple[str, list[tuple[str, str]], bytes, int]], early: bool, owner: str
) -> None:
    line, dialog = ringing() if early else running()
    asked: list[int] = []
    answered: list[object] = []
    for number, (method, headers, body, step) in enumerate(todo):
        dialog.local_seq = max(1, dialog.local_seq + step)
        request = dialog.request(method, dialog.local_seq)
        request.headers.prepend("Via", f"SIP/2.0/UDP a.invalid;branch=z9hG4bK{number}")
        for name, value in headers:
            request.headers.add(name, value)
        request.body = body
        asked.append(number)
        actions = line.b.it.request(number, request, line.now)
        answered += [action.key for action in actions if isinstance(action, Respond)]
        line.do(line.b, [action for action in actions if not isinstance(action, Respond)])
        line.flight.clear()
        answered += owner_does(line, owner)
    for _ in range(600):
        at = line.b.it.next_deadline()
        if at is None or set(asked) <= set(answered):
            break
        line.now = max(at, line.now)
        actions = line.b.it.poll(line.now)
        answered += [action.key for action in actions if isinstance(action, Respond)]
        transfers(line, answered)
    assert set(asked) <= set(answered), "each request is answered, at once or in time"
    assert len(line.b.it._core.alarms) < 20 and len(line.b.it._core._acks) <= 64


def owner_does(line: Line, what: str) -> list[object]:
    it = line.b.it
    try:
        if what == "answer":
            actions = it.answer(sdp("a"), line.now)
        elif what == "refuse":
            actions = it.refuse(line.now)
        elif what == "offer":
            actions = it.offer(sdp("o"), line.now)
        else:
            return []
    except LocalError:
        return []
    return [action.key for action in actions if isinstance(action, Respond)]


def transfers(line: Line, answered: list[object]) -> None:
    """The owner decides on what the peer wanted."""
    for id in [id for id, wish in line.b.it._parts.referral._wishes.items() if not wish.accepted]:
        actions = line.b.it.refuse_transfer(id, line.now)
        answered += [action.key for action in actions if isinstance(action, Respond)]


responses = st.lists(
    st.tuples(st.integers(100, 699), st.sampled_from(["", "t1", "t2", "t3"]), fields, st.sampled_from(BODIES)),
    min_size=1,
    max_size=12,
)


@given(responses, st.booleans(), st.booleans())
@settings(max_examples=200, deadline=None)
def test_responses_to_an_invite(
    todo: list[tuple[int, str, list[tuple[str, str]], bytes]], delayed: bool, contact: bool
) -> None:
    line = Line()
    line.call(None if delayed else "offer")
    invite = parse(line.flight.pop().data)
    assert isinstance(invite, Request)
    final = False
    for status, tag, headers, body in todo:
        response = response_to(invite, status, to_tag=tag or None)
        if contact:
            response.headers.add("Contact", "<sip:b@192.0.2.2>")
        for name, value in headers:
            response.headers.add(name, value)
        response.body = body
        if final and status // 100 == 2:
            actions = line.a.it.stray(response, line.now)
        elif not final:
            actions = line.a.it.response(1, response, line.now)
            final = status >= 200
        else:
            continue
        line.do(line.a, actions)
        sent = [a for a in actions if isinstance(a, SendAck | SendRequest)]
        assert len(sent) <= 3
    line.do(line.a, line.a.it.hang_up(line.now))
    assert line.a.it.phase == "ended"
    for _ in range(50):
        at = line.a.it.next_deadline()
        if at is None:
            break
        line.now = max(at, line.now)
        line.do(line.a, line.a.it.poll(line.now))
    assert line.a.it.next_deadline() is None


def test_an_unreadable_invite_is_answered_and_over() -> None:
    line = Line()
    line.call()
    good = parse(line.flight.pop().data)
    assert isinstance(good, Request)
    for name, value, status in (
        ("Contact", "<sip:", 400),
        ("Session-Expires", "x", 400),
        ("Session-Expires", "10", 422),
        ("Content-Type", "text/plain", 415),
        ("Content-Type", "application/sdp;;=;", 400),
        ("Content-Encoding", "gzip", 415),
    ):
        invite = Request("INVITE", good.uri, good.headers.copy(), good.body)
        invite.headers.set(name, value)
        session, actions = InviteSession.incoming(SessionConfig("<sip:b@x>"), 1, invite, 0.0, random=line.random)
        (response,) = [action.response for action in actions if isinstance(action, Respond)]
        assert (name, response.status) == (name, status)
        assert session.phase == "ended" and session.call_id == good.call_id
