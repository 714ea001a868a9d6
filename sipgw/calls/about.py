"""What is known of a call: for its record, and for the browser in which it is shown."""

from __future__ import annotations

from dataclasses import dataclass, field

from confero.ids import new_id
from confero.models.sip import SipCaller


@dataclass(frozen=True)
class Owner:
    """In whose browser a call is shown: who has made it, or has accepted it."""

    room: str
    participant: str


@dataclass
class About:
    """What is known of a call, for its record."""

    direction: str
    from_uri: str
    to_uri: str
    started_at: float
    id: str = field(default_factory=lambda: new_id("c"))
    caller: SipCaller = field(default_factory=SipCaller)
    trunk: str = ""
    account: str = ""
    room: str = ""
    participant: str = ""
    answered_at: float | None = None
    ended_at: float | None = None
    status: int = 0
    reason: str = ""
    media: dict[str, int | float | str] = field(default_factory=dict)
    mos: float | None = None
    revision: int = 0
