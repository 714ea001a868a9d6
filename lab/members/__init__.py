"""Synthetic participants: each knows what it says, records what it hears, and puts both on one clock."""

from .base import Member, Recording
from .rtp import RtpMember
from .webrtc import WebRtcMember

__all__ = ["Member", "Recording", "RtpMember", "WebRtcMember"]
