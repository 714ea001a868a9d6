"""Attended transfer between two calls that are both here (RFC 5589 section 7): their other ends are brought together."""

from __future__ import annotations

from dataclasses import dataclass

from confero.errors import Refused
from confero.models.sip import SipCaller, SipPlace, SipPlaceAsk

from .call import Call


@dataclass(frozen=True)
class Joining:
    """``moves`` comes into the room of ``stays``; the telephone's ``consulted`` call is over then."""

    moves: Call
    stays: Call
    consulted: Call


def joining(call: Call, consulted: Call) -> Joining:
    """What brings the other ends of the referrer's two calls together. Raises Refused where that would be a whole room.

    A room is never moved, because of those who are in it: a single telephone at the other end is.
    """
    if consulted.partner is not None:
        return Joining(consulted.partner, call, consulted)
    if call.partner is not None:
        return Joining(call.partner, consulted, consulted)
    raise Refused("Rooms are not joined.", status=403, code="transfer-refused")


async def place_for(joined: Joining) -> SipPlace:
    """For who moves. Raises Refused, Unavailable."""
    caller = SipCaller(from_name=joined.moves.name)
    return await joined.moves.means.appserver.place(SipPlaceAsk(room=joined.stays.about.room, caller=caller))


def pair(call: Call, joined: Joining) -> None:
    """Who hangs up now ends whose call: no longer the referrer's, but that of the one at the other end, if it is one."""
    other = call.partner if call.partner is not joined.moves else None
    call.partner = joined.consulted.partner = None
    joined.moves.partner = other
    if other is not None:
        other.partner = joined.moves
