"""The client put together: one server, one proof, and its parts."""

from __future__ import annotations

import ssl as tls
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Self

from pydantic import TypeAdapter

from confero.models.joining import JoinReply, NetworkTest, SiteInfo

from .accounts import Me, Session
from .administration import Audit, Farm, Users
from .listening import Event, Listener
from .meeting import Meeting
from .parts import at
from .records import Records
from .rooms import Invitations, Members, Rooms
from .speaking import Calls, Speaking
from .telephony import Telephony
from .transport import Patience, Proof, Transport

DOCUMENT = TypeAdapter[dict[str, Any]](dict[str, Any])


class Client:
    """Used as an async context manager, or closed by ``close``.

    All of its operations raise the errors of ``confero.client.errors``.
    """

    def __init__(
        self, url: str, *, key: str = "", ssl: tls.SSLContext | bool = True, patience: Patience | None = None
    ) -> None:
        """``url``: where the pages are. ``key``: an API key, or the admin token; without, ``session.sign_in`` or nobody.
        ``ssl``: whom to trust, as aiohttp takes it.
        """
        self._to = to = Transport(url, Proof(bearer=key), ssl=ssl, patience=patience or Patience())
        self.session, self.me = Session(to), Me(to)
        self.rooms, self.members, self.invitations = Rooms(to), Members(to), Invitations(to)
        self.meeting, self.records = Meeting(to), Records(to)
        self.users, self.audit, self.farm = Users(to), Audit(to), Farm(to)
        self.telephony = Telephony(to)

    def seat(self, joined: JoinReply) -> Seat:
        """Whoever has joined, by the token of the join; on the same connections."""
        return Seat(self._to.showing(Proof(bearer=joined.token)), joined)

    def events(self) -> AsyncIterator[Event]:
        """What changes of one's own rooms, and who is there; with a key or a session, through broken connections.

        See ``Listener.events`` for how it begins, goes on and ends.
        """

        async def token() -> str:
            return (await self.me.events_token()).token

        return Listener(self._to, token, renews=True).events()

    async def site(self) -> SiteInfo:
        """What the installation offers to whoever comes."""
        return await self._to.call("GET", at("site"), SiteInfo)

    async def network_test(self) -> NetworkTest:
        """Relays to try for a minute."""
        return await self._to.call("POST", at("network-test"), NetworkTest)

    async def openapi(self) -> dict[str, Any]:
        """The description of the API."""
        return await self._to.call("GET", at("openapi.json"), DOCUMENT)

    async def close(self) -> None:
        """Idempotent; what is called afterwards raises LocalError."""
        await self._to.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


class Seat:
    """A participant of one room."""

    def __init__(self, to: Transport, joined: JoinReply) -> None:
        self.joined = joined
        self.room = joined.room.id
        self.participant = joined.participant
        self.rooms, self.meeting = Rooms(to), Meeting(to)
        self.speaking, self.calls = Speaking(to), Calls(to)
        self._to = to

    def events(self) -> AsyncIterator[Event]:
        """What happens in the room, and to this participant; in the lobby ``admitted`` or ``closed``.

        See ``Listener.events`` for how it begins, goes on and ends.
        """

        async def token() -> str:
            return self.joined.token

        return Listener(self._to, token, renews=False).events()
