"""Sessions and topics under a fake clock."""

from __future__ import annotations

import json
import tracemalloc

import pytest

from confero.clock import FakeClock
from confero.errors import Refused
from confero.notifier.hub import EndCause, Hub, HubLimits
from confero.notifier.messages import Event
from confero.notifier.session import Session
from confero.notifier.topics import WindowLimits
from confero.notifier.wire import Place

from .fakes import WELCOME, FakeSink, grant

HELLO = Event(b'{"type":"speakers","speakers":[]}')


class Bench:
    """A hub, its clock, and what it told of ended sessions."""

    def __init__(self, limits: HubLimits | None = None) -> None:
        self.clock = FakeClock()
        self.ended: list[tuple[str, EndCause]] = []
        self.hub = Hub(self.clock, limits or HubLimits(), self._note)

    def _note(self, session: Session, cause: EndCause) -> None:
        self.ended.append((session.grant.participant, cause))

    def enter(self, participant: str = "alice", room: str = "lobby") -> tuple[Session, FakeSink]:
        session = self.hub.open(grant(participant, room), "token")
        sink = FakeSink()
        self.hub.attach(session, sink, WELCOME)
        return session, sink


@pytest.fixture
def bench() -> Bench:
    return Bench()


def seen(session: Session, *seqs: int) -> list[Place]:
    """Places in the session's topics: its room, its participant."""
    return [Place(topic.name, topic.epoch, seq) for topic, seq in zip(session.topics, seqs, strict=True)]


def seqs(sink: FakeSink) -> list[int]:
    return [json.loads(text)["seq"] for text in sink.sent if text != "welcome"]


def test_room_events_reach_members_only(bench: Bench) -> None:
    _, alice = bench.enter("alice")
    _, bob = bench.enter("bob")
    _, spy = bench.enter("spy", room="elsewhere")
    assert bench.hub.deliver("room:lobby", HELLO) == 2
    assert [len(sink.sent) for sink in (alice, bob, spy)] == [2, 2, 1]


def test_participant_events_reach_one(bench: Bench) -> None:
    _, alice = bench.enter("alice")
    _, bob = bench.enter("bob")
    assert bench.hub.deliver("participant:bob", HELLO) == 1
    assert (len(alice.sent), len(bob.sent)) == (1, 2)


def test_unknown_topic_reaches_nobody(bench: Bench) -> None:
    bench.enter("alice")
    assert bench.hub.deliver("room:nowhere", HELLO) == 0


def test_numbers_are_the_topics_own_without_gaps(bench: Bench) -> None:
    _, alice = bench.enter("alice")
    bench.hub.deliver("room:lobby", HELLO)
    bob_session, bob = bench.enter("bob")
    assert [place.seq for place in bob_session.positions] == [1, 0]
    bench.hub.deliver("participant:alice", HELLO)
    bench.hub.deliver("room:lobby", HELLO)
    assert seqs(alice) == [1, 1, 2]
    assert seqs(bob) == [2]


def test_all_members_get_the_same_bytes(bench: Bench) -> None:
    sent = []
    for name in ("alice", "bob"):
        session, _ = bench.enter(name)
        session.sink = type("Sink", (), {"send": lambda self, message: sent.append(message.frame)})()
    bench.hub.deliver("room:lobby", HELLO)
    assert len(sent) == 2
    assert sent[0] is sent[1]


def test_an_event_keeps_its_fields(bench: Bench) -> None:
    _, alice = bench.enter()
    bench.hub.deliver("room:lobby", HELLO)
    assert json.loads(alice.sent[-1]) == {"topic": "room:lobby", "seq": 1, "type": "speakers", "speakers": []}


def test_events_between_open_and_attach_follow_the_welcome(bench: Bench) -> None:
    session = bench.hub.open(grant(), "token")
    bench.hub.deliver("room:lobby", HELLO)
    sink = FakeSink()
    bench.hub.attach(session, sink, WELCOME)
    assert sink.sent[0] == "welcome"
    assert seqs(sink) == [1]


def test_resume_gets_exactly_what_was_missed(bench: Bench) -> None:
    session, first = bench.enter()
    for _ in range(3):
        bench.hub.deliver("room:lobby", HELLO)
    bench.hub.detach(session, first)
    for _ in range(2):
        bench.hub.deliver("room:lobby", HELLO)
    bench.clock.advance(14.9)
    assert bench.hub.expire() == []
    again = bench.hub.resume(session.id, grant(), "token 2", seen(session, 2, 0))
    assert again is session
    assert session.token == "token 2"
    second = FakeSink()
    bench.hub.attach(session, second, WELCOME)
    assert seqs(second) == [3, 4, 5]
    assert len(first.sent) == 4


def test_resume_takes_over_a_connection_that_hangs(bench: Bench) -> None:
    session, first = bench.enter()
    assert bench.hub.resume(session.id, grant(), "token", seen(session, 0, 0)) is session
    assert first.closed is not None
    assert first.closed[0] == 4409
    assert bench.ended == []


