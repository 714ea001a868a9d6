"""The parts of ``rooms`` put together: made once, by the application and by tests."""

from __future__ import annotations

from typing import Protocol

from confero.clock import Clock
from confero.errors import Refused
from confero.models.joining import RoomPatch

from ..sip.limits import AttemptStore
from .catalogue import Catalogue, RoomStore
from .entities import Room
from .farm import Farm
from .invitations import Invitations, InvitationStore
from .joining import Door, DoorStore
from .lobby import Events, Lobby, LobbyStore
from .members import MemberStore
from .pins import RoomPins, Sealer
from .placement import Placement
from .policy import Policy
from .reception import Reception
from .relations import RoomRelations
from .store import Store
from .telephones import PhoneDoor
from .tickets import Tickets


class HouseStore(Store, RoomStore, DoorStore, MemberStore, InvitationStore, LobbyStore, Protocol):
    """All that is kept for rooms, in one place."""


class House:
    """Catalogue, doors, lobby and what they need."""

    def __init__(
        self,
        store: HouseStore,
        attempts: AttemptStore,
        sealer: Sealer,
        farm: Farm,
        events: Events,
        clock: Clock,
        secret: bytes,
        policy: Policy,
    ) -> None:
        self.policy = policy
        self.relations = RoomRelations(store)
        self.pins = RoomPins(sealer, attempts, clock)
        self.catalogue = Catalogue(store, self.pins, clock, policy)
        self.invitations = Invitations(store, clock, policy.invitations_per_room)
        self.lobby = Lobby(store, events, clock, policy.join_grace_s)
        placement = Placement(store, farm, clock)
        tickets = self.tickets = Tickets(clock, secret, policy.token_ttl_s)
        door = Door(store, self.invitations, self.pins, self.lobby, placement, tickets, clock, policy)
        phones = PhoneDoor(store, door, placement, clock, policy)
        self.reception = Reception(store, self.catalogue, door, phones, placement, tickets)

    async def change(self, room_id: str, patch: RoomPatch) -> Room:
        """The room as it is then; whom its rules do not have wait any more is let in. Raises Refused 404 ``room-unknown``."""
        before = await self.catalogue.known(room_id)
        room = await self.catalogue.change(room_id, patch)
        if (before.lobby or before.host_first) and not (room.lobby or room.host_first):
            await self.lobby.admit_all(room_id)
        return room

    async def delete(self, room_id: str) -> None:
        """Whoever is in the room, or waits, is sent away. Raises Refused: 404 ``room-unknown``, 409 ``room-kept``."""
        if room_id == self.policy.default_room:
            raise Refused("This room is always there.", status=409, code="room-kept")
        waiting = await self.lobby.waiting(room_id)
        await self.catalogue.delete(room_id)
        await self.lobby.send_away(room_id, [one.participant for one in waiting])
