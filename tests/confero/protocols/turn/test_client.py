"""The client against the server machine, over a network that loses, doubles and delays; and against servers that lie."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from confero.protocols.stun import (
    MD5,
    PASSWORD_ALGORITHMS_BIT,
    SHA256,
    Algorithm,
    ErrorCode,
    Integrity,
    Kind,
    Message,
    Method,
    StunError,
    build,
    make_key,
    nonce_cookie,
)
from confero.protocols.stun import attributes as a
from confero.protocols.stun.attributes import Row
from confero.protocols.turn import TurnClient, channel_data
from confero.protocols.turn.client import MAX_EVENTS, Answered, Attempted, Data, Event, Failed
from confero.protocols.turn.transactions import MAX_UNDER_WAY, RELIABLE_S

from .world import PEER, World

COOKIE = nonce_cookie(PASSWORD_ALGORITHMS_BIT)


def client(**more: object) -> TurnClient:
    given = {"username": "ann", "password": "password of ann", **more}
    return TurnClient(random.Random(1), **given)  # type: ignore[arg-type]


def events(turn: TurnClient) -> list[Event]:
    found = []
    while (event := turn.next_event()) is not None:
        found.append(event)
    return found


def asked(turn: TurnClient) -> Message:
    """The one request that was sent."""
    (data,) = turn.data_to_send()
    return Message.parse(data)


def answer(
    turn: TurnClient, request: Message, code: int, *rows: Row, key: bytes | None = None, sha256: bool = True
) -> None:
    kind, head = (Kind.ERROR, [a.ERROR_CODE.of(ErrorCode(code, "why"))]) if code else (Kind.SUCCESS, [])
    integrity = None if key is None else Integrity(key, sha256)
    data = build(request.method, kind, request.transaction_id, [*head, *rows], integrity=integrity)
    turn.receive(data, 0.0)


CHALLENGE = (a.REALM.of("confero"), a.NONCE.of(COOKIE + b"1"), a.PASSWORD_ALGORITHMS.of((SHA256, MD5)))
KEY = make_key("ann", "confero", "password of ann", SHA256)
OLD_KEY = make_key("ann", "confero", "password of ann", MD5)


def challenged(turn: TurnClient, *rows: Row) -> Message:
    """Allocate, a 401, and the request that comes then."""
    turn.allocate(0.0)
    answer(turn, asked(turn), 401, *(rows or CHALLENGE))
    return asked(turn)


# -- time --


def test_over_udp_it_is_sent_again() -> None:
    """RFC 8489 section 6.2.1: at 0, 500, 1500, 3500, 7500, 15500 and 31500 ms, and given up at 39500."""
    turn = client()
    turn.binding(0.0)
    sent = [(0.0, turn.data_to_send())]
    while (at := turn.get_timer()) is not None:
        turn.handle_timer(at)
        sent.append((at, turn.data_to_send()))
    assert [at for at, data in sent if data] == [0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert sent[-1] == (39.5, []) and len({data[0] for _, data in sent if data}) == 1
    assert [(event.code, event.detail) for event in events(turn) if isinstance(event, Failed)] == [(0, "no response")]


def test_over_a_connection_it_is_sent_once() -> None:
    turn = client(reliable=True)
    turn.binding(5.0)
    assert len(turn.data_to_send()) == 1 and turn.get_timer() == 5.0 + RELIABLE_S
    turn.handle_timer(5.0 + RELIABLE_S)
    assert turn.data_to_send() == [] and len(events(turn)) == 1 and turn.get_timer() is None


@pytest.mark.parametrize("seed", range(20))
def test_a_network_that_loses_a_third(seed: int) -> None:
    """An allocation, a permission, a channel and the end of it: each done once, whatever is lost, doubled or late."""
    world, luck = World(seed=seed), random.Random(seed)
    caller = world.caller()
    turn, pending = caller.turn, []

    def until(method: Method) -> None:
        while True:
            for data in turn.data_to_send():
                pending.extend([(world.now + luck.random(), data)] * luck.choice([0, 1, 1, 2]))
            for due, data in [one for one in pending if one[0] <= world.now]:
                pending.remove((due, data))
                for reply in world.tell(caller.client, data) if luck.random() > 0.2 else []:
                    turn.receive(reply, world.now)
            for event in events(turn):
                assert isinstance(event, Answered), event
                if event.method == method:
                    return
            world.wait(0.05)
            turn.handle_timer(world.now)

    turn.allocate(world.now)
    until(Method.ALLOCATE)
    turn.create_permission(world.now, PEER)
    until(Method.CREATE_PERMISSION)
    turn.bind_channel(world.now, 0x4000, PEER)
    until(Method.CHANNEL_BIND)
    assert caller.reaches(PEER) and world.server.allocations == 1
    assert world.ports.reserved == 1 and turn.relayed == (("198.51.100.1", 49152),)
    (entry,) = world.path.entries.values()
    assert entry.channels[0x4000][0] == PEER


# -- servers --


def test_algorithms_are_named() -> None:
    request = challenged(client())
    assert request.get(a.PASSWORD_ALGORITHMS) == (SHA256, MD5) and request.get(a.PASSWORD_ALGORITHM) == SHA256
    assert request.get(a.USERNAME) == "ann" and a.MESSAGE_INTEGRITY_SHA256 in request


def test_the_first_that_is_known_is_taken() -> None:
    rows = (*CHALLENGE[:2], a.PASSWORD_ALGORITHMS.of((Algorithm(9), MD5, SHA256)))
    assert challenged(client(), *rows).get(a.PASSWORD_ALGORITHM) == MD5


def test_a_server_of_before_rfc_8489() -> None:
    turn = client()
    request = challenged(turn, a.REALM.of("confero"), a.NONCE.of(b"plain"))
    assert a.PASSWORD_ALGORITHM not in request and a.MESSAGE_INTEGRITY_SHA256 not in request
    answer(turn, request, 0, a.XOR_RELAYED_ADDRESS.of(PEER), a.LIFETIME.of(600), key=OLD_KEY, sha256=False)
    assert turn.relayed == (PEER,) and turn.lifetime == 600


@pytest.mark.parametrize(
    "rows",
    [
        (a.REALM.of("confero"), a.NONCE.of(COOKIE + b"1")),
        (*CHALLENGE[:2], a.PASSWORD_ALGORITHMS.of((Algorithm(9),))),
        (a.NONCE.of(b"1"),),
        (a.REALM.of("confero"),),
        (),
    ],
    ids=["algorithms taken away", "none known", "no realm", "no nonce", "nothing"],
)
def test_challenges_that_are_not_answered(rows: tuple[Row, ...]) -> None:
    """9.2.5: the first is somebody who bids down."""
    turn = client()
    turn.allocate(0.0)
    answer(turn, asked(turn), 401, *rows)
    assert turn.data_to_send() == [] and [event.code for event in events(turn) if isinstance(event, Failed)] == [401]


def test_without_a_name_a_challenge_is_the_end() -> None:
    turn = client(username="", password="")
    turn.allocate(0.0)
    answer(turn, asked(turn), 401, *CHALLENGE)
    assert turn.data_to_send() == [] and isinstance(turn.next_event(), Failed)


def test_refused_is_refused() -> None:
    turn = client()
    answer(turn, challenged(turn), 401, *CHALLENGE)
    assert turn.data_to_send() == [] and [type(event) for event in events(turn)] == [Failed]


def test_a_nonce_that_is_always_stale() -> None:
    turn = client()
    answer(turn, challenged(turn), 438, *CHALLENGE[:1], a.NONCE.of(COOKIE + b"2"), CHALLENGE[2])
    request = asked(turn)
    assert request.get(a.NONCE) == COOKIE + b"2"
    answer(turn, request, 438, *CHALLENGE)
    assert turn.data_to_send() == [] and [event.code for event in events(turn) if isinstance(event, Failed)] == [438]


@pytest.mark.parametrize(
    ("key", "sha256"),
    [(None, True), (b"wrong", True), (OLD_KEY, True), (KEY, False)],
    ids=["none", "wrong", "md5", "sha1"],
)
@pytest.mark.parametrize("code", [0, 400, 437])
def test_what_is_not_proven_is_not_believed(code: int, key: bytes | None, sha256: bool) -> None:
    """Over UDP as if it had not come: what comes after it counts. In vain it is told what was heard."""
    turn = client()
    request = challenged(turn)
    answer(turn, request, code, a.XOR_RELAYED_ADDRESS.of(PEER), key=key, sha256=sha256)
    assert events(turn) == [] and turn.relayed == ()
    answer(turn, request, 486, key=KEY)
    assert [event.code for event in events(turn) if isinstance(event, Failed)] == [486]


def test_doubt_is_told_at_the_end() -> None:
    turn = client()
    answer(turn, challenged(turn), 400)
    turn.handle_timer(0.5)
    for _ in range(10):
        turn.handle_timer(turn.get_timer() or 0.0)
    assert [event.detail for event in events(turn) if isinstance(event, Failed)] == ["no response but an unproven 400"]


def test_over_a_connection_what_is_not_proven_is_the_end() -> None:
    turn = client(reliable=True)
    answer(turn, challenged(turn), 0, a.XOR_RELAYED_ADDRESS.of(PEER))
    assert [type(event) for event in events(turn)] == [Failed] and turn.relayed == () and turn.get_timer() is None


@pytest.mark.parametrize(
    "bend",
    [
        lambda request: build(request.method, Kind.SUCCESS, bytes(12)),
        lambda request: build(Method.REFRESH, Kind.SUCCESS, request.transaction_id),
        lambda request: build(request.method, Kind.REQUEST, request.transaction_id),
        lambda request: bytes(request)[:-1],
        lambda request: channel_data(0x4000, b"nobody's", padded=False),
        lambda request: b"",
        lambda request: b"\xff",
    ],
)
def test_what_was_not_asked_for_is_dropped(bend: Callable[[Message], bytes]) -> None:
    turn = client()
    turn.binding(0.0)
    request = asked(turn)
    turn.receive(bend(request), 0.0)
    assert events(turn) == [] and turn.get_timer() is not None
    answer(turn, request, 0, a.XOR_MAPPED_ADDRESS.of(PEER))
    assert turn.mapped == PEER and turn.get_timer() is None


def test_a_request_too_many() -> None:
    turn = client()
    for _ in range(MAX_UNDER_WAY):
        turn.binding(0.0)
    with pytest.raises(ValueError):
        turn.binding(0.0)


# -- data --


def test_data_both_ways() -> None:
    turn = client()
    turn.send(PEER, b"hello", dont_fragment=True)
    message = asked(turn)
    assert (message.method, message.kind) == (Method.SEND, Kind.INDICATION)
    assert message.get(a.XOR_PEER_ADDRESS) == PEER and message.get(a.DATA) == b"hello" and a.DONT_FRAGMENT in message
    turn.receive(build(Method.DATA, Kind.INDICATION, bytes(12), [a.XOR_PEER_ADDRESS.of(PEER), a.DATA.of(b"")]), 0.0)
    turn.receive(build(Method.DATA, Kind.INDICATION, bytes(12), [a.XOR_PEER_ADDRESS.of(PEER)]), 0.0)
    assert events(turn) == [Data(PEER, b"")]


def test_channels_both_ways() -> None:
    world = World()
    caller = world.caller()
    assert caller.allocate() == 0 and caller.bind(0x4000, PEER) == 0
    caller.turn.send_on(0x4000, b"hello")
    assert caller.turn.data_to_send() == [b"\x40\x00\x00\x05hello"]
    caller.turn.receive(b"\x40\x00\x00\x02hi\0\0", world.now)
    caller.turn.receive(b"\x40\x01\x00\x02hi", world.now)
    assert events(caller.turn) == [Data(PEER, b"hi")]


def test_a_connection_attempt() -> None:
    turn = client(reliable=True)
    rows = [a.XOR_PEER_ADDRESS.of(PEER), a.CONNECTION_ID.of(7)]
    turn.receive(build(Method.CONNECTION_ATTEMPT, Kind.INDICATION, bytes(12), rows), 0.0)
    assert events(turn) == [Attempted(PEER, 7)]


def test_a_stream_at_each_byte() -> None:
    """Padding on the wire, none in the data; what follows ConnectionBind is the peer's, in the same read or a later one."""
    data = build(Method.DATA, Kind.INDICATION, bytes(12), [a.XOR_PEER_ADDRESS.of(PEER), a.DATA.of(b"abc")])
    for at in range(len(data) + 1):
        turn = client(reliable=True, username="", password="")
        turn.connection_bind(0.0, 7)
        request = asked(turn)
        turn.receive(data[:at], 0.0)
        turn.receive(data[at:], 0.0)
        turn.receive(build(request.method, Kind.SUCCESS, request.transaction_id) + b"\x16raw", 0.0)
        turn.receive(b"more", 0.0)
        found = events(turn)
        assert [type(event) for event in found] == [Data, Answered, Data, Data]
        assert found[0] == Data(PEER, b"abc") and found[2:] == [Data(None, b"\x16raw"), Data(None, b"more")]
    padded = client(reliable=True)
    padded.send_on(0x4000, b"hello")
    assert padded.data_to_send() == [b"\x40\x00\x00\x05hello\0\0\0"]


def test_a_stream_that_cannot_be_read() -> None:
    with pytest.raises(StunError):
        client(reliable=True).receive(b"\x15\x03\x03", 0.0)


def test_events_are_bounded() -> None:
    turn = client()
    for number in range(MAX_EVENTS + 5):
        rows = [a.XOR_PEER_ADDRESS.of(PEER), a.DATA.of(b"%d" % number)]
        turn.receive(build(Method.DATA, Kind.INDICATION, bytes(12), rows), 0.0)
    found = events(turn)
    assert len(found) == MAX_EVENTS and found[-1] == Data(PEER, b"%d" % (MAX_EVENTS + 4))