def test_late_detach_of_a_replaced_connection_changes_nothing(bench: Bench) -> None:
    session, first = bench.enter()
    bench.hub.resume(session.id, grant(), "token", seen(session, 0, 0))
    second = FakeSink()
    bench.hub.attach(session, second, WELCOME)
    bench.hub.detach(session, first)
    bench.clock.advance(60)
    assert bench.hub.expire() == []
    assert session.sink is second


def test_two_resumes_at_once_leave_the_later(bench: Bench) -> None:
    session, _ = bench.enter()
    one, two = FakeSink(), FakeSink()
    bench.hub.resume(session.id, grant(), "token", seen(session, 0, 0))
    bench.hub.resume(session.id, grant(), "token", seen(session, 0, 0))
    bench.hub.attach(session, one, WELCOME)
    bench.hub.attach(session, two, WELCOME)
    assert one.closed is not None
    assert session.sink is two


@pytest.mark.parametrize(
    ("participant", "room"), [("bob", "lobby"), ("alice", "elsewhere")], ids=["other participant", "other room"]
)
def test_resume_with_a_token_of_someone_else(bench: Bench, participant: str, room: str) -> None:
    session, sink = bench.enter()
    assert bench.hub.resume(session.id, grant(participant, room), "token", seen(session, 0, 0)) is None
    assert sink.closed is None


def test_resume_of_an_unknown_session(bench: Bench) -> None:
    assert bench.hub.resume("ses_unknown", grant(), "token", []) is None


def test_resume_beyond_what_is_kept() -> None:
    bench = Bench(HubLimits(window=WindowLimits(events=200)))
    session, _ = bench.enter()
    for _ in range(300):
        bench.hub.deliver("room:lobby", HELLO)
    for seq, again in ((99, None), (999, None), (100, session), (300, session)):
        assert bench.hub.resume(session.id, grant(), "token", seen(session, seq, 0)) is again


def test_resume_of_more_than_a_connection_takes() -> None:
    bench = Bench(HubLimits(missed=2000))
    session, _ = bench.enter()
    for _ in range(100):
        bench.hub.deliver("room:lobby", HELLO)
    assert bench.hub.resume(session.id, grant(), "token", seen(session, 0, 0)) is None
    assert bench.hub.resume(session.id, grant(), "token", seen(session, 90, 0)) is session


def test_resume_needs_every_topic_in_its_epoch(bench: Bench) -> None:
    session, _ = bench.enter()
    room, own = seen(session, 0, 0)
    for wrong in (
        [],
        [room],
        [own],
        [room, Place(own.topic, "another", 0)],
        [own, Place("room:elsewhere", room.epoch, 0)],
    ):
        assert bench.hub.resume(session.id, grant(), "token", wrong) is None
    assert bench.hub.resume(session.id, grant(), "token", [own, room]) is session


def test_a_topic_that_was_forgotten_counts_in_another_epoch(bench: Bench) -> None:
    first, _ = bench.enter()
    bench.hub.end(first, "left")
    second, _ = bench.enter()
    assert [place.epoch for place in first.positions] != [place.epoch for place in second.positions]


def test_resume_tells_what_was_missed_of_both_topics_in_order(bench: Bench) -> None:
    session, first = bench.enter()
    bench.hub.detach(session, first)
    for topic in ("participant:alice", "room:lobby", "participant:alice"):
        bench.hub.deliver(topic, HELLO)
    bench.hub.resume(session.id, grant(), "token", seen(session, 0, 1))
    second = FakeSink()
    bench.hub.attach(session, second, WELCOME)
    assert [json.loads(text)["topic"] for text in second.sent[1:]] == ["room:lobby", "participant:alice"]


def test_too_much_while_the_welcome_is_made() -> None:
    bench = Bench(HubLimits(window=WindowLimits(events=3)))
    session = bench.hub.open(grant(), "token")
    for _ in range(5):
        bench.hub.deliver("room:lobby", HELLO)
    sink = FakeSink()
    bench.hub.attach(session, sink, WELCOME)
    assert (sink.sent, sink.closed) == ([], (1012, "too much has happened"))


def test_session_expires_after_the_window(bench: Bench) -> None:
    session, sink = bench.enter()
    bench.hub.detach(session, sink)
    bench.clock.advance(15)
    assert bench.hub.expire() == [session]
    assert bench.ended == [("alice", "expired")]
    assert len(bench.hub) == 0
    assert bench.hub.resume(session.id, grant(), "token", seen(session, 0, 0)) is None


def test_a_connected_session_never_expires(bench: Bench) -> None:
    bench.enter()
    bench.clock.advance(100_000)
    assert bench.hub.expire() == []


def test_a_session_that_was_never_attached_expires(bench: Bench) -> None:
    bench.hub.open(grant(), "token")
    bench.clock.advance(15)
    assert len(bench.hub.expire()) == 1


def test_same_participant_again_replaces(bench: Bench) -> None:
    _, first = bench.enter()
    second_session, second = bench.enter()
    assert first.closed == (4409, "another connection of this participant")
    assert bench.ended == [("alice", "replaced")]
    bench.hub.deliver("room:lobby", HELLO)
    assert seqs(second) == [1]
    assert bench.hub.of_participant("alice") is second_session


