"""The Python face of the C media library: the engine, its ports and addresses, and what crosses between them."""

from __future__ import annotations

from ._convert import build_info
from .addresses import Advertised
from .clip import Clip, ToneStep, named_tone, tone
from .engine import ALL_TALKERS, Engine
from .errors import (
    BindError,
    DuplicateId,
    EngineBusy,
    EngineClosed,
    EngineError,
    EngineFull,
    NoPortFree,
    OtherThread,
    StillInUse,
    UnknownId,
)
from .tap import Tap
from .types import (
    RED_AUTO,
    Address,
    Codec,
    CodecParams,
    EngineConfig,
    Event,
    EventType,
    JitterBuffer,
    LegConfig,
    LegKind,
    LegStats,
    PayloadType,
    RtpSockets,
    Speaker,
    SrtpKeys,
    SrtpProfile,
    TapPoint,
    TcpRole,
    ptimes,
)

__all__ = [
    "ALL_TALKERS",
    "RED_AUTO",
    "Address",
    "Advertised",
    "BindError",
    "Clip",
    "Codec",
    "CodecParams",
    "DuplicateId",
    "Engine",
    "EngineBusy",
    "EngineClosed",
    "EngineConfig",
    "EngineError",
    "EngineFull",
    "Event",
    "EventType",
    "JitterBuffer",
    "LegConfig",
    "LegKind",
    "LegStats",
    "NoPortFree",
    "OtherThread",
    "PayloadType",
    "RtpSockets",
    "Speaker",
    "SrtpKeys",
    "SrtpProfile",
    "StillInUse",
    "Tap",
    "TapPoint",
    "TcpRole",
    "ToneStep",
    "UnknownId",
    "build_info",
    "named_tone",
    "ptimes",
    "tone",
]
