"""Speaks the texts of the telephone menus into sound files, and plays the music of those who wait: espeak-ng for the voice,
PyAV for Opus.

    python -m tools.make_prompts [--check]

makes ``mcu/speech/en/<name>.opus`` from ``texts.toml`` there; ``--check`` only says which files are missing or left over.
The files are committed: who runs confero needs no espeak-ng.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import av
import numpy as np

FOLDER = Path(__file__).parent.parent / "mcu" / "speech" / "en"
RATE = 48_000
BIT_RATE = 24_000
LEVEL_DBOV = -20.0
"""Root mean square of a text, above 0.5 % of full scale; speech in a conference is brought to -23."""
MUSIC_DBOV = -24.0
PEAK = 0.9
SPEAK = ("espeak-ng", "-v", "en-us", "-s", "150", "-p", "45", "-g", "2")
"""Voice, words a minute, pitch, pause between words in 10 ms."""

MUSIC = "hold-music"
"""File of what is heard by who waits; of no language, but operators replace it as they replace texts."""
CHORDS = ((220.0, 261.63, 329.63), (174.61, 220.0, 261.63), (196.0, 246.94, 293.66), (261.63, 329.63, 392.0))
"""Hz: a, F, G, C; low enough for a telephone, high enough for its loudspeaker."""
NOTE_S = 0.5
FADE_S = 1.2
"""Each note has lost two thirds of its loudness after so long."""


def music() -> np.ndarray:
    """Chords note by note, up and down, 48 kHz, -1 to 1, at ``MUSIC_DBOV``; it begins and ends in silence, so that it can go on."""
    notes = [hertz for chord in CHORDS for hertz in (*chord, 2 * chord[0], chord[2], chord[1])]
    step = int(NOTE_S * RATE)
    sound = np.zeros((len(notes) + 5) * step)
    for place, hertz in enumerate(notes):
        t = np.arange(5 * step) / RATE
        rise, fall = np.minimum(1.0, t / 0.02), np.minimum(1.0, (t[-1] - t) / 0.3)
        tone = np.sin(2 * np.pi * hertz * t) + 0.3 * np.sin(4 * np.pi * hertz * t)
        sound[place * step : place * step + len(t)] += tone * np.exp(-t / FADE_S) * rise * fall
    gain: float = 10 ** (MUSIC_DBOV / 20) / np.sqrt(np.mean(sound**2))
    return sound * gain


def texts() -> dict[str, str]:
    return tomllib.loads((FOLDER / "texts.toml").read_text())


def speak(text: str) -> np.ndarray:
    """The voice, 48 kHz, -1 to 1, at ``LEVEL_DBOV``, with 100 ms of silence on either side."""
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        subprocess.run([*SPEAK, "-w", file.name, text], check=True)
        with av.open(file.name) as container:
            resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
            parts = [p.to_ndarray()[0] for f in container.decode(audio=0) for p in resampler.resample(f)]
            parts += [p.to_ndarray()[0] for p in resampler.resample(None)]
    voice = np.concatenate(parts)
    loud = voice[np.abs(voice) > 0.005]
    gain = 10 ** (LEVEL_DBOV / 20) / np.sqrt(np.mean(loud**2))
    voice = voice * min(gain, PEAK / np.max(np.abs(voice)))
    pause = np.zeros(RATE // 10, voice.dtype)
    return np.concatenate([pause, voice, pause])


def write(path: Path, voice: np.ndarray) -> None:
    with av.open(str(path), "w", format="ogg", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("libopus", rate=RATE, layout="mono", bit_rate=BIT_RATE)
        for start in range(0, len(voice), 960):
            piece = np.zeros(960, np.float32)
            part = voice[start : start + 960]
            piece[: len(part)] = part
            frame = av.AudioFrame.from_ndarray(piece.reshape(1, -1), format="flt", layout="mono")
            frame.rate, frame.pts = RATE, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def faults() -> list[str]:
    """Names without a file, and files without a text."""
    wanted, there = {*texts(), MUSIC}, {path.stem for path in FOLDER.glob("*.opus")}
    return [f"{name}: no file" for name in sorted(wanted - there)] + [f"{n}: no text" for n in sorted(there - wanted)]


def main() -> int:
    if "--check" in sys.argv[1:]:
        found = faults()
        print("\n".join(found) or "all texts have their files")
        return 1 if found else 0
    for path in FOLDER.glob("*.opus"):
        path.unlink()
    for name, text in texts().items():
        write(FOLDER / f"{name}.opus", speak(text))
    write(FOLDER / f"{MUSIC}.opus", music())
    print(f"{len(texts()) + 1} files in {FOLDER}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
