"""The wire models: every JSON body between services and to browsers, in one place (docs/wire.md tells the story).

Requests forbid unknown fields, so that a misspelt name is an error; replies and events ignore them, so that versions can differ.
Ids are opaque strings made by ``confero.ids``. Times are Unix seconds. Levels are -dBov (0 loud, 127 silent).
"""

from .base import DEFAULT_TALKERS, CodecName, DisplayName, Id, Noise, Problem, Reply, Request, Role, Sdp, Token
from .digits import CollectRequest, Digit, Digits, DigitsSend
from .events import (
    ClosedEvent,
    DigitEvent,
    LeftEvent,
    ParticipantEvent,
    PlayedEvent,
    RenegotiateEvent,
    RoomEvent,
    RosterEvent,
    SpeakersEvent,
)
from .joining import IceServer, JoinReply, JoinRequest, RoomCreate, RoomInfo
from .legs import LegCreate, LegPatch, LegReply, LegSdp, LegStats, PairGain, RtpLegCreate, WebRtcLegCreate
from .mcus import LegRecord, McuHeartbeat, McuRegister
from .people import ActiveSpeaker, Participant
from .plays import Playing, PlayRequest, ToneStep
from .rooms import RoomSpec, RoomState, RoomStats
from .services import McuStarted, Publish, RoomPlacement, SessionNotice, SessionsSnapshot, TokenCheck, TokenGrant
from .signalling import Answer, ClientMessage, ErrorReply, Hello, Leave, Mute, Offer, Ok, Ping, Welcome

__all__ = [
    "DEFAULT_TALKERS",
    "ActiveSpeaker",
    "Answer",
    "ClientMessage",
    "ClosedEvent",
    "CodecName",
    "CollectRequest",
    "Digit",
    "DigitEvent",
    "Digits",
    "DigitsSend",
    "DisplayName",
    "ErrorReply",
    "Hello",
    "IceServer",
    "Id",
    "JoinReply",
    "JoinRequest",
    "Leave",
    "LeftEvent",
    "LegCreate",
    "LegPatch",
    "LegRecord",
    "LegReply",
    "LegSdp",
    "LegStats",
    "McuHeartbeat",
    "McuRegister",
    "McuStarted",
    "Mute",
    "Noise",
    "Offer",
    "Ok",
    "PairGain",
    "Participant",
    "ParticipantEvent",
    "Ping",
    "PlayRequest",
    "PlayedEvent",
    "Playing",
    "Problem",
    "Publish",
    "RenegotiateEvent",
    "Reply",
    "Request",
    "Role",
    "RoomCreate",
    "RoomEvent",
    "RoomInfo",
    "RoomPlacement",
    "RoomSpec",
    "RoomState",
    "RoomStats",
    "RosterEvent",
    "RtpLegCreate",
    "Sdp",
    "SessionNotice",
    "SessionsSnapshot",
    "SpeakersEvent",
    "Token",
    "TokenCheck",
    "TokenGrant",
    "ToneStep",
    "WebRtcLegCreate",
    "Welcome",
]
