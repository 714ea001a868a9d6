"""The reception: the one face of rooms, their doors and their tokens for the rest of the application server."""

from __future__ import annotations

from confero.models import JoinRequest, Role, TokenGrant
from confero.tokens import TokenInvalid

from ..rights.actors import Actor
from . import rules
from .catalogue import Catalogue
from .entities import Person, Room
from .farm import Mcu
from .joining import Admission, Door, removed
from .placement import Placement
from .rules import Visitor
from .store import Store
from .telephones import PhoneDoor
from .tickets import Tickets

NOBODY = Visitor()


class Reception:
    """Every decision about who may be where."""

    def __init__(
        self,
        store: Store,
        catalogue: Catalogue,
        door: Door,
        phones: PhoneDoor,
        placement: Placement,
        tickets: Tickets,
    ) -> None:
        self.catalogue = catalogue
        self._store = store
        self._door = door
        self._phones = phones
        self._placement = placement
        self._tickets = tickets

    # --- browsers -------------------------------------------------------------------------------------------------

    async def join(self, room_id: str, wish: JoinRequest, visitor: Visitor = NOBODY) -> Admission:
        """A place and a token for it, or the old place again for whoever shows an earlier token.

        Raises Refused 404 ``room-unknown`` and as ``Door.join``.
        """
        return await self._door.join(await self.catalogue.known(room_id), wish, visitor)

    async def check(self, token: str) -> TokenGrant:
        """What a join token allows, and where its room lives now.

        Raises TokenInvalid, TokenExpired, Refused 404 ``room-unknown`` or 503 ``no-media-server``.
        """
        ticket = self._tickets.read(token)
        room = await self.catalogue.known(ticket.room)
        person = await self._store.person(ticket.participant)
        if person is None or person.room != room.id:
            raise TokenInvalid
        if person.removed_at is not None:
            raise removed()
        return _grant(person, room, await self._placement.home(room), ticket.expires)

    async def proven(self, token: str) -> Actor | None:
        """Who shows a join token, for the guard; None for what is none.

        Raises TokenInvalid for one whose participant is gone, TokenExpired, Unavailable.
        """
        try:
            ticket = self._tickets.read(token)
        except TokenInvalid:
            return None
        person = await self._store.person(ticket.participant)
        if person is None or person.room != ticket.room:
            raise TokenInvalid("the token's participant has left its room")
        if person.removed_at is not None:
            raise removed()
        return Actor(
            "participant",
            user=person.user,
            name=person.display_name,
            participant=person.id,
            room=person.room,
            room_role=person.role,
            waiting=not person.admitted,
        )

    # --- telephones -----------------------------------------------------------------------------------------------

    async def admit_caller(
        self, room_id: str, display_name: str, participant: str | None = None
    ) -> tuple[Person, Room, Mcu]:
        """A place for somebody who comes by telephone, for whom a service vouches; with ``participant`` its place again.

        Raises Refused: 404 ``room-unknown`` or ``participant-unknown``, 409 ``room-full``, 503 ``no-media-server``.
        """
        room = await self.catalogue.known(room_id)
        if participant is not None:
            person, mcu = await self._phones.again(room, participant)
        else:
            person, mcu = await self._phones.vouched(room, display_name)
        return person, room, mcu

    async def knock(self, room_id: str, display_name: str, role: Role | None) -> tuple[Person, Room, Mcu]:
        """A place for a telephone by the room's rules, or in its lobby. Raises Refused 404 and as ``PhoneDoor.knock``."""
        room = await self.catalogue.known(room_id)
        person, mcu = await self._phones.knock(room, display_name, role)
        return person, room, mcu

    async def home(self, room: Room) -> Mcu:
        """The MCU on which the room lives. Raises Refused 503 ``no-media-server``."""
        return await self._placement.home(room)


def _grant(person: Person, room: Room, mcu: Mcu, expires: float) -> TokenGrant:
    return TokenGrant(
        participant=person.id,
        display_name=person.display_name,
        role=person.role,
        room=room.id,
        room_name=room.name,
        max_participants=room.max_participants,
        talkers=room.talkers,
        noise_dbov=room.noise_dbov,
        announce=room.announce,
        mcu=mcu.id,
        mcu_url=mcu.url,
        expires=expires,
        waiting=not person.admitted,
        may_speak=rules.may_speak(room, person.role, person.may_speak),
    )
