"""What a call's leg knows of hold when it is made anew elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from confero.models import LegReply, RoomSpec, RtpLegCreate
from confero.models.sip import SipPlace
from confero.sipgw.calls.media import MediaLeg, Terms, takes_media

HEAD = "v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\nm=audio 9000 RTP/AVP 0\r\n"
HELD = HEAD + "a=sendonly\r\n"
PLACE = SipPlace(
    participant="p_1", display_name="Phone", role="guest", room="r", spec=RoomSpec(), mcu="m",
    mcu_url="http://192.0.2.1:2131", reserved_until=0.0,
)  # fmt: skip


class Mcu:
    """Keeps what it is asked for."""

    def __init__(self) -> None:
        self.wishes: list[RtpLegCreate] = []

    def at(self, url: str) -> Mcu:
        return self

    async def open_leg(self, room: str, spec: RoomSpec, body: RtpLegCreate) -> LegReply:
        self.wishes.append(body)
        return LegReply(leg=f"leg{len(self.wishes)}", participant=body.participant, room=room, sdp=HEAD, people=1)

    async def answer_offer(self, leg: str, offer: str) -> LegReply:
        return LegReply(leg=leg, participant="p_1", room="r", sdp=HEAD, people=1)


async def leg(first: str, *later: str) -> tuple[Mcu, MediaLeg]:
    there: Any = Mcu()
    made = MediaLeg(there, Terms(owner="gw"))
    await made.open(PLACE, first, confirmed=True)
    for offer in later:
        await made.answer(offer)
    return there, made


async def test_a_telephone_on_hold_is_known_to_be_at_its_next_leg() -> None:
    there, media = await leg(HEAD, HELD)
    await media.open(PLACE, None, confirmed=True)
    await media.prepare(PLACE)
    assert [wish.has_listened for wish in there.wishes[1:]] == [True, True]


async def test_a_player_stays_one() -> None:
    there, media = await leg(HELD, HELD)
    await media.open(PLACE, None, confirmed=True)
    assert [wish.has_listened for wish in there.wishes] == [False, False]


@pytest.mark.parametrize(
    ("description", "takes"),
    [
        (HEAD, True),
        (HEAD + "a=recvonly\r\n", True),
        (HELD, False),
        (HEAD + "a=inactive\r\n", False),
        (HEAD.replace("c=IN IP4 192.0.2.7", "c=IN IP4 0.0.0.0"), False),
        (HEAD.replace("c=IN IP4 192.0.2.7", "c=IN IP4 0.0.0.0") + "a=ice-ufrag:abcd\r\n", True),
    ],
)
def test_who_takes_media(description: str, takes: bool) -> None:
    assert takes_media(description) is takes
