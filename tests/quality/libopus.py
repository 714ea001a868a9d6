"""libopus itself, called as it is: the judge beside which confero's own way to it is heard."""

from __future__ import annotations

import ctypes
import ctypes.util
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

RATE, FRAME = 48_000, 960
APPLICATION_VOIP = 2048
SET_BITRATE, SET_VBR, SET_COMPLEXITY, SET_INBAND_FEC, SET_PACKET_LOSS = 4002, 4006, 4010, 4012, 4014
PACKET_MAX = 1_275

Pcm = npt.NDArray[np.int16]

_name = ctypes.util.find_library("opus")
assert _name, "libopus is a dependency of the core"
_opus = ctypes.CDLL(_name)
_opus.opus_encoder_create.restype = _opus.opus_decoder_create.restype = ctypes.c_void_p


def _pointer(pcm: Pcm) -> ctypes.c_void_p:
    return ctypes.c_void_p(pcm.ctypes.data)


def encode(pcm: Pcm, *, bitrate: int = 32_000, complexity: int = 9, fec: bool = False, loss: int = 0) -> list[bytes]:
    """20 ms packets, mono, variable bit rate."""
    error = ctypes.c_int()
    encoder = ctypes.c_void_p(_opus.opus_encoder_create(RATE, 1, APPLICATION_VOIP, ctypes.byref(error)))
    assert error.value == 0
    for request, value in (
        (SET_BITRATE, bitrate),
        (SET_VBR, 1),
        (SET_COMPLEXITY, complexity),
        (SET_INBAND_FEC, int(fec)),
        (SET_PACKET_LOSS, loss),
    ):
        assert _opus.opus_encoder_ctl(encoder, request, ctypes.c_int(value)) == 0
    packets = []
    out = ctypes.create_string_buffer(PACKET_MAX)
    for at in range(0, len(pcm) - FRAME + 1, FRAME):
        frame = np.ascontiguousarray(pcm[at : at + FRAME])
        size = _opus.opus_encode(encoder, _pointer(frame), FRAME, out, PACKET_MAX)
        assert size > 0
        packets.append(out.raw[:size])
    _opus.opus_encoder_destroy(encoder)
    return packets


def decode(packets: Sequence[bytes], lost: Sequence[bool] | None = None) -> Pcm:
    """With a buffer that always knows what comes next: a lost packet is rebuilt from its successor's FEC if that came and
    has some, else concealed.

    libopus does so by itself: asked for FEC that is not there, it conceals.
    """
    error = ctypes.c_int()
    decoder = ctypes.c_void_p(_opus.opus_decoder_create(RATE, 1, ctypes.byref(error)))
    assert error.value == 0
    gone = list(lost) if lost is not None else [False] * len(packets)
    out = np.zeros(len(packets) * FRAME, np.int16)
    for i, packet in enumerate(packets):
        at = ctypes.c_void_p(out.ctypes.data + i * FRAME * 2)
        if not gone[i]:
            n = _opus.opus_decode(decoder, packet, len(packet), at, FRAME, 0)
        elif i + 1 < len(packets) and not gone[i + 1]:
            n = _opus.opus_decode(decoder, packets[i + 1], len(packets[i + 1]), at, FRAME, 1)
        else:
            n = _opus.opus_decode(decoder, None, 0, at, FRAME, 0)
        assert n == FRAME
    _opus.opus_decoder_destroy(decoder)
    return out
