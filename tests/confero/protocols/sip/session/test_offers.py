"""Who owes what: the state of offer and answer, step by step."""

from __future__ import annotations

import pytest

from confero.errors import LocalError
from confero.protocols.sip.session.config import SessionConfig
from confero.protocols.sip.session.offers import Agreed, Offers


def test_an_exchange_each_way() -> None:
    offers = Offers()
    offers.we_offer("o1", "INVITE")
    assert (offers.owing, offers.refusal()) == ("peer", 491)
    offers.they_answer("a1")
    assert offers.agreed == Agreed("o1", "a1", "us") and offers.refusal() is None
    offers.they_offer("o2", "UPDATE")
    assert (offers.owing, offers.refusal()) == ("us", 500)
    offers.we_answer("a2")
    assert offers.agreed == Agreed("a2", "o2", "peer") and "nobody owes" in repr(offers)


def test_never_two_offers() -> None:
    offers = Offers()
    offers.we_offer("o1", "INVITE")
    for deed in (offers.we_offer, offers.they_offer):
        with pytest.raises(LocalError):
            deed("o2", "UPDATE")
    with pytest.raises(LocalError):
        offers.we_answer("a")
    offers.they_answer("a1")
    with pytest.raises(LocalError):
        offers.they_answer("a1")


def test_before_the_first_exchange_the_next_offer_is_due_from_us() -> None:
    assert Offers().refusal() == 491


def test_the_way_back() -> None:
    offers = Offers()
    offers.we_offer("o1", "INVITE")
    offers.they_answer("a1")
    offers.mark()
    assert offers.untouched and not offers.roll_back()
    offers.we_offer("o2", "re-INVITE")
    offers.they_answer("a2")
    assert not offers.untouched and offers.roll_back() and offers.agreed == Agreed("o1", "a1", "us")
    offers.they_offer("o3", "UPDATE")
    offers.withdraw()
    assert not offers.open and offers.agreed == Agreed("o1", "a1", "us")


@pytest.mark.parametrize("wrong", [{"min_se": 60}, {"session_expires": 80}, {"session_expires": 500, "min_se": 600}])
def test_a_configuration_that_cannot_be(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="min_se"):
        SessionConfig("<sip:a@b>", **wrong)  # type: ignore[arg-type]
