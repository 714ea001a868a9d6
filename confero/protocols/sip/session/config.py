"""How our side of a call behaves: one value for all calls of an endpoint."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ..timers import Timers

ALLOWED = ("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "PRACK", "UPDATE", "INFO", "REFER", "NOTIFY")
EXTENSIONS = ("100rel", "timer", "replaces", "norefersub")
"""What a Require header may ask of us: RFC 3262, 4028, 3891, 4488."""
LEAST_SESSION_EXPIRES = 90
"""Seconds; RFC 4028 section 4: no session timer is shorter."""
Reliable = Literal["never", "asked", "supported"]
"""Whether our provisional responses are sent reliably: only where the caller requires it; ... or where it can."""


@dataclass(frozen=True)
class SessionConfig:
    """Seconds throughout."""

    contact: str
    """Our Contact header: where requests of the dialog reach us."""
    user_agent: str = ""
    """For User-Agent and Server; "" sends none."""
    reliable: Reliable = "supported"
    """``never`` refuses callers that require it (420)."""
    session_expires: int = 1800
    """The session timer that we ask for (RFC 4028); 0 leaves it to the peer."""
    min_se: int = LEAST_SESSION_EXPIRES
    """Peers may not ask for a shorter one."""
    ring_for: float = 180.0
    """A call that nobody has answered by then is given up: ours by CANCEL, the peer's by 480, or earlier if its Expires says so."""
    answer_within: float = 10.0
    """Then an offer within a call that nobody has answered is refused with 504. UPDATE is to be answered at once (RFC 3311)."""
    subscription: float = 180.0
    """How long a REFER of the peer is reported on at most."""
    info_types: tuple[str, ...] = ("application/media_control+xml",)
    """Content types of INFO that are passed on, besides those of digits."""
    info_packages: tuple[str, ...] = ()
    """INFO packages that are passed on (RFC 6086)."""
    refer: bool = True
    """Whether a peer may ask us to call somebody else."""
    timers: Timers = field(default_factory=Timers)

    def __post_init__(self) -> None:
        """Raises ValueError."""
        if self.min_se < LEAST_SESSION_EXPIRES:
            raise ValueError(f"min_se is {self.min_se} s; RFC 4028 has {LEAST_SESSION_EXPIRES} s as the least")
        if 0 < self.session_expires < self.min_se:
            raise ValueError(f"session_expires ({self.session_expires} s) is below min_se ({self.min_se} s)")

    @property
    def allow(self) -> str:
        return ", ".join(method for method in ALLOWED if method != "REFER" or self.refer)

    @property
    def extensions(self) -> tuple[str, ...]:
        return tuple(e for e in EXTENSIONS if e != "100rel" or self.reliable != "never")
