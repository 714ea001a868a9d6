"""Large deliveries in pieces: to each connection in order, other work in between, bounded."""

from __future__ import annotations

import asyncio
import json
from functools import partial

import pytest

from confero.clock import FakeClock
from confero.notifier import app
from confero.notifier.closecodes import NOT_ALLOWED
from confero.notifier.deliveries import MOST
from confero.notifier.hub import EndCause, Hub, HubLimits
from confero.notifier.messages import Event, Message
from confero.notifier.session import Session
from confero.notifier.turns import Turns
from confero.notifier.wire import Place
from confero.runtime.tasks import spawn

from .conftest import StackMaker
from .fakes import WELCOME, FakeSink, grant

ROOM = "room:hall"
WHOLE, PIECE = 4, 3
NEWS = Event(b'{"type":"news"}')
CLOSED = Event(b'{"type":"closed"}', final=True)


class Hall:
    """A hub whose pieces are small, and a hall of ten."""

    def __init__(self) -> None:
        self.ended: list[tuple[str, EndCause]] = []
        self.begun = 0
        self.hub = Hub(FakeClock(), HubLimits(whole=WHOLE, piece=PIECE), self._note)
        self.hub.deliveries.begun = self._begin
        self.sessions: list[Session] = []
        self.sinks: list[FakeSink] = []
        for number in range(10):
            self.enter(f"p{number}")

    def _note(self, session: Session, cause: EndCause) -> None:
        self.ended.append((session.grant.participant, cause))

    def _begin(self) -> None:
        self.begun += 1

    def enter(self, participant: str, room: str = "hall") -> FakeSink:
        session = self.hub.open(grant(participant, room), "token")
        sink = FakeSink()
        self.hub.attach(session, sink, WELCOME)
        self.sessions.append(session)
        self.sinks.append(sink)
        return sink

    def come_back(self, number: int, seen: int) -> FakeSink:
        """The session gets another connection, which has seen so many of the room's events."""
        session, sink = self.sessions[number], FakeSink()
        places = [Place(topic.name, topic.epoch, seq) for topic, seq in zip(session.topics, (seen, 0), strict=True)]
        assert self.hub.resume(session.id, session.grant, "token", places) is session
        self.hub.attach(session, sink, WELCOME)
        return sink

    def told(self) -> list[int]:
        """How many events each has had."""
        return [len(sink.sent) - 1 for sink in self.sinks]

    def finish(self) -> None:
        while self.hub.deliveries.turn():
            pass


@pytest.fixture
def hall() -> Hall:
    return Hall()


def heard(sink: FakeSink) -> list[tuple[str, int]]:
    """What came after the welcome: kind of topic, and number."""
    events = [json.loads(text) for text in sink.sent[1:]]
    return [(event["topic"].partition(":")[0], event["seq"]) for event in events]


def test_each_turn_tells_one_piece(hall: Hall) -> None:
    assert hall.hub.deliver(ROOM, NEWS) == 10
    assert (sum(hall.told()), hall.begun) == (0, 1)
    for so_far in (3, 6, 9):
        assert hall.hub.deliveries.turn()
        assert hall.told() == [1] * so_far + [0] * (10 - so_far)
    assert not hall.hub.deliveries.turn()
    assert hall.told() == [1] * 10


def test_a_room_that_is_not_large_is_told_at_once(hall: Hall) -> None:
    small = [hall.enter(f"q{number}", "small") for number in range(WHOLE)]
    hall.hub.deliver("room:small", NEWS)
    assert [heard(sink) for sink in small] == [[("room", 1)]] * WHOLE
    assert hall.begun == 0


def test_events_of_one_topic_follow_each_other(hall: Hall) -> None:
    hall.hub.deliver(ROOM, NEWS)
    hall.hub.deliveries.turn()
    hall.hub.deliver(ROOM, NEWS)
    hall.finish()
    assert [heard(sink) for sink in hall.sinks] == [[("room", 1), ("room", 2)]] * 10


def test_who_is_told_something_else_gets_first_what_is_on_its_way(hall: Hall) -> None:
    hall.hub.deliver(ROOM, NEWS)
    hall.hub.deliver(ROOM, NEWS)
    hall.hub.deliver("participant:p8", NEWS)
    assert heard(hall.sinks[8]) == [("room", 1), ("room", 2), ("participant", 1)]
    hall.hub.tell(hall.sessions[9], NEWS)
    assert heard(hall.sinks[9]) == [("room", 1), ("room", 2), ("participant", 1)]
    hall.finish()
    assert hall.told() == [2] * 8 + [3] * 2


def test_a_room_that_has_become_small_keeps_its_order(hall: Hall) -> None:
    hall.hub.deliver(ROOM, NEWS)
    for session in hall.sessions[PIECE:]:
        hall.hub.end(session, "left")
    hall.hub.deliver(ROOM, NEWS)
    hall.finish()
    assert heard(hall.sinks[0]) == [("room", 1), ("room", 2)]
    hall.hub.deliver(ROOM, NEWS)
    assert hall.told()[:PIECE] == [3] * PIECE


def test_whoever_comes_meanwhile_hears_what_was_not_there_yet(hall: Hall) -> None:
    hall.hub.deliver(ROOM, NEWS)
    hall.hub.deliveries.turn()
    late = hall.enter("late")
    hall.hub.deliver(ROOM, NEWS)
    hall.finish()
    assert heard(late) == [("room", 2)]


