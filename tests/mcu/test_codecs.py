"""From SDP to the engine's parameters."""

from __future__ import annotations

import pytest

from confero.mcu.pipeline.codecs import FEC_LOSS_PERCENT, receive, transmit
from confero.media import Codec as EngineCodec
from confero.media import CodecParams, PayloadType
from confero.protocols.sdp import Codec


@pytest.mark.parametrize(
    ("fmtp", "bitrate", "fec"),
    [
        (None, 32_000, False),
        ("minptime=10;useinbandfec=1", 32_000, True),
        ("maxaveragebitrate=20000; useinbandfec=0", 20_000, False),
        ("maxaveragebitrate=510000", 32_000, False),
        ("maxaveragebitrate=1", 6_000, False),
        ("maxaveragebitrate=99999999999999999999", 32_000, False),
        ("maxaveragebitrate=-5", 32_000, False),
        ("useinbandfec", 32_000, False),
    ],
)
def test_opus(fmtp: str | None, bitrate: int, fec: bool) -> None:
    params = transmit(Codec(111, "OPUS", 48000, 2, fmtp))
    assert (params.codec, params.bitrate, params.fec) == (EngineCodec.OPUS, bitrate, fec)
    assert params.loss_percent == (FEC_LOSS_PERCENT if fec else 0)


def test_g711() -> None:
    assert transmit(Codec(8, "pcma", 8000)) == CodecParams(codec=EngineCodec.PCMA)
    assert receive((Codec(0, "PCMU", 8000), Codec(96, "opus", 48000, 2))) == (
        PayloadType(0, EngineCodec.PCMU, 8000),
        PayloadType(96, EngineCodec.OPUS, 48000),
    )
