"""Sound files that can be played: found by name, decoded beside the event loop, kept while there is room."""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from confero.errors import Refused
from confero.media import Clip

RATE = 48_000
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
"""No separators: a name never leaves the folder."""
FORMATS = {".wav": "wav", ".opus": "ogg", ".ogg": "ogg", ".flac": "flac", ".mp3": "mp3"}
"""By the name's end, and nothing else is tried: some formats are lists of other files."""
MAX_BYTES = 64 * 2**20
MAX_SECONDS = 600
"""As ``confero.media.Clip`` holds: 58 MB decoded."""
KEPT_SECONDS = 1200
"""Of decoded sound, 115 MB; what was not asked for longest goes first."""
DECODERS = 2
"""At once; further ones wait."""

SPEECH = Path(__file__).parent / "speech" / "en"
"""What the menus of the telephone say (tools/make_prompts.py); the operator's files go before."""

Key = tuple[str, int, int]


class Prompts:
    """Over the operator's folder, if there is one, and the one that comes with confero."""

    def __init__(self, folder: Path | None, kept_seconds: float = KEPT_SECONDS) -> None:
        self._folders = (folder, SPEECH) if folder is not None else (SPEECH,)
        self._kept_seconds = kept_seconds
        self._kept: OrderedDict[Key, Clip] = OrderedDict()
        self._decoders = asyncio.Semaphore(DECODERS)

    async def load(self, name: str) -> Clip:
        """The file's sound. Raises Refused ``prompt-unknown``, ``prompt-unreadable``."""
        path = self._find(name)
        async with self._decoders:
            key = await asyncio.to_thread(_key, path)
            clip = self._kept.get(key)
            if clip is None:
                clip = await asyncio.to_thread(_decoded, path)
        self._keep(key, clip)
        return clip

    def _find(self, name: str) -> Path:
        if not NAME.fullmatch(name) or Path(name).suffix.lower() not in FORMATS:
            raise _unknown(name)
        # The last one if it is nowhere: looking at it is what says so.
        return next((path for folder in self._folders if (path := folder / name).is_file()), self._folders[-1] / name)

    def _keep(self, key: Key, clip: Clip) -> None:
        self._kept[key] = clip
        self._kept.move_to_end(key)
        while sum(kept.seconds for kept in self._kept.values()) > self._kept_seconds:
            self._kept.popitem(last=False)


def _unknown(name: str) -> Refused:
    return Refused(f"There is no sound file {name!r}.", status=404, code="prompt-unknown")


def _key(path: Path) -> Key:
    """What a file is known by: a changed one is another."""
    try:
        stat = path.stat()
    except OSError:
        raise _unknown(path.name) from None
    if not path.is_file():
        raise _unknown(path.name)
    if stat.st_size > MAX_BYTES:
        raise Refused(f"{path.name} is larger than {MAX_BYTES // 2**20} MB.", status=422, code="prompt-unreadable")
    return path.name, stat.st_mtime_ns, stat.st_size


def _decoded(path: Path) -> Clip:
    return Clip(decode(path))


def decode(path: Path) -> NDArray[np.int16]:
    """48 kHz mono. Raises Refused ``prompt-unreadable``."""
    try:
        with av.open(str(path), format=FORMATS[path.suffix.lower()]) as container:
            pcm = _samples(container)
    except (FFmpegError, OSError, ValueError) as error:
        raise Refused(f"{path.name} cannot be decoded: {error}", status=422, code="prompt-unreadable") from None
    if not pcm.size or pcm.size > MAX_SECONDS * RATE:
        raise Refused(f"{path.name} is empty or longer than {MAX_SECONDS} s.", status=422, code="prompt-unreadable")
    return pcm


def _samples(container: av.container.InputContainer) -> NDArray[np.int16]:
    """Of the first audio stream; a little more than is allowed where it is longer."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    parts: list[NDArray[np.int16]] = []
    total = 0
    if not container.streams.audio:
        return np.empty(0, np.int16)
    for frame in container.decode(audio=0):
        for part in resampler.resample(frame):
            parts.append(_pcm(part))
            total += parts[-1].size
        if total > MAX_SECONDS * RATE:
            break
    parts += [_pcm(part) for part in resampler.resample(None)]
    return np.concatenate(parts) if parts else np.empty(0, np.int16)


def _pcm(frame: av.AudioFrame) -> NDArray[np.int16]:
    return frame.to_ndarray().reshape(-1).astype(np.int16, copy=False)
