"""Sound files: found by name only, decoded whatever their format, bounded, and kept."""

from __future__ import annotations

import asyncio
import subprocess
import tomllib
from pathlib import Path

import numpy as np
import pytest

from confero.errors import Refused
from confero.mcu import prompts as prompts_module
from confero.mcu.prompts import RATE, SPEECH, Prompts, decode

from .rig import tones


def make(path: Path, seconds: float = 1.0, *options: str) -> Path:
    """A tone of 440 Hz, at an eighth of full scale, written by ffmpeg."""
    source = f"sine=frequency=440:duration={seconds}:sample_rate=44100"
    command = ["ffmpeg", "-loglevel", "error", "-y", "-f", "lavfi", "-i", source, *options, str(path)]
    subprocess.run(command, check=True)
    return path


@pytest.mark.parametrize("name", ["a.wav", "b.opus", "c.ogg", "d.flac", "e.mp3", "F.WAV"])
def test_formats(tmp_path: Path, name: str) -> None:
    pcm = decode(make(tmp_path / name, 1.0, *(("-c:a", "libopus") if name.endswith(".ogg") else ())))
    assert pcm.dtype == np.int16 and abs(pcm.size - RATE) < RATE / 10
    assert tones(pcm[4800:43200].astype(np.float64), RATE, (440,))[0] == pytest.approx(4096, rel=0.06)


def test_both_sides_of_stereo_are_heard(tmp_path: Path) -> None:
    pcm = decode(make(tmp_path / "s.wav", 0.5, "-af", "pan=stereo|c0=c0|c1=0*c0"))
    assert tones(pcm[4800:19200].astype(np.float64), RATE, (440,))[0] > 1500


@pytest.mark.parametrize(
    "name",
    ["", "../secret.wav", "/etc/passwd", "a/b.wav", ".hidden.wav", "list.m3u8", "noend", "x.wav\n", "absent.wav"],
)
async def test_other_names_lead_nowhere(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "prompts"
    folder.mkdir()
    make(tmp_path / "secret.wav", 0.1)
    (folder / "list.m3u8").write_text("#EXTM3U\n../secret.wav\n")
    with pytest.raises(Refused) as refused:
        await Prompts(folder).load(name)
    assert refused.value.code == "prompt-unknown"


async def test_without_a_folder() -> None:
    with pytest.raises(Refused) as refused:
        await Prompts(None).load("a.wav")
    assert refused.value.code == "prompt-unknown"


@pytest.mark.parametrize("content", [b"", b"RIFF", b"#EXTM3U\n/etc/passwd\n", bytes(5000), b"OggS" + bytes(200)])
@pytest.mark.parametrize("name", ["bad.wav", "bad.opus", "bad.mp3"])
async def test_garbage(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(Refused) as refused:
        await Prompts(tmp_path).load(name)
    assert refused.value.code == "prompt-unreadable"


async def test_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path / "long.wav", 3.0)
    monkeypatch.setattr(prompts_module, "MAX_SECONDS", 2)
    with pytest.raises(Refused, match="longer than 2 s"):
        await Prompts(tmp_path).load("long.wav")
    monkeypatch.setattr(prompts_module, "MAX_BYTES", 1000)
    with pytest.raises(Refused, match="larger"):
        await Prompts(tmp_path).load("long.wav")
    (tmp_path / "dir.wav").mkdir()
    with pytest.raises(Refused):
        await Prompts(tmp_path).load("dir.wav")


async def test_kept_until_it_changes_or_others_need_the_place(tmp_path: Path) -> None:
    prompts = Prompts(tmp_path, kept_seconds=2.5)
    for name in ("a.wav", "b.wav", "c.wav"):
        make(tmp_path / name, 1.0)
    a = await prompts.load("a.wav")
    b = await prompts.load("b.wav")
    assert await prompts.load("a.wav") is a
    await prompts.load("c.wav")  # b was not asked for longest
    assert await prompts.load("a.wav") is a and await prompts.load("b.wav") is not b
    make(tmp_path / "a.wav", 0.5)
    changed = await prompts.load("a.wav")
    assert changed is not a and changed.seconds == pytest.approx(0.5, abs=0.01)
    assert len(await asyncio.gather(*(prompts.load("c.wav") for _ in range(10)))) == 10


SPOKEN = sorted(path.stem for path in SPEECH.glob("*.opus"))


def test_every_text_has_been_spoken() -> None:
    assert sorted([*tomllib.loads((SPEECH / "texts.toml").read_text()), "hold-music"]) == SPOKEN


@pytest.mark.parametrize("name", SPOKEN)
async def test_what_comes_with_confero_is_heard_at_one_level(name: str) -> None:
    assert (await Prompts(None).load(f"{name}.opus")).seconds < 20
    pcm = decode(SPEECH / f"{name}.opus").astype(np.float64) / 32768
    assert len(pcm) / 48_000 > 0.5
    assert -26 < 10 * np.log10(np.mean(pcm**2)) < -20
    assert np.abs(pcm).max() < 0.98


async def test_the_operators_file_is_played_in_place_of_ours(tmp_path: Path) -> None:
    ours = await Prompts(None).load("welcome.opus")
    (tmp_path / "welcome.opus").write_bytes((SPEECH / "goodbye.opus").read_bytes())
    theirs = await Prompts(tmp_path).load("welcome.opus")
    assert theirs.seconds != ours.seconds
    assert theirs.seconds == (await Prompts(None).load("goodbye.opus")).seconds
