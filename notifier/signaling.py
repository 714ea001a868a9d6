"""Signalling passed between a browser and its MCU: offers, mute, leave. Only one's own leg can be named."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from confero.errors import ConferoError, Refused, Unavailable
from confero.models import (
    Answer,
    ErrorReply,
    LegPatch,
    LegReply,
    Ok,
    Participant,
    Reply,
    RoomSpec,
    TokenGrant,
    WebRtcLegCreate,
)
from confero.runtime.logging import get_logger
from confero.runtime.problems import problem_of

from .hub import Hub
from .messages import Event
from .rosters import Roster, Rosters
from .session import RoomSession, Session
from .wire import ClientRequest, Leave, Mute, Offer, Ping

log = get_logger(__name__)

LEG_GONE = "leg-unknown"


class MediaServer(Protocol):
    """What of an MCU is needed here; ``url`` says which. Each raises Refused or Unavailable."""

    async def roster(self, url: str, room: str) -> list[Participant]: ...

    async def leg(self, url: str, leg: str) -> Participant: ...

    async def ensure_room(self, url: str, room: str, spec: RoomSpec) -> object: ...

    async def create_leg(self, url: str, room: str, body: WebRtcLegCreate) -> LegReply: ...

    async def reoffer(self, url: str, leg: str, sdp: str) -> LegReply: ...

    async def patch_leg(self, url: str, leg: str, patch: LegPatch) -> object: ...

    async def delete_leg(self, url: str, leg: str, reason: str) -> None: ...


Follow = Callable[[RoomSession], Awaitable[None]]
"""Asks the application server again where the session's room lives, and moves the sessions if it has changed."""


