"""Places in rooms for telephones, and in their lobbies: what a browser gets by joining, without a token."""

from __future__ import annotations

from confero.errors import Refused
from confero.models import Role, RoomSpec
from confero.models.sip import SipGivenUp, SipPlace, SipPlaceAsk

from ..rooms import rules
from ..rooms.entities import Person, Room
from ..rooms.farm import Mcu
from ..rooms.lobby import Lobby
from ..rooms.reception import Reception
from .callers import MAX_NAME, shown_name


class Places:
    """Gives them, and takes back those in lobbies."""

    def __init__(self, reception: Reception, lobby: Lobby) -> None:
        self._reception = reception
        self._lobby = lobby

    async def give(self, room: str, display_name: str, participant: str | None = None) -> SipPlace:
        """Raises Refused: 404 ``room-unknown``, 409 ``room-full``, 503 ``no-media-server``."""
        return _place(*await self._reception.admit_caller(room, display_name[:MAX_NAME], participant))

    async def knock(self, room: str, display_name: str, role: Role | None = None) -> SipPlace:
        """By the room's own rules, perhaps in its lobby. ``role``: what the PIN that was keyed makes of the caller.

        Raises as ``give``, and Refused 403 ``pin-needed``, ``room-locked``, 409 ``lobby-full``.
        """
        return _place(*await self._reception.knock(room, display_name[:MAX_NAME], role))

    async def room(self, room: str) -> Room:
        """Raises Refused 404 ``room-unknown``."""
        return await self._reception.catalogue.known(room)

    async def ask(self, ask: SipPlaceAsk) -> SipPlace:
        """In the room named, or in a fresh one; for a participant who is there already: the place again, where its room lives now.

        Raises as ``give``, and Refused 404 ``participant-unknown``.
        """
        if ask.room is None and ask.participant is not None:
            raise Refused("A participant's place is in a room.", status=422, code="room-missing")
        room = ask.room or (await self._reception.catalogue.create_for_call()).id
        return await self.give(room, shown_name(ask.caller), ask.participant)

    async def given_up(self, told: SipGivenUp) -> None:
        """The place in a lobby of somebody who has hung up. Idempotent."""
        await self._lobby.given_up(told.room, told.participant)


def _place(person: Person, room: Room, mcu: Mcu) -> SipPlace:
    spec = RoomSpec(
        name=room.name,
        max_participants=room.max_participants,
        talkers=room.talkers,
        noise_dbov=room.noise_dbov,
        announce=room.announce,
    )
    return SipPlace(
        participant=person.id,
        display_name=person.display_name,
        role=person.role,
        room=room.id,
        spec=spec,
        mcu=mcu.id,
        mcu_url=mcu.url,
        reserved_until=person.reserved_until,
        may_speak=rules.may_speak(room, person.role, person.may_speak),
        waiting=not person.admitted,
    )
