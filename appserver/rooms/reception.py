"""The reception: makes rooms, lets people in, and says later what their tokens allow."""

from __future__ import annotations

from dataclasses import dataclass, replace

from confero.clock import Clock
from confero.errors import Refused, Unavailable
from confero.ids import new_id
from confero.models import JoinRequest, RoomCreate, TokenGrant
from confero.tokens import TokenInvalid, sign, verify

from .entities import Person, Room
from .farm import Farm, Mcu
from .slugs import call_id, display_name, named_id, unnamed_id
from .store import Store

JOIN = "join"
"""Kind of the tokens made here."""
PLACE_TRIES = 5
ID_TRIES = 3
CALL_PEOPLE = 16
"""In a room made for a call: two, and whom they add."""


@dataclass(frozen=True)
class Policy:
    """The numbers of the rules; all but the last in seconds."""

    token_ttl_s: float = 600.0
    rejoin_window_s: float = 43_200.0
    join_grace_s: float = 30.0
    max_rooms: int = 100_000


@dataclass(frozen=True)
class Admission:
    """What somebody gets who may come in."""

    person: Person
    room: Room
    people: int
    """In the room now."""
    token: str
    expires: float
    """Unix time."""


class Reception:
    """Every decision about who may be where."""

    def __init__(self, store: Store, farm: Farm, clock: Clock, secret: bytes, policy: Policy) -> None:
        self._store = store
        self._farm = farm
        self._clock = clock
        self._secret = secret
        self._policy = policy

    # --- rooms ----------------------------------------------------------------------------------------------------

    async def create(self, wish: RoomCreate) -> Room:
        """A new room with an id that nobody can guess. Raises Refused 503 when there are too many rooms."""
        for _ in range(ID_TRIES):
            room_id = named_id(wish.name) if wish.name else unnamed_id()
            room = self._new(room_id, wish.name or display_name(room_id), wish)
            if await self._add(room):
                return room
        raise Unavailable("no free room id was found")

    async def ensure_default(self, room_id: str) -> None:
        """Make the room that is always there, if it is not."""
        await self._add(self._new(room_id, room_id.capitalize(), RoomCreate(), permanent=True))

    def _new(self, room_id: str, name: str, wish: RoomCreate, *, permanent: bool = False) -> Room:
        now = self._clock.wall()
        return Room(
            room_id,
            name,
            wish.max_participants,
            created_at=now,
            used_at=now,
            permanent=permanent,
            talkers=wish.talkers,
            noise_dbov=wish.noise_dbov,
            announce=wish.announce,
        )

    async def _add(self, room: Room) -> bool:
        """False if the id is taken."""
        outcome = await self._store.add_room(room, self._policy.max_rooms)
        if outcome == "full":
            raise Refused("There are too many rooms; try again later.", status=503, code="too-many-rooms")
        return outcome == "added"

    async def room(self, room_id: str) -> tuple[Room, int]:
        """The room, and how many are in it. Raises Refused 404."""
        room = await self._known_room(room_id)
        return room, await self._store.live_count(room.id, self._clock.wall())

    async def _known_room(self, room_id: str) -> Room:
        room = await self._store.room(room_id)
        if room is None:
            raise Refused("There is no such room.", status=404, code="room-unknown")
        return room

    async def exists(self, room_id: str) -> bool:
        """Whether there is such a room."""
        return await self._store.room(room_id) is not None

    async def create_for_call(self) -> Room:
        """A room for one call that nobody's link leads to; forgotten a day after. Raises Refused 503."""
        room = self._new(call_id(), "Call", RoomCreate(max_participants=CALL_PEOPLE))
        if not await self._add(room):
            raise Unavailable("no free room id was found")
        return room

    # --- people ---------------------------------------------------------------------------------------------------

    async def join(self, room_id: str, wish: JoinRequest) -> Admission:
        """A place and a token for it, or the old place again for whoever shows an earlier token.

        Raises Refused: 404 ``room-unknown``, 409 ``room-full``, 503 ``no-media-server``; for the earlier token TokenInvalid or
        TokenExpired.
        """
        room = await self._known_room(room_id)
        now = self._clock.wall()
        person = await self._returning(room, wish) if wish.previous_token else self._newcomer(room, wish, now)
        person = replace(person, display_name=wish.display_name, reserved_until=now + self._policy.join_grace_s)
        await self.home(room)
        people = await self._store.admit(person, replace(room, used_at=now), now)
        if people is None:
            raise Refused("The room is full.", status=409, code="room-full")
        expires = now + self._policy.token_ttl_s
        token = sign({"sub": person.id, "room": room.id}, kind=JOIN, secret=self._secret, expires=expires)
        return Admission(person, room, people, token, expires)

    async def admit_caller(
        self, room_id: str, display_name: str, participant: str | None = None
    ) -> tuple[Person, Room, Mcu]:
        """A place for somebody who comes by telephone, for whom a service vouches; with ``participant`` its place again.

        Raises Refused: 404 ``room-unknown`` or ``participant-unknown``, 409 ``room-full``, 503 ``no-media-server``.
        """
        room, now = await self._known_room(room_id), self._clock.wall()
        person: Person | None = Person(new_id("p"), room.id, display_name, created_at=now, kind="rtp")
        if participant is not None:
            person = await self._store.person(participant)
        if person is None or person.kind != "rtp":
            raise Refused("There is no such telephone.", status=404, code="participant-unknown")
        person = replace(person, room=room.id, reserved_until=now + self._policy.join_grace_s)
        mcu = await self.home(room)
        if await self._store.admit(person, replace(room, used_at=now), now) is None:
            raise Refused("The room is full.", status=409, code="room-full")
        return person, room, mcu

    def _newcomer(self, room: Room, wish: JoinRequest, now: float) -> Person:
        return Person(new_id("p"), room.id, wish.display_name, created_at=now)

    async def _returning(self, room: Room, wish: JoinRequest) -> Person:
        """The participant whom the earlier token names, with the same identity, also if the database has forgotten them."""
        assert wish.previous_token is not None
        participant, token_room = self._claims(wish.previous_token, leeway=self._policy.rejoin_window_s)
        if token_room != room.id:
            raise TokenInvalid("the token is for another room")
        known = await self._store.person(participant)
        if known is None:
            return Person(participant, room.id, wish.display_name, created_at=self._clock.wall())
        return replace(known, room=room.id)  # a moderator may have moved them; now they ask for this room

    def _claims(self, token: str, *, leeway: float = 0) -> tuple[str, str]:
        claims = verify(token, kind=JOIN, secret=self._secret, now=self._clock.wall(), leeway=leeway)
        participant, room = claims.get("sub"), claims.get("room")
        if not isinstance(participant, str) or not isinstance(room, str):
            raise TokenInvalid
        return participant, room

    async def check(self, token: str) -> TokenGrant:
        """What a join token allows, and where its room lives now.

        Raises TokenInvalid, TokenExpired, Refused 404 ``room-unknown`` or 503 ``no-media-server``.
        """
        participant, room_id = self._claims(token)
        room = await self._known_room(room_id)
        person = await self._store.person(participant)
        if person is None or person.room != room.id:
            raise TokenInvalid
        mcu = await self.home(room)
        expires = verify(token, kind=JOIN, secret=self._secret, now=self._clock.wall())["exp"]
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
        )

    # --- placement ------------------------------------------------------------------------------------------------

    async def home(self, room: Room) -> Mcu:
        """The MCU on which the room lives: where it was as long as that lives, else a new one.

        One that drains keeps its rooms until they are empty.

        Raises Refused 503 ``no-media-server``.
        """
        for _ in range(PLACE_TRIES):
            mcu = self._farm.alive(room.mcu)
            if mcu is not None and not (self._farm.is_draining(mcu) and await self._is_empty(room)):
                return mcu
            chosen = self._farm.choose()
            if await self._store.place_room(room.id, room.mcu, chosen.id):
                return chosen
            room = await self._known_room(room.id)  # another request was faster
        raise Unavailable("the placement of the room keeps changing")

    async def _is_empty(self, room: Room) -> bool:
        """Whoever comes first may be received elsewhere."""
        return await self._store.live_count(room.id, self._clock.wall()) == 0
