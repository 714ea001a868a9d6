"""Synthetic participants: each knows what it says, records what it hears, and puts both on one clock."""

from .base import Ear, Member, Recording
from .rtp import RtpMember
from .sip import Line, SipMember
from .webrtc import WebRtcMember

__all__ = ["Ear", "Line", "Member", "Recording", "RtpMember", "SipMember", "WebRtcMember"]
