"""Speech to be judged by: sentences of espeak-ng at 48 kHz, and PESQ (ITU-T P.862.2) as the ear."""

from __future__ import annotations

import functools
import io
import subprocess
import wave

import numpy as np
import numpy.typing as npt
from pesq import pesq

RATE, WIDE_BAND = 48_000, 16_000
LEVEL_DBOV = -26.0

Pcm = npt.NDArray[np.int16]

VOICES = ("en-us", "en-gb+f3", "de+m3", "fr+f2", "es+m1", "en-us+f5")
SENTENCES = (
    "The birch canoe slid on the smooth planks. Glue the sheet to the dark blue background. It is easy to tell the depth.",
    "These days a chicken leg is a rare dish. Rice is often served in round bowls. The juice of lemons makes fine punch.",
    "Der Nordwind und die Sonne stritten sich, wer von ihnen beiden wohl der Stärkere wäre, als ein Wanderer des Weges kam.",
    "La bise et le soleil se disputaient, chacun assurant qu'il était le plus fort, quand ils ont vu un voyageur.",
    "El viento norte y el sol discutían sobre cuál de ellos era el más fuerte, cuando pasó un viajero.",
    "Four hours of steady work faced us. A large size in stockings is hard to sell. The boy was there when the sun rose.",
)


def resampled(pcm: npt.NDArray[np.float64], rate: int, to: int) -> npt.NDArray[np.float64]:
    """By its spectrum, exactly; for whole recordings."""
    n = len(pcm) * to // rate
    spectrum = np.fft.rfft(pcm)
    out = np.zeros(n // 2 + 1, complex)
    keep = min(len(out), len(spectrum))
    out[:keep] = spectrum[:keep]
    return np.asarray(np.fft.irfft(out, n) * to / rate)


@functools.cache
def speech(number: int) -> Pcm:
    """Whole frames of 20 ms; half a second of silence around it."""
    voice, sentence = VOICES[number % len(VOICES)], SENTENCES[number % len(SENTENCES)]
    said = subprocess.run(
        ["espeak-ng", "-v", voice, "-s", "150", "--stdout", sentence], check=True, capture_output=True, timeout=60
    ).stdout
    with wave.open(io.BytesIO(said)) as file:
        rate = file.getframerate()
        pcm = np.frombuffer(file.readframes(file.getnframes()), np.int16).astype(np.float64)
    wide = resampled(pcm, rate, RATE)
    wide *= 10 ** (LEVEL_DBOV / 20) * 32_768 / np.sqrt((wide**2).mean())
    wide = np.concatenate([np.zeros(RATE // 2), wide, np.zeros(RATE // 2)])
    wide = np.pad(wide, (0, -len(wide) % 960))
    return np.asarray(np.clip(np.rint(wide), -32_768, 32_767).astype(np.int16))


def mos(reference: Pcm, heard: Pcm) -> float:
    """MOS-LQO, wide band; PESQ finds the delay by itself."""
    low = [resampled(x.astype(np.float64), RATE, WIDE_BAND).astype(np.float32) for x in (reference, heard)]
    return float(pesq(WIDE_BAND, low[0], low[1], "wb"))
