"""What is written reads back equal, and looks as RFC 8866 wants it."""

from __future__ import annotations

from pathlib import Path

import pytest

from confero.protocols.sdp import parse, write

DATA = Path(__file__).parents[3] / "data" / "sdp"


@pytest.mark.parametrize("path", sorted(p for p in DATA.glob("*.sdp") if ".broken" not in p.name), ids=lambda p: p.stem)
def test_round_trip(path: Path) -> None:
    session = parse(path.read_bytes())
    text = write(session)
    assert parse(text) == session
    assert write(parse(text)) == text


def test_a_phones_offer_comes_back_word_for_word() -> None:
    text = "\r\n".join(
        (
            "v=0",
            "o=phone 20 3 IN IP4 192.0.2.7",
            "s=call",
            "c=IN IP4 192.0.2.7",
            "b=AS:80",
            "t=0 0",
            "m=audio 9000/2 RTP/AVP 8 101",
            "a=sendonly",
            "a=silenceSupp:off - - - -",
            "a=rtcp:9001 IN IP4 192.0.2.8",
            "a=rtpmap:8 PCMA/8000",
            "a=rtpmap:101 telephone-event/8000",
            "a=fmtp:101 0-16",
            "a=ptime:20",
            "",
        )
    )
    assert write(parse(text)) == text
