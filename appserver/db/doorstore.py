"""Who may come into rooms, on SQL: members, invitations, the lobby; each method is one transaction."""

from __future__ import annotations

from dataclasses import asdict
from typing import Literal

from sqlalchemy import bindparam, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ..rooms.entities import Invitation, Member, Person
from .conditions import inside, live, waits
from .engine import Database
from .models import participants, rooms
from .roomtables import invitations, room_members

SHOWN = 1000
"""Invitations of a room in a list, those that are over included."""
WAITING = 10_000
"""In all lobbies, that are looked at at once."""
_MEMBER = select(room_members).where(
    room_members.c.room == bindparam("in_room"), room_members.c.user == bindparam("who")
)


class SqlDoors:
    """Implements ``rooms.members.MemberStore``, ``rooms.invitations.InvitationStore`` and ``rooms.lobby.LobbyStore``."""

    def __init__(self, database: Database) -> None:
        self._db = database

    # --- members --------------------------------------------------------------------------------------------------

    async def put_member(self, member: Member, limit: int) -> Literal["put", "full"]:
        row = room_members.c
        others = select(func.count()).select_from(room_members).where(row.room == member.room, row.user != member.user)

        async def work(connection: AsyncConnection) -> Literal["put", "full"]:
            await connection.scalar(select(rooms.c.id).where(rooms.c.id == member.room).with_for_update())
            if (await connection.scalar(others) or 0) >= limit:
                return "full"
            await connection.execute(delete(room_members).where(row.room == member.room, row.user == member.user))
            await connection.execute(insert(room_members).values(**asdict(member)))
            return "put"

        return await self._db.write(work)

    async def members(self, room_id: str) -> list[Member]:
        query = select(room_members).where(room_members.c.room == room_id)
        return [Member(**row._mapping) for row in await self._db.rows(query)]

    async def member(self, room_id: str, user: str) -> Member | None:
        found = await self._db.rows(_MEMBER, {"in_room": room_id, "who": user})
        return Member(**found[0]._mapping) if found else None

    async def remove_member(self, room_id: str, user: str) -> bool:
        one = delete(room_members).where(room_members.c.room == room_id, room_members.c.user == user)

        async def work(connection: AsyncConnection) -> bool:
            return (await connection.execute(one)).rowcount == 1

        return await self._db.write(work)

    # --- invitations ----------------------------------------------------------------------------------------------

    async def add_invitation(self, invitation: Invitation, limit: int) -> Literal["added", "full"]:
        row, now = invitations.c, invitation.created_at
        good = or_(row.expires_at.is_(None), row.expires_at > now) & ~row.revoked
        unused = or_(row.max_uses.is_(None), row.uses < row.max_uses)
        counted = select(func.count()).select_from(invitations).where(row.room == invitation.room, good, unused)
        kept = select(func.count()).select_from(invitations).where(row.room == invitation.room)

        async def work(connection: AsyncConnection) -> Literal["added", "full"]:
            await connection.scalar(select(rooms.c.id).where(rooms.c.id == invitation.room).with_for_update())
            if (await connection.scalar(counted) or 0) >= limit or (await connection.scalar(kept) or 0) >= SHOWN:
                return "full"
            await connection.execute(insert(invitations).values(**asdict(invitation)))
            return "added"

        return await self._db.write(work)

    async def invitations(self, room_id: str) -> list[Invitation]:
        row = invitations.c
        query = select(invitations).where(row.room == room_id).order_by(row.created_at.desc(), row.id).limit(SHOWN)
        return [Invitation(**found._mapping) for found in await self._db.rows(query)]

    async def invitation_of(self, digest: str) -> Invitation | None:
        found = await self._db.rows(select(invitations).where(invitations.c.digest == digest))
        return Invitation(**found[0]._mapping) if found else None

    async def revoke_invitation(self, room_id: str, invitation: str) -> bool:
        one = (invitations.c.room == room_id, invitations.c.id == invitation)

        async def work(connection: AsyncConnection) -> bool:
            if not await connection.scalar(select(invitations.c.id).where(*one)):
                return False
            await connection.execute(update(invitations).where(*one).values(revoked=True))
            return True

        return await self._db.write(work)

    # --- the lobby ------------------------------------------------------------------------------------------------

    async def waiting(self, room_id: str | None, now: float) -> list[Person]:
        row = participants.c
        query = select(participants).where(waits(now)).order_by(row.room, row.created_at, row.id).limit(WAITING)
        if room_id is not None:
            query = query.where(row.room == room_id)
        return [Person(**found._mapping) for found in await self._db.rows(query)]

    async def let_in(self, room_id: str, participant: str | None, now: float, reserved_until: float) -> list[str]:
        row = participants.c
        wanted = select(row.id).where(row.room == room_id, waits(now)).order_by(row.created_at, row.id)
        if participant is not None:
            wanted = wanted.where(row.id == participant)
        places = select(rooms.c.max_participants).where(rooms.c.id == room_id).with_for_update()
        taken = select(func.count()).select_from(participants).where(row.room == room_id, inside(now))

        async def work(connection: AsyncConnection) -> list[str]:
            free = (await connection.scalar(places) or 0) - (await connection.scalar(taken) or 0)
            let = list(await connection.scalars(wanted.limit(max(0, free))))
            in_time = update(participants).where(row.id.in_(let))
            await connection.execute(in_time.values(admitted=True, reserved_until=reserved_until))
            return let

        return await self._db.write(work)

    async def turn_away(self, room_id: str, participant: str) -> bool:
        row = participants.c
        one = delete(participants).where(row.room == room_id, row.id == participant, ~row.admitted)

        async def work(connection: AsyncConnection) -> bool:
            return (await connection.execute(one)).rowcount == 1

        return await self._db.write(work)

    async def connected_hosts(self, room_id: str, limit: int) -> list[str]:
        row = participants.c
        query = select(row.id).where(row.room == room_id, row.role == "host", row.session.is_not(None), row.admitted)
        return [found.id for found in await self._db.rows(query.order_by(row.created_at, row.id).limit(limit))]

    async def barred(self, room_id: str, participant: str | None, user: str | None, invitation: str | None) -> bool:
        row = participants.c
        said = [(row.id, participant), (row.user, user), (row.invitation, invitation)]
        same = [column == value for column, value in said if value is not None]
        if not same:
            return False
        query = select(row.id).where(row.room == room_id, row.removed_at.is_not(None), or_(*same)).limit(1)
        return bool(await self._db.rows(query))

    async def host_there(self, room_id: str, now: float) -> bool:
        row = participants.c
        query = select(row.id).where(row.room == room_id, row.role == "host", row.admitted, live(now)).limit(1)
        return bool(await self._db.rows(query))
