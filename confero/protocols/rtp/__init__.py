"""RTP for tools and tests: fixed headers and payloads (RFC 3550). The engine has its own in C."""

from .packet import RtpError, RtpPacket

__all__ = ["RtpError", "RtpPacket"]
