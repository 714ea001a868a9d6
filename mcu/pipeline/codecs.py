"""From what SDP agreed on to what the engine codes."""

from __future__ import annotations

from dataclasses import replace

from confero.media import RED_AUTO, CodecParams, PayloadType, ptimes
from confero.media import Codec as EngineCodec
from confero.protocols.sdp import Agreement, Codec, Redundancy

CODECS = {
    "opus": EngineCodec.OPUS,
    "g722": EngineCodec.G722,
    "pcmu": EngineCodec.PCMU,
    "pcma": EngineCodec.PCMA,
    "l16": EngineCodec.L16,
}

PTIME_MS = 20
"""Where the peer wishes for nothing."""
OPUS_BITRATE = 32_000
"""bit/s. Legs with equal parameters share one encoding, so few legs should differ."""
OPUS_LEAST = 6_000
OPUS_RATES = (8000, 12000, 16000, 24000, 48000)
"""What its five bands are for (RFC 6716 section 2)."""
FEC_LOSS_PERCENT = 10
"""What Opus prepares for where the peer wants in-band FEC: libopus spends nothing on FEC at an expected loss of 0."""


REDUNDANT: dict[Redundancy, int] = {"off": 0, "auto": RED_AUTO, "always": 1}
"""Earlier payloads that go along (RFC 2198). One mends single losses; from there on loss decides."""
RX_MAX = 8
"""Payload types of a leg that the engine tells apart."""


def transmit(agreed: Agreement, *, low_delay: bool = False) -> CodecParams:
    """How to send to the peer of this agreement. ``low_delay``: Opus without its speech layer, see ``McuConfig``."""
    codec, kind = agreed.send, CODECS[agreed.send.name.lower()]
    rate = codec.clock_rate if kind is EngineCodec.L16 else 0
    ptime = _ptime(ptimes(kind, rate), agreed.ptime, agreed.maxptime)
    if kind is EngineCodec.OPUS:
        return replace(_opus(codec, ptime), low_delay=low_delay)
    return CodecParams(codec=kind, ptime_ms=ptime, rate=rate)


def _ptime(possible: tuple[int, ...], wished: int | None, most: int | None) -> int:
    """The longest that is no longer than wished for and allowed; the shortest where we have none so short."""
    limit = min(wished or PTIME_MS, most or possible[-1])
    return max((ptime for ptime in possible if ptime <= limit), default=possible[0])


def _opus(codec: Codec, ptime: int) -> CodecParams:
    """RFC 7587 section 6.1. ``stereo=1`` is a wish that mono fulfils as well: what we send is a mix in mono, and a second
    channel of it would only cost the sharing of one encoding."""
    wishes = codec.parameters()
    fec = wishes.get("useinbandfec") == "1"
    bitrate = min(OPUS_BITRATE, _number(wishes.get("maxaveragebitrate"), OPUS_BITRATE))
    playback = _number(wishes.get("maxplaybackrate"), OPUS_RATES[-1])
    minptime = _number(wishes.get("minptime"), 0)
    possible = ptimes(EngineCodec.OPUS)
    return CodecParams(
        codec=EngineCodec.OPUS,
        ptime_ms=max(ptime, min((p for p in possible if p >= minptime), default=possible[-1])),
        bitrate=max(OPUS_LEAST, bitrate),
        fec=fec,
        loss_percent=FEC_LOSS_PERCENT if fec else 0,
        rate=min((rate for rate in OPUS_RATES if rate >= playback), default=OPUS_RATES[-1]),
    )


def _number(value: str | None, default: int) -> int:
    """A parameter that should be a number; what is none, or absurd, says nothing."""
    return int(value) if value and value.isascii() and value.isdigit() and len(value) < 8 else default


def wants_dtx(codec: Codec) -> bool:
    """Whether the peer likes to be sent nothing while there is nothing to hear (RFC 7587 section 6.1)."""
    return codec.name.lower() == "opus" and codec.parameters().get("usedtx") == "1"


def receive(agreed: Agreement) -> tuple[PayloadType, ...]:
    """What payload types mean when the peer sends them."""
    found = [PayloadType(codec.pt, CODECS[codec.name.lower()], codec.clock_rate) for codec in agreed.receive]
    if agreed.red is not None:
        found.append(PayloadType(agreed.red.pt, EngineCodec.RED, agreed.red.clock_rate))
    found += [PayloadType(codec.pt, EngineCodec.EVENT, codec.clock_rate) for codec in agreed.receive_events]
    found += [PayloadType(codec.pt, EngineCodec.CN, codec.clock_rate) for codec in agreed.receive_noise]
    return tuple(found[:RX_MAX])


def extras_stay(agreed: Agreement, before: Agreement) -> bool:
    """Whether digits, redundancy and comfort noise go on as they were agreed; digits and redundancy that are no longer mentioned
    do no harm."""
    same_noise = agreed.noise == before.noise  # sent unasked
    return same_noise and agreed.events in (None, before.events) and agreed.red in (None, before.red)


def events_to_send(agreed: Agreement) -> int:
    """The payload type under which the peer takes digits; 0: it takes none on the clock of what it is sent."""
    events = agreed.events
    return events.pt if events is not None and events.clock_rate == agreed.send.clock_rate else 0
