"""The parts of ``rooms`` put together: made once, by the application and by tests."""

from __future__ import annotations

from typing import Protocol

from confero.clock import Clock

from ..sip.limits import AttemptStore
from .catalogue import Catalogue, RoomStore
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
