"""G.711 mu-law for whole arrays, so that lab phones do not depend on the engine they test (ITU-T G.711)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

BIAS = 33 << 2
CLIP = 32635


def ulaw_encode(samples: npt.NDArray[np.int16]) -> bytes:
    """16-bit samples to mu-law octets."""
    wide = samples.astype(np.int32)
    sign = np.where(wide < 0, 0x80, 0)
    magnitude = np.minimum(np.abs(wide), CLIP) + BIAS
    exponent = np.floor(np.log2(magnitude)).astype(np.int32) - 7
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    code = ~(sign | exponent << 4 | mantissa) & 0xFF
    return bytes(code.astype(np.uint8).tobytes())


def ulaw_decode(payload: bytes) -> npt.NDArray[np.int16]:
    """mu-law octets to 16-bit samples."""
    code = ~np.frombuffer(payload, dtype=np.uint8).astype(np.int32) & 0xFF
    magnitude = (((code & 0x0F) << 3) + BIAS << ((code >> 4) & 7)) - BIAS
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)
