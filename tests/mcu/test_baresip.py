"""A telephone of somebody else, baresip, through a whole MCU: in the clear, by SDES, by DTLS, with and without rtcp-mux."""

from __future__ import annotations

from pathlib import Path

import pytest

from confero import models
from confero.lab.members import Line
from confero.lab.members.telephone import Encryption
from confero.protocols.sdp import parse

from ..support.waiting import until
from .baresip import Caller
from .rig import Rig
from .test_calls import until_hears

HEARD = 4000.0


@pytest.mark.parametrize(
    ("encryption", "mux", "protocol", "security"),
    [
        ("", True, "RTP/AVP", "plain"),
        ("", False, "RTP/AVP", "plain"),
        ("srtp", True, "RTP/AVP", "sdes"),
        ("srtp-mand", False, "RTP/SAVP", "sdes"),
        ("srtp-mandf", True, "RTP/SAVPF", "sdes"),
        ("dtls_srtp", True, "UDP/TLS/RTP/SAVPF", "dtls"),
        ("dtls_srtp", False, "UDP/TLS/RTP/SAVPF", "dtls"),
    ],
)
async def test_it_hears_and_is_heard(
    rig: Rig, tmp_path: Path, encryption: Encryption, mux: bool, protocol: str, security: str
) -> None:
    await rig.room()
    one = await rig.phone("one", 440)
    policy = "optional" if security == "plain" else "required"
    phone = await Caller.call(rig, tmp_path, line=Line(encryption=encryption, rtcp_mux=mux), media_security=policy)
    await until(lambda: phone.leg or phone.refused, "the call")
    assert (phone.refused, parse(phone.answer).media[0].protocol) == ("", protocol)
    await until_hears(one, 1000)
    await until(lambda: phone.levels(440)[0] > HEARD > phone.levels(1000)[0], "440 Hz")
    assert (await rig.stats(phone.leg)).security == security


async def test_nothing_reaches_it_before_its_ack_or_its_voice(rig: Rig, tmp_path: Path) -> None:
    """It talks as soon as it is answered, which proves that it is there."""
    await rig.room()
    await rig.phone("one", 440)
    phone = await Caller.call(rig, tmp_path, confirmed=False)
    await until(lambda: phone.levels(440)[0] > HEARD, "440 Hz")
    assert (await rig.stats(phone.leg)).counters["rx_packets"] > 0


async def test_what_it_offers_in_the_clear_is_refused_where_protection_is_required(rig: Rig, tmp_path: Path) -> None:
    await rig.room()
    phone = await Caller.call(rig, tmp_path, media_security="required")
    await until(lambda: phone.refused, "the refusal")
    assert "not protected" in phone.refused
    assert (await rig.client.call("GET", "/v1/rooms/r1", reply=models.RoomState)).participants == []
