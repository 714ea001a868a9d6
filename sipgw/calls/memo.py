"""What is to be known of an established call to go on with it after a restart of the gateway."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from confero.models import MediaSecurity
from confero.models.sip import SipCaller, SipPlace
from confero.protocols.sip.target import Transport


class Flow(BaseModel):
    """Where the peer is known to be. Its connection, if it was one, has ended with the process."""

    transport: Transport
    host: str
    port: int


class Facts(BaseModel):
    """Of ``About``, what its record needs."""

    model_config = ConfigDict(from_attributes=True)

    direction: str
    from_uri: str
    to_uri: str
    started_at: float
    id: str
    caller: SipCaller
    trunk: str
    account: str
    answered_at: float | None
    revision: int


class Memo(BaseModel):
    """A line of the journal."""

    session: dict[str, Any]
    """As ``InviteSession.to_json`` has it."""
    contact: str
    """Ours: the peer sends its requests there, and the process that follows listens there."""
    flow: Flow | None
    place: SipPlace
    leg: str
    security: MediaSecurity
    symmetric: bool
    owner: tuple[str, str] | None
    """Room and participant in whose browser the call is shown."""
    partner: str
    """The call that this one is connected to, or nothing."""
    menu: str | None
    """A call in the menu begins it again; of which number, if only a PIN is asked."""
    facts: Facts