def test_who_comes_back_meanwhile_hears_all_once(hall: Hall) -> None:
    hall.hub.detach(hall.sessions[9], hall.sinks[9])
    hall.hub.deliver(ROOM, NEWS)
    hall.hub.deliveries.turn()
    back = [hall.come_back(0, seen=1), hall.come_back(8, seen=0), hall.come_back(9, seen=0)]
    hall.finish()
    assert [heard(sink) for sink in back] == [[], [("room", 1)], [("room", 1)]]


def test_sessions_end_after_the_last_event_in_pieces_too(hall: Hall) -> None:
    hall.hub.deliver(ROOM, NEWS)
    hall.hub.deliver(ROOM, CLOSED)
    assert hall.ended == []
    hall.finish()
    assert hall.ended == [(f"p{number}", "removed") for number in range(10)]
    assert {sink.closed for sink in hall.sinks} == {(NOT_ALLOWED, "removed from the room")}
    assert hall.told() == [2] * 10
    assert len(hall.hub) == 0


def test_who_is_removed_while_others_are_told_has_heard_it(hall: Hall) -> None:
    hall.hub.deliver(ROOM, NEWS)
    hall.hub.deliver("participant:p9", CLOSED)
    assert heard(hall.sinks[9]) == [("room", 1), ("participant", 1)]
    assert hall.ended == [("p9", "removed")]


def test_rooms_take_turns(hall: Hall) -> None:
    other = [hall.enter(f"q{number}", "other") for number in range(WHOLE + 1)]
    hall.hub.deliver(ROOM, NEWS)
    hall.hub.deliver("room:other", NEWS)
    hall.hub.deliveries.turn()
    hall.hub.deliveries.turn()
    assert sum(hall.told()[:10]) == sum(len(heard(sink)) for sink in other) == PIECE


def test_of_too_many_deliveries_the_oldest_is_finished(hall: Hall) -> None:
    for _ in range(MOST):
        hall.hub.deliver(ROOM, NEWS)
    assert hall.told() == [0] * 10
    hall.hub.deliver(ROOM, NEWS)
    assert hall.told() == [1] * 10
    hall.finish()
    assert [heard(sink) for sink in hall.sinks] == [[("room", seq) for seq in range(1, MOST + 2)]] * 10


class Clogged(FakeSink):
    """Takes one message, and is then found too slow, as ``Outlet`` finds it."""

    def __init__(self, hall: Hall, number: int) -> None:
        super().__init__()
        self.ended = lambda: hall.hub.detach(hall.sessions[number], self)

    def send(self, message: Message) -> None:
        super().send(message)
        if len(self.sent) > 1:
            self.close(4429, "reader too slow")
            self.ended()


def test_a_slow_reader_is_closed_as_ever_and_gets_the_rest_when_it_is_back(hall: Hall) -> None:
    slow = Clogged(hall, 4)
    session = hall.sessions[4]
    hall.hub.detach(session, hall.sinks[4])
    hall.hub.attach(session, slow, WELCOME)
    for _ in range(3):
        hall.hub.deliver(ROOM, NEWS)
    hall.finish()
    assert (heard(slow), slow.closed) == ([("room", 1)], (4429, "reader too slow"))
    assert heard(hall.come_back(4, seen=1)) == [("room", 2), ("room", 3)]


# --- turns of the loop ---------------------------------------------------------------------------------------------


async def test_other_work_has_its_turn_between_pieces(hall: Hall) -> None:
    turns = Turns(hall.hub.deliveries.turn)
    hall.hub.deliveries.begun = turns.begin
    task = spawn(turns.run(), name="turns")
    await asyncio.sleep(0)
    hall.hub.deliver(ROOM, NEWS)
    seen = []
    while sum(hall.told()) < 10:
        await asyncio.sleep(0)
        seen.append(sum(hall.told()))
    task.cancel()
    assert {3, 6, 9, 10} <= set(seen)


async def test_a_piece_that_fails_is_logged_and_the_next_is_made(caplog: pytest.LogCaptureFixture) -> None:
    work = iter([ValueError("broken"), True, False])
    done = asyncio.Event()

    def piece() -> bool:
        now = next(work)
        if isinstance(now, Exception):
            raise now
        if not now:
            done.set()
        return now

    turns = Turns(piece)
    task = spawn(turns.run(), name="turns")
    turns.begin()
    async with asyncio.timeout(5):
        await done.wait()
    task.cancel()
    assert "a piece of work has failed" in caplog.text


async def test_a_large_room_over_sockets(make_stack: StackMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "HubLimits", partial(HubLimits, whole=WHOLE, piece=PIECE))
    stack = await make_stack()
    browsers = [await stack.join(f"p{number}") for number in range(2 * PIECE + 1)]
    events = [Event(b'{"type":"news","number":%d}' % number) for number in range(MOST + 2)]
    await stack.notifier.fanout.publish("room:lobby", [event.body for event in events])
    for browser in browsers:
        assert [(await browser.event("news"))["number"] for _ in events] == list(range(MOST + 2))
    await stack.notifier.fanout.publish("room:lobby", [CLOSED.body])
    assert {await browser.close_code() for browser in browsers} == {NOT_ALLOWED}
