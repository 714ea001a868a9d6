"""One call of ours, several phones: each rings in a dialog of its own, and only one of them becomes the call."""

from __future__ import annotations

from confero.protocols.sip import Request, Response, parse, response_to
from confero.protocols.sip.session import Answer, Ended, Established, Ringing

from .line import Line, name_of, sdp


class Phones:
    """Answers the INVITE of a line for as many phones as the test likes."""

    def __init__(self, offer: str | None = "offer") -> None:
        self.line = Line()
        self.line.call(offer)
        invite = parse(self.line.flight.pop().data)
        assert isinstance(invite, Request)
        self.invite = invite

    def say(self, tag: str, status: int, text: str | None = None, rseq: int | None = None) -> None:
        response = response_to(self.invite, status, to_tag=tag)
        response.headers.add("Contact", f"<sip:{tag}@192.0.2.9>")
        if rseq is not None:
            response.headers.add("Require", "100rel")
            response.headers.add("RSeq", str(rseq))
        if text is not None:
            response.headers.add("Content-Type", "application/sdp")
            response.body = sdp(text).encode()
        self._arrives(response)

    def _arrives(self, response: Response) -> None:
        line = self.line
        if response.status >= 200 and line.a.finals:
            line.do(line.a, line.a.it.stray(response, line.now))
            return
        if response.status >= 200:
            line.a.finals.add(("", 0, ""))
        line.do(line.a, line.a.it.response(1, response, line.now))

    def sent(self) -> list[str]:
        """Method, phone and body of what was sent since the last call."""
        messages = [parse(flying.data) for flying in self.line.flight]
        self.line.flight.clear()
        return [f"{m.method} {m.uri.partition(':')[2].partition('@')[0]}" for m in messages if isinstance(m, Request)]


def test_each_phone_rings_in_its_own_dialog() -> None:
    phones = Phones()
    phones.say("one", 180)
    phones.say("two", 180)
    rung = [event.fork for event in phones.line.a.told if isinstance(event, Ringing)]
    assert rung == ["one", "two"] and phones.sent() == []


def test_the_first_2xx_is_the_call_and_others_are_hung_up_on() -> None:
    phones = Phones()
    phones.say("one", 180)
    phones.say("two", 180)
    phones.say("two", 200, "answer-two")
    assert name_of(phones.line.a.last(Answer).sdp) == "answer-two" and phones.line.a.has(Established)
    assert phones.sent() == ["ACK two"]
    phones.say("one", 200, "answer-one")
    assert phones.sent() == ["ACK one", "BYE one"]
    # Repeated: the ACK has been lost.
    phones.say("one", 200, "answer-one")
    phones.say("two", 200, "answer-two")
    assert phones.sent() == ["ACK one", "ACK two"]
    agreed = phones.line.a.it.agreed
    assert agreed is not None and name_of(agreed.remote) == "answer-two" and not phones.line.a.has(Ended)


def test_each_phone_has_its_own_provisional_responses_and_answers() -> None:
    phones = Phones()
    phones.say("one", 183, "early-one", rseq=5)
    phones.say("two", 183, "early-two", rseq=900)
    answers = [
        (event.fork, name_of(event.sdp), event.early) for event in phones.line.a.told if isinstance(event, Answer)
    ]
    assert answers == [("one", "early-one", True), ("two", "early-two", True)]
    assert phones.sent() == ["PRACK one", "PRACK two"]
    phones.say("one", 180, rseq=7)
    assert phones.sent() == [], "the one before it is missing"
    phones.say("one", 180, rseq=6)
    assert phones.sent() == ["PRACK one"]
    phones.say("one", 200)
    assert phones.sent() == ["ACK one"]
    agreed = phones.line.a.it.agreed
    assert agreed is not None and name_of(agreed.remote) == "early-one"


def test_a_phone_that_answers_after_all_was_cancelled() -> None:
    phones = Phones()
    phones.say("one", 180)
    phones.line.do(phones.line.a, phones.line.a.it.hang_up(phones.line.now))
    phones.line.flight.clear()
    phones.say("one", 200, "answer")
    phones.say("two", 200, "answer")
    assert phones.sent() == ["ACK one", "BYE one", "ACK two", "BYE two"]


def test_the_offers_of_phones_that_are_too_late_are_declined() -> None:
    phones = Phones(None)
    phones.say("one", 200, "offer-one")
    phones.line.do(phones.line.a, phones.line.a.it.answer(sdp("yes"), phones.line.now))
    assert phones.sent() == ["ACK one"]
    phones.say("two", 200, "offer-two")
    ack = phones.line.take("ACK[-]")
    assert b"m=audio 0 RTP/AVP 0" in ack.data and phones.sent() == ["BYE two"]


def test_a_crowd_of_phones_takes_no_more_memory_than_sixteen() -> None:
    phones = Phones()
    for number in range(200):
        phones.say(f"t{number}", 183, "early", rseq=1)
    assert len(phones.line.a.it._core.peers) == 16
    for number in range(200):
        phones.say(f"t{number}", 200, "answer")
    core = phones.line.a.it._core
    assert len(core._acks) <= 64 and len(core._clients) <= 64


def test_a_2xx_without_a_contact_cannot_be_a_call() -> None:
    phones = Phones()
    response = response_to(phones.invite, 200, to_tag="one")
    phones._arrives(response)
    ended = phones.line.a.last(Ended)
    assert (ended.by, ended.status) == ("network", 500)


def test_a_2xx_with_neither_answer_nor_offer() -> None:
    phones = Phones()
    phones.say("one", 200)
    assert phones.line.a.last(Ended).by == "network" and phones.sent() == ["ACK one", "BYE one"]


def test_the_route_set_is_that_of_the_2xx() -> None:
    phones = Phones()
    phones.say("one", 180)
    response = response_to(phones.invite, 200, to_tag="one")
    for name, value in (
        ("Record-Route", "<sip:p2.invalid;lr>, <sip:p1.invalid;lr>"),
        ("Contact", "<sip:one@192.0.2.9>"),
        ("Content-Type", "application/sdp"),
    ):
        response.headers.add(name, value)
    response.body = sdp("answer").encode()
    phones._arrives(response)
    ack = parse(phones.line.flight[-1].data)
    assert [str(route.uri) for route in ack.routes] == ["sip:p1.invalid;lr", "sip:p2.invalid;lr"]
