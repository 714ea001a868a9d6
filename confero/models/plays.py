"""What the MCU plays to rooms and legs (2131, /v1/.../play)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from .base import Reply, Request


class ToneStep(Request):
    """Up to two sines for a while, or a pause."""

    ms: int = Field(ge=1, le=60_000)
    hz: list[Annotated[int, Field(ge=20, le=20_000)]] = Field(default_factory=list, max_length=2)
    dbov: list[Annotated[int, Field(ge=3, le=127)]] = Field(default_factory=list, max_length=2)
    """A level for each frequency, -dBov: 3 is a sine of full scale."""


class PlayRequest(Request):
    """POST /v1/rooms/{room}/play and /v1/legs/{leg}/play -> 201 Playing. One of ``file``, ``tone`` and ``steps``."""

    file: str | None = Field(default=None, min_length=1, max_length=128)
    """Name of a sound file in the MCU's ``prompts_dir``: .wav, .opus, .ogg, .flac, .mp3."""
    tone: str | None = Field(default=None, min_length=1, max_length=16)
    """dial, ringing, busy, congestion, entry, exit, beep, or a key of the telephone."""
    steps: list[ToneStep] | None = Field(default=None, min_length=1, max_length=16)
    gain_db: float = Field(default=0.0, ge=-60, le=18)
    loops: int = Field(default=1, ge=0, le=1_000_000)
    """How often it is played; 0: until it is stopped."""

    @model_validator(mode="after")
    def _one(self) -> PlayRequest:
        if sum(source is not None for source in (self.file, self.tone, self.steps)) != 1:
            raise ValueError("one of file, tone and steps is needed")
        return self


class Playing(Reply):
    id: int
    """For DELETE /v1/rooms/{room}/play/{id} and /v1/legs/{leg}/play/{id}; in the event ``played``."""
    seconds: float
    """Of one turn."""
