"""What is to be known of an established call to go on with it after a restart of the gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from confero.models import MediaSecurity
from confero.models.sip import SipCaller, SipPlace
from confero.protocols.sip.target import Transport

if TYPE_CHECKING:
    from .call import Call


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
    near: str = ""
    """The host that the peer's signalling comes from."""
    owner: tuple[str, str] | None
    """Room and participant in whose browser the call is shown."""
    partner: str
    """The call that this one is connected to, or nothing."""
    menu: str | None
    """A call in the menu begins it again; of which number, if only a PIN is asked."""
    menu_host: bool = False
    """... that of hosts."""
    facts: Facts


def mark_of(call: Call) -> object | None:
    """What a memo would tell, in short: another mark, another memo. None: there is nothing to go on with."""
    if not call.driver.begun or not call.media.leg:
        return None
    session, media = call.driver.session, call.media
    dialog = session.dialog
    if session.phase != "established" or dialog is None:
        return None
    where = media.leg, media.place.room, media.near, call.owner, call.partner
    return dialog.local_seq, dialog.remote_seq, dialog.target, session.agreed, where


def memo_of(call: Call) -> Memo:
    """Of an established call."""
    flow, session, media = call.driver.flow, call.driver.session, call.media
    return Memo(
        session=session.to_json(),
        contact=session.contact,
        flow=Flow(transport=flow.transport, host=flow.host, port=flow.port) if flow else None,
        place=media.place,
        leg=media.leg,
        security=media.terms.security,
        symmetric=media.terms.symmetric,
        near=media.near,
        menu=call.keypad.menu_number,
        menu_host=call.keypad.menu_host,
        owner=(call.owner.room, call.owner.participant) if call.owner else None,
        partner=call.partner.about.id if call.partner else "",
        facts=Facts.model_validate(call.about),
    )
