"""Synthetic participants: each knows what it says, records what it hears, and puts both on one clock."""

from .baresip import Baresip
from .base import Ear, Member, Recording
from .linphone import Linphone
from .rtp import RtpMember
from .sip import SipMember, baresip_member, room_uri
from .telephone import Line, Telephone
from .webrtc import WebRtcMember

__all__ = [
    "Baresip",
    "Ear",
    "Line",
    "Linphone",
    "Member",
    "Recording",
    "RtpMember",
    "SipMember",
    "Telephone",
    "WebRtcMember",
    "baresip_member",
    "room_uri",
]
