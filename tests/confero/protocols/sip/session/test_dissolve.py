"""A session that is over is gone when its owner lets it go, however it ended: no collector of cycles has to find it."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator

import pytest

from confero.errors import LocalError
from confero.protocols.sip.session import Offer, SessionConfig, Transfer
from confero.protocols.sip.session.core import Core

from .line import End, Line, sdp

B = "<sip:b@192.0.2.2>"
Story = Callable[[Line], None]


@pytest.fixture(autouse=True)
def uncollected() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


def hung_up(line: Line) -> None:
    line.establish()
    line.do(line.a, line.a.it.hang_up(line.now))


def hung_up_by_the_called(line: Line) -> None:
    line.establish()
    line.do(line.b, line.b.it.hang_up(line.now))


def refused(line: Line) -> None:
    line.call()
    line.run()
    line.do(line.b, line.b.it.reject(486, line.now))


def cancelled(line: Line) -> None:
    line.call()
    line.run()
    line.do(line.b, line.b.it.progress(180, line.now))
    line.run()
    line.do(line.a, line.a.it.hang_up(line.now))


def never_answered(line: Line) -> None:
    line.call()
    line.run()
    line.advance(200)


def with_early_media(line: Line) -> None:
    line.call()
    line.run()
    line.do(line.b, line.b.it.progress(183, line.now, sdp("early")))
    line.do(line.b, line.b.it.progress(180, line.now))
    line.do(line.b, line.b.it.accept(line.now))
    line.run()
    line.do(line.b, line.b.it.hang_up(line.now))


def without_a_prack(line: Line) -> None:
    line.call()
    line.run()
    line.do(line.b, line.b.it.progress(183, line.now, sdp("early")))
    line.flight.clear()
    line.tick(40)


def without_an_ack(line: Line) -> None:
    line.call()
    line.run()
    line.do(line.b, line.b.it.accept(line.now, sdp("answer")))
    line.flight.clear()
    line.tick(40)


def changed_and_refreshed(line: Line) -> None:
    line.establish()
    line.do(line.b, line.b.it.want_offer(line.now))
    line.do(line.b, line.b.it.offer(sdp("hold"), line.now))
    line.run()
    line.do(line.a, line.a.it.answer(sdp("held"), line.now))
    line.advance(1000)
    line.do(line.a, line.a.it.hang_up(line.now))


def ended_with_an_offer_open(line: Line) -> None:
    line.establish()
    line.do(line.a, line.a.it.offer(sdp("hold"), line.now))
    line.run()
    assert line.b.has(Offer)
    line.do(line.b, line.b.it.hang_up(line.now))


def transferred(line: Line) -> None:
    line.establish()
    _, actions = line.a.it.transfer("<sip:c@192.0.2.3>", line.now)
    line.do(line.a, actions)
    line.run()
    wish = line.b.last(Transfer)
    line.do(line.b, line.b.it.accept_transfer(wish.id, line.now))
    line.run()
    line.do(line.a, line.a.it.hang_up(line.now))
    line.run()
    line.do(line.b, line.b.it.transfer_progress(wish.id, 200, "OK", line.now))


STORIES = (
    *(hung_up, hung_up_by_the_called, refused, cancelled, never_answered, with_early_media, without_a_prack),
    *(without_an_ack, changed_and_refreshed, ended_with_an_offer_open, transferred),
)


def over(line: Line) -> None:
    """Whatever is still under way arrives, and is forgotten."""
    line.run()
    line.advance(300)
    assert line.a.it.finished and line.b.it.finished


def forgotten(end: End) -> weakref.ref[Core]:
    """Its owner holds neither the session nor what it was told: what is left of it."""
    left = weakref.ref(end.it._core)
    end.session = None
    end.told.clear()
    return left


@pytest.mark.parametrize("story", STORIES)
def test_nothing_is_left(story: Story) -> None:
    line = Line()
    story(line)
    over(line)
    for end in (line.a, line.b):
        end.it.dissolve()
        assert forgotten(end)() is None


@pytest.mark.parametrize(
    ("story", "caller", "called"),
    [
        (hung_up, "waits", "over"),  # our BYE may cross another one
        (hung_up_by_the_called, "waits", "waits"),  # the 200 may come again, for which there is an ACK
        (refused, "over", "over"),
        (cancelled, "waits", "over"),  # somebody may answer all the same
        (ended_with_an_offer_open, "waits", "waits"),
    ],
)
def test_only_what_no_transaction_answers_is_waited_for(story: Story, caller: str, called: str) -> None:
    line = Line()
    story(line)
    line.run()
    waits = {"waits": False, "over": True}
    assert (line.a.it.finished, line.b.it.finished) == (waits[caller], waits[called])
    line.advance(33)
    assert line.a.it.finished and line.b.it.finished


def test_a_reinvite_that_the_peers_bye_has_met_is_waited_for() -> None:
    line = Line()
    line.establish()
    line.do(line.b, line.b.it.offer(sdp("hold"), line.now))
    line.do(line.a, line.a.it.hang_up(line.now))
    line.run()
    assert not line.b.it.finished
    line.advance(33)
    assert line.b.it.finished


def test_an_unreadable_invite_leaves_nothing() -> None:
    line = Line()
    line.invite_headers = [("Require", "cherries")]
    line.call()
    over(line)
    line.b.it.dissolve()
    assert forgotten(line.b)() is None


def test_the_owners_proof_is_let_go_of() -> None:
    line = Line()

    def prove(request: object, response: object) -> None:
        """Knows the line, as a gateway's proof knows the call that it is for."""
        line.trace.append("challenged")

    line.authorize = prove
    hung_up(line)
    over(line)
    line.a.it.dissolve()
    left = weakref.ref(prove)
    del prove
    line.authorize = lambda request, response: None
    assert left() is None, "the session, which is still there, does not hold it"
    assert forgotten(line.a)() is None


def test_without_it_there_is_a_knot() -> None:
    line = Line()
    hung_up(line)
    over(line)
    left = forgotten(line.a)
    assert left() is not None, "the tests here would find it"
    gc.collect()
    assert left() is None


def test_what_is_known_of_the_call_stays_and_steps_do_nothing() -> None:
    line = Line(b=SessionConfig(B, reliable="asked"))
    hung_up(line)
    over(line)
    session = line.a.it
    known = session.phase, session.call_id, session.local_tag, session.dialog, session.agreed, session.peer_allows
    session.dissolve()
    session.dissolve()
    assert known == (
        *("ended", session.call_id, session.local_tag, session.dialog),
        *(session.agreed, session.peer_allows),
    )
    assert (
        session.hang_up(line.now) == session.poll(line.now) == session.transfer_progress(1, 200, "OK", line.now) == []
    )
    assert session.finished and session.next_deadline() is None
    steps: list[Callable[[], object]] = [
        lambda: session.offer(sdp("late"), line.now),
        lambda: session.answer(sdp("late"), line.now),
        lambda: session.want_offer(line.now),
        lambda: session.refuse(line.now),
        lambda: session.transfer("<sip:c@192.0.2.3>", line.now),
        lambda: session.info("text/plain", b"", line.now),
        lambda: session.accept(line.now, sdp("late")),
    ]
    for step in steps:
        with pytest.raises(LocalError):
            step()


def test_a_call_that_is_not_over_is_not_dissolved() -> None:
    line = Line()
    line.establish()
    with pytest.raises(LocalError, match="not over yet"):
        line.a.it.dissolve()
    line.do(line.a, line.a.it.hang_up(line.now))
    line.run()
    with pytest.raises(LocalError, match="not over yet"):
        line.a.it.dissolve()
