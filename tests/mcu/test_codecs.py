"""From SDP to the engine's parameters."""

from __future__ import annotations

from dataclasses import replace

import pytest

from confero.mcu.pipeline.codecs import FEC_LOSS_PERCENT, events_to_send, extras_stay, receive, transmit
from confero.media import Codec as EngineCodec
from confero.media import CodecParams, PayloadType
from confero.protocols.sdp import Agreement, Codec, Session
from confero.protocols.sdp.model import Origin


def agreed(codec: Codec, ptime: int | None = None, maxptime: int | None = None) -> Agreement:
    description = Session(origin=Origin("-", 1, 1, "192.0.2.1", 4))
    return Agreement(description, 0, codec, (codec,), None, "sendrecv", ptime, maxptime)


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
    params = transmit(agreed(Codec(111, "OPUS", 48000, 2, fmtp)))
    assert (params.codec, params.bitrate, params.fec) == (EngineCodec.OPUS, bitrate, fec)
    assert params.loss_percent == (FEC_LOSS_PERCENT if fec else 0)


def test_g711() -> None:
    assert transmit(agreed(Codec(8, "pcma", 8000))) == CodecParams(codec=EngineCodec.PCMA)
    both = (Codec(0, "PCMU", 8000), Codec(96, "opus", 48000, 2))
    assert receive(replace(agreed(both[0]), receive=both)) == (
        PayloadType(0, EngineCodec.PCMU, 8000),
        PayloadType(96, EngineCodec.OPUS, 48000),
    )


@pytest.mark.parametrize(
    ("fmtp", "rate"),
    [
        (None, 48_000),
        ("maxplaybackrate=8000", 8_000),
        ("maxplaybackrate=16000;stereo=1", 16_000),
        ("maxplaybackrate=11025", 12_000),
        ("maxplaybackrate=44100", 48_000),
        ("maxplaybackrate=96000", 48_000),
        ("maxplaybackrate=0", 8_000),
        ("maxplaybackrate=-1", 48_000),
        ("maxplaybackrate=wide", 48_000),
    ],
)
def test_opus_is_as_wide_as_the_peer_plays(fmtp: str | None, rate: int) -> None:
    params = transmit(agreed(Codec(111, "opus", 48000, 2, fmtp)))
    assert (params.rate, params.channels) == (rate, 0)


OPUS, PCMU, G722 = Codec(111, "opus", 48000, 2), Codec(0, "PCMU", 8000), Codec(9, "G722", 8000)


def l16(rate: int) -> Codec:
    return Codec(97, "L16", rate)


@pytest.mark.parametrize(
    ("codec", "ptime", "maxptime", "sent"),
    [
        (PCMU, None, None, 20),
        (PCMU, 30, None, 30),
        (PCMU, 50, None, 40),
        (PCMU, 200, None, 60),
        (PCMU, 5, None, 10),
        (PCMU, 60, 40, 40),
        (PCMU, None, 10, 10),
        (G722, 60, None, 60),
        (OPUS, 30, None, 20),
        (OPUS, 120, None, 60),
        (OPUS, None, 60, 20),
        (replace(OPUS, fmtp="minptime=40"), None, None, 40),
        (replace(OPUS, fmtp="minptime=10"), 10, None, 10),
        (replace(OPUS, fmtp="minptime=999"), None, None, 60),
        (l16(8000), 60, None, 60),
        (l16(16000), 60, None, 40),
        (l16(24000), 60, None, 20),
        (l16(48000), None, None, 10),
    ],
)
def test_packets_are_as_long_as_the_peer_likes(
    codec: Codec, ptime: int | None, maxptime: int | None, sent: int
) -> None:
    assert transmit(agreed(codec, ptime, maxptime)).ptime_ms == sent


@pytest.mark.parametrize("rate", [8000, 16000, 24000, 48000])
def test_l16_at_any_rate(rate: int) -> None:
    assert transmit(agreed(l16(rate))).rate == rate
    assert receive(agreed(l16(rate))) == (PayloadType(97, EngineCodec.L16, rate),)


def test_g722_has_the_clock_of_its_standard() -> None:
    """RFC 3551 section 4.5.2: 8000, though it samples at 16 kHz."""
    assert receive(agreed(G722)) == (PayloadType(9, EngineCodec.G722, 8000),)


def test_digits_and_redundancy_beside_the_codec() -> None:
    opus, red = Codec(111, "opus", 48000, 2), Codec(63, "red", 48000, 2, "111/111")
    fast, slow = Codec(110, "telephone-event", 48000), Codec(126, "telephone-event", 8000)
    both = replace(agreed(opus), events=fast, receive_events=(fast,), red=red)
    assert receive(both) == (
        PayloadType(111, EngineCodec.OPUS, 48000),
        PayloadType(63, EngineCodec.RED, 48000),
        PayloadType(110, EngineCodec.EVENT, 48000),
    )
    assert events_to_send(both) == 110
    assert events_to_send(replace(both, events=slow)) == 0, "its clock is not the stream's"
    assert events_to_send(agreed(opus)) == 0
    many = replace(both, receive_events=tuple(replace(fast, pt=pt) for pt in range(96, 110)))
    assert len(receive(many)) == 8


def test_what_a_new_offer_may_leave_out() -> None:
    opus, events = Codec(111, "opus", 48000, 2), Codec(110, "telephone-event", 48000)
    before = replace(agreed(opus), events=events)
    assert extras_stay(agreed(opus), before) and extras_stay(before, before)
    assert not extras_stay(replace(before, events=replace(events, pt=99)), before)
    assert not extras_stay(replace(before, red=Codec(63, "red", 48000, 2)), before)


def test_low_delay_is_for_opus_alone() -> None:
    assert transmit(agreed(Codec(111, "opus", 48000, 2)), low_delay=True).low_delay
    assert not transmit(agreed(Codec(111, "opus", 48000, 2))).low_delay
    assert not transmit(agreed(Codec(0, "PCMU", 8000)), low_delay=True).low_delay
