"""One stream through a jitter buffer as legs have it, with arrivals of one's own choice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from confero.media._core import ffi, lib

FRAME = 960
FRAME_NS = 20_000_000
OPUS, PCMU = 3, 1

Pcm = npt.NDArray[np.int16]


@dataclass(frozen=True)
class Played:
    pcm: Pcm
    stats: dict[str, int]


def play(
    payloads: Sequence[bytes],
    arrivals: Sequence[float | None],
    *,
    codec: int = OPUS,
    phase_ms: float = 7.0,
    extra_frames: int = 10,
) -> Played:
    """``arrivals`` in ms after the stream's start, None: lost; packets of 20 ms. Frames are taken from ``phase_ms`` on."""
    clock = 48_000 if codec == OPUS else 8_000
    came = sorted((at, i) for i, at in enumerate(arrivals) if at is not None)
    packets = ffi.new("cf_oneshot_packet[]", max(len(came), 1))
    starts = np.cumsum([0, *(len(payload) for payload in payloads)])
    for packet, (at, i) in zip(packets, came, strict=False):
        packet.arrival = round(at * 1e6)
        packet.seq, packet.ts, packet.ssrc = i & 0xFFFF, i * clock // 50 & 0xFFFFFFFF, 1
        packet.at, packet.len = int(starts[i]), len(payloads[i])
    data = ffi.new("uint8_t[]", b"".join(payloads))
    stream = ffi.new("cf_oneshot_stream *")
    stream.codec, stream.clock_rate = codec, clock
    stream.packets, stream.count = packets, len(came)
    stream.payloads, stream.bytes = data, int(starts[-1])
    stream.start, stream.frames = round(phase_ms * 1e6), len(payloads) + extra_frames
    pcm = np.zeros(int(stream.frames) * FRAME, np.int16)
    stats = ffi.new("cf_playout_stats *")
    assert lib.cf_oneshot_play(stream, ffi.from_buffer("int16_t[]", pcm), stats) == 0
    names = [name for name, _ in ffi.typeof("cf_playout_stats").fields]
    return Played(pcm, {name: int(getattr(stats, name)) for name in names})