class Signaling:
    """Answers the requests of connected sessions."""

    def __init__(self, media: MediaServer, hub: Hub, rosters: Rosters, follow: Follow) -> None:
        self._media = media
        self._hub = hub
        self._rosters = rosters
        self._follow = follow

    async def roster(self, session: Session) -> bytes:
        """Who is in the session's room, as JSON; empty elsewhere, and without an answer of the MCU. Finds its own leg."""
        if not isinstance(session, RoomSession):
            return b"[]"
        grant = session.grant
        session.leg, session.informed = None, True
        if grant.waiting:
            return b"[]"
        try:
            roster = await self._rosters.of(grant.mcu_url, grant.room)
            session.leg = await self._living_leg(session, roster)
        except (Refused, Unavailable) as error:
            session.informed = error.code == "room-unknown"  # who makes a room at an MCU hears of everybody in it
            if not session.informed:
                log.info("no roster from the mcu", room=grant.room, code=error.code)
            return b"[]"
        return roster.text

    async def _living_leg(self, session: RoomSession, roster: Roster) -> str | None:
        """Whoever is back with a leg offers afresh if it is gone: so the MCU itself is asked for that one."""
        leg = roster.leg_of(session.grant.participant)
        if leg is None:
            return None
        try:
            await self._media.leg(session.grant.mcu_url, leg)
        except Refused as error:
            if error.code != LEG_GONE:
                raise
            roster.drop_leg(session.grant.participant, leg)
            return None
        return leg

    async def _inform(self, session: RoomSession) -> None:
        """The roster that the welcome could not have, now that the MCU answers."""
        try:
            roster = await self._rosters.of(session.grant.mcu_url, session.grant.room)
        except (Refused, Unavailable) as error:
            log.info("still no roster from the mcu", room=session.grant.room, code=error.code)
            return
        session.informed = True
        self._hub.tell(session, Event(b'{"type":"roster","participants":%b}' % roster.text))

    async def answer(self, session: Session, message: ClientRequest) -> Reply:
        """The one reply to a request; never raises a ConferoError."""
        if not isinstance(session, RoomSession):
            return outside(message)
        try:
            return await self._dispatch(session, message)
        except Unavailable as error:
            await self._follow(session)
            return error_reply(message.id, media_server_down(error))
        except ConferoError as error:
            return error_reply(message.id, error)

    async def _dispatch(self, session: RoomSession, message: ClientRequest) -> Reply:
        if session.grant.waiting and isinstance(message, Offer | Mute):
            raise Refused("You are still waiting to be let in.", status=403, code="not-admitted")
        match message:
            case Offer(leg=None):
                return await self._fresh_leg(session, message)
            case Offer():
                return await self._reoffer(session, message)
            case Mute():
                leg = await self._own_leg(session, None)
                await self._media.patch_leg(session.grant.mcu_url, leg, LegPatch(muted=message.muted))
                session.muted = message.muted
            case Leave():
                await self._remove(session)
            case Ping():
                pass
        return Ok(id=message.id)

    async def _fresh_leg(self, session: RoomSession, offer: Offer) -> Answer:
        """Makes the room at the MCU if it is the first there: else that would only bring the whole roster, at every join."""
        grant = session.grant
        body = WebRtcLegCreate(
            kind="webrtc",
            participant=grant.participant,
            display_name=grant.display_name,
            role=grant.role,
            sdp=offer.sdp,
            muted=session.muted,
            held=not grant.may_speak,
        )
        try:
            reply = await self._media.create_leg(grant.mcu_url, grant.room, body)
        except Refused as error:
            if error.code != "room-unknown":
                raise
            await self._media.ensure_room(grant.mcu_url, grant.room, room_spec(grant))
            reply = await self._media.create_leg(grant.mcu_url, grant.room, body)
        session.leg = reply.leg
        if not session.informed:
            await self._inform(session)
        return Answer(id=offer.id, leg=reply.leg, sdp=reply.sdp)

    async def _reoffer(self, session: RoomSession, offer: Offer) -> Answer:
        leg = await self._own_leg(session, offer.leg)
        try:
            reply = await self._media.reoffer(session.grant.mcu_url, leg, offer.sdp)
        except Refused as error:
            if error.code == LEG_GONE:
                session.leg = None
            raise
        session.leg = reply.leg
        return Answer(id=offer.id, leg=reply.leg, sdp=reply.sdp)

    async def _own_leg(self, session: RoomSession, named: str | None) -> str:
        """The session's leg, which is ``named`` if that is given. Rosters show the ids of others' legs: those are refused."""
        if session.leg is None or (named is not None and named != session.leg):
            session.leg = await self._ask_for_leg(session)
        if session.leg is None or (named is not None and named != session.leg):
            raise Refused("There is no such connection any more; send a fresh offer.", status=404, code=LEG_GONE)
        return session.leg

    async def _ask_for_leg(self, session: RoomSession) -> str | None:
        """The participant's leg as the MCU has it this moment; None also if it does not answer."""
        try:
            roster = await self._media.roster(session.grant.mcu_url, session.grant.room)
        except (Refused, Unavailable) as error:
            log.debug("leg not found", room=session.grant.room, code=error.code)
            return None
        return own_leg(roster, session.grant.participant)

    async def _remove(self, session: RoomSession) -> None:
        """Remove the leg of a participant that leaves, if there is one: the one known, else the one that the MCU has.

        An MCU that does not answer has lost it or will miss its media.
        """
        if session.grant.waiting or self._hub.of_participant(session.grant.participant) not in (None, session):
            return  # the participant is back with a newer session that owns the leg
        leg, session.leg = session.leg, None
        if leg is None or not await self._delete(session, leg):
            leg = await self._ask_for_leg(session)
            if leg is not None:
                await self._delete(session, leg)

    async def _delete(self, session: RoomSession, leg: str) -> bool:
        """False if there is no such leg."""
        try:
            await self._media.delete_leg(session.grant.mcu_url, leg, "left")
        except Refused as error:
            log.debug("leg was gone already", leg=leg, code=error.code)
            return False
        except Unavailable as error:
            log.warning("leg could not be removed", leg=leg, detail=error.detail)
        return True


def outside(message: ClientRequest) -> Reply:
    """The reply to somebody who is in no room."""
    if isinstance(message, Offer | Mute):
        return error_reply(message.id, Refused("You are in no room.", status=403, code="no-room"))
    return Ok(id=message.id)


def own_leg(roster: list[Participant], participant: str) -> str | None:
    """The participant's leg in the roster."""
    return next((entry.leg for entry in roster if entry.id == participant), None)


def room_spec(grant: TokenGrant) -> RoomSpec:
    """What the MCU is told of the room."""
    return RoomSpec(
        name=grant.room_name,
        max_participants=grant.max_participants,
        talkers=grant.talkers,
        noise_dbov=grant.noise_dbov,
        announce=grant.announce,
    )


def media_server_down(error: Unavailable) -> ConferoError:
    """The MCU's own reason (draining, no ports) if it gave one, else that it is down."""
    if error.code != "unavailable":
        return error
    return Unavailable("The media server does not answer; try again in a moment.", code="media-server-down")


def error_reply(request_id: int, error: ConferoError) -> ErrorReply:
    """The problem (RFC 9457) that answers one request."""
    return ErrorReply(id=request_id, problem=problem_of(error))
