"""Max-Forwards across the gateway."""

from __future__ import annotations

import pytest

from confero.protocols.sip.errors import SipError
from confero.protocols.sip.hops import hops_left

from .layers import Driven
from .messages import request


@pytest.mark.parametrize(("value", "left"), [("70", 69), ("1", 0), ("255", 254), (None, 70)])
def test_a_leg_further(value: str | None, left: int) -> None:
    message = request("INVITE")
    message.headers.remove("Max-Forwards")
    if value is not None:
        message.headers.set("Max-Forwards", value)
    assert hops_left(message) == left


def test_no_further() -> None:
    message = request("INVITE")
    message.headers.set("Max-Forwards", "0")
    with pytest.raises(SipError) as caught:
        hops_left(message)
    assert caught.value.status == 483
    # What ends here has come far enough.
    Driven().opened(message)