def test_attach_to_a_session_that_was_replaced_meanwhile(bench: Bench) -> None:
    session = bench.hub.open(grant(), "token")
    bench.hub.open(grant(), "token")
    sink = FakeSink()
    bench.hub.attach(session, sink, WELCOME)
    assert sink.closed is not None
    assert sink.closed[0] == 4409
    assert sink.sent == []


def test_final_event_ends_the_session_after_it(bench: Bench) -> None:
    _, sink = bench.enter()
    bench.hub.deliver("participant:alice", Event(b'{"type":"closed","reason":"removed"}', final=True))
    assert json.loads(sink.sent[-1])["type"] == "closed"
    assert sink.closed == (4403, "removed from the room")
    assert bench.ended == [("alice", "removed")]


def test_end_is_idempotent(bench: Bench) -> None:
    session, _ = bench.enter()
    bench.hub.end(session, "left")
    bench.hub.end(session, "left")
    assert bench.ended == [("alice", "left")]


def test_too_many_sessions() -> None:
    bench = Bench(HubLimits(sessions=2))
    bench.enter("alice")
    bench.enter("bob")
    with pytest.raises(Refused) as caught:
        bench.hub.open(grant("carol"), "token")
    assert (caught.value.status, caught.value.code) == (503, "too-many-sessions")
    bench.enter("bob")  # replaces its own


def test_moved_room_tells_its_sessions_to_renegotiate(bench: Bench) -> None:
    session, sink = bench.enter()
    session.leg = "leg_1"
    _, other = bench.enter("bob", room="elsewhere")
    assert bench.hub.place("lobby", "mcu-2", "http://mcu-2") == 1
    assert json.loads(sink.sent[-1]) == {
        "topic": "participant:alice",
        "seq": 1,
        "type": "renegotiate",
        "reason": "moved",
    }
    assert (session.grant.mcu, session.grant.mcu_url, session.leg) == ("mcu-2", "http://mcu-2", None)
    assert len(other.sent) == 1


def test_placing_a_room_where_it_is_tells_nobody(bench: Bench) -> None:
    session, sink = bench.enter()
    session.leg = "leg_1"
    assert bench.hub.place("lobby", "mcu-1", "http://mcu-1") == 0
    assert session.leg == "leg_1"
    assert len(sink.sent) == 1


def test_started_mcu_tells_its_sessions_only(bench: Bench) -> None:
    _, alice = bench.enter("alice")
    carol = bench.hub.open(grant("carol", mcu="mcu-9", mcu_url="http://mcu-9"), "token")
    assert bench.hub.mcu_started("mcu-1", "http://new") == 1
    assert json.loads(alice.sent[-1])["reason"] == "media-server-started"
    assert carol.topics[-1].last == 0


def test_started_mcu_with_a_new_id_under_the_same_url(bench: Bench) -> None:
    session, alice = bench.enter("alice")
    assert bench.hub.mcu_started("mcu-7", "http://mcu-1") == 1
    assert session.grant.mcu == "mcu-7"
    assert json.loads(alice.sent[-1])["type"] == "renegotiate"


def test_a_room_whose_sessions_disagree_is_put_right_whoever_is_believed(bench: Bench) -> None:
    old, _ = bench.enter()
    new = bench.hub.open(grant("bob", mcu="mcu-2", mcu_url="http://mcu-2"), "token")
    assert bench.hub.place("lobby", "mcu-1", "http://mcu-1") == 1
    assert bench.hub.place("lobby", "mcu-1", "http://mcu-1") == 0
    assert (old.grant.mcu, new.grant.mcu) == ("mcu-1", "mcu-1")
    bench.hub.mcu_started("mcu-2", "http://mcu-1")  # another process is there now, under the old one's address
    assert bench.hub.place("lobby", "mcu-1", "http://mcu-1") == 2
    for session in (old, new):
        bench.hub.end(session, "left")
    assert bench.hub.place("lobby", "mcu-2", "http://mcu-2") == 0
    bench.enter("carol")
    assert bench.hub.place("lobby", "mcu-2", "http://mcu-2") == 1


def test_a_resumed_session_learns_of_a_move_as_an_event(bench: Bench) -> None:
    session, sink = bench.enter()
    bench.hub.detach(session, sink)
    moved = grant(mcu="mcu-2", mcu_url="http://mcu-2")
    assert bench.hub.resume(session.id, moved, "token", seen(session, 0, 0)) is session
    assert bench.hub.place("lobby", "mcu-2", "http://mcu-2") == 1
    second = FakeSink()
    bench.hub.attach(session, second, WELCOME)
    assert json.loads(second.sent[-1])["type"] == "renegotiate"


def test_a_session_is_small(bench: Bench) -> None:
    """With its own topic, beside its grant: a deque for each of them were 0.7 kB more."""
    grants = [grant(f"p{number}", "hall") for number in range(1000)]
    tracemalloc.start()
    try:
        for one in grants:
            bench.hub.open(one, "token")
        assert tracemalloc.get_traced_memory()[0] / len(grants) < 1200
    finally:
        tracemalloc.stop()
