"""From what SDP agreed on to what the engine codes."""

from __future__ import annotations

from confero.media import Codec as EngineCodec
from confero.media import CodecParams, PayloadType
from confero.protocols.sdp import Codec

CODECS = {"opus": EngineCodec.OPUS, "pcmu": EngineCodec.PCMU, "pcma": EngineCodec.PCMA}

OPUS_BITRATE = 32_000
"""bit/s. Legs with equal parameters share one encoding, so few legs should differ."""
OPUS_LEAST = 6_000
FEC_LOSS_PERCENT = 10
"""What Opus prepares for where the peer wants in-band FEC: libopus spends nothing on FEC at an expected loss of 0."""


def transmit(codec: Codec) -> CodecParams:
    """How to send to a peer that takes this codec (RFC 7587 section 6.1 for the parameters)."""
    kind = CODECS[codec.name.lower()]
    if kind is not EngineCodec.OPUS:
        return CodecParams(codec=kind)
    wishes = codec.parameters()
    fec = wishes.get("useinbandfec") == "1"
    limit = wishes.get("maxaveragebitrate", "")
    bitrate = min(OPUS_BITRATE, int(limit)) if limit.isascii() and limit.isdigit() and len(limit) < 8 else OPUS_BITRATE
    return CodecParams(
        codec=kind, bitrate=max(OPUS_LEAST, bitrate), fec=fec, loss_percent=FEC_LOSS_PERCENT if fec else 0
    )


def wants_dtx(codec: Codec) -> bool:
    """Whether the peer likes to be sent nothing while there is nothing to hear (RFC 7587 section 6.1)."""
    return codec.name.lower() == "opus" and codec.parameters().get("usedtx") == "1"


def receive(codecs: tuple[Codec, ...]) -> tuple[PayloadType, ...]:
    """What payload types mean when the peer sends them."""
    return tuple(PayloadType(codec.pt, CODECS[codec.name.lower()], codec.clock_rate) for codec in codecs)
