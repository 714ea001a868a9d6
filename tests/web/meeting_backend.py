"""The pretended backend with a meeting: a door, a lobby, chat, hands, hosts and their orders, in the words of confero.models."""

from __future__ import annotations

import time
from typing import Any

from aiohttp import web

from confero.models import ClosedEvent, JoinRequest, Problem, Role
from confero.models.accounts import SessionInfo, UserInfo
from confero.models.meetings import (
    AdmittedEvent,
    ChatDeletedEvent,
    ChatEvent,
    ChatMessage,
    ChatPage,
    ChatSend,
    DialIn,
    Hand,
    HandPut,
    InvitationCreate,
    InvitationInfo,
    InvitationList,
    InvitationMade,
    LobbyEvent,
    LobbyList,
    MeetingEvent,
    MeetingPatch,
    MeetingState,
    MuteAll,
    Muted,
    ParticipantMove,
    ParticipantPatch,
    ReactionEvent,
    ReactionSend,
    Waiting,
)

from .backend import Backend, json_reply, problem

ROOM = "/api/v1/rooms/{room}"
PAGE = 3
"""Messages on a page of the chat."""


class MeetingBackend(Backend):
    """``role`` is what the next one to join becomes; ``waits``: they wait until ``admit`` or ``refuse``."""

    def __init__(self) -> None:
        super().__init__()
        self.state = MeetingState(version=1)
        self.role: Role = "guest"
        self.pin: str | None = None
        self.waits = False
        self.user: UserInfo | None = None
        self.csrf_needed = False
        self.lobby: list[Waiting] = []
        self.telephones = True
        """Whether they can come in."""
        self.chat: list[ChatMessage] = []
        self.invitations: list[InvitationInfo] = []
        self.orders: list[tuple[str, str, Any]] = []
        """What hosts have asked for: method, path behind the room's, body."""
        self.proofs: list[str | None] = []
        """X-CSRF-Token of each join."""
        self.refuse_order: Problem | None = None

    # --- what tests do to it --------------------------------------------------------------------------------------

    async def now_is(self, **fields: Any) -> None:
        """The meeting changes, and all hear of it."""
        self.state = self.state.model_copy(update={"version": self.state.version + 1, **fields})
        await self.tell(MeetingEvent(state=self.state))

    async def comes_to_the_door(self, name: str, kind: str = "webrtc") -> Waiting:
        one = Waiting.model_validate(
            {"participant": f"w_{len(self.lobby)}", "display_name": name, "kind": kind, "since": 1.0}
        )
        self.lobby.append(one)
        await self.tell(LobbyEvent(waiting=self.lobby))
        return one

    async def admit(self) -> None:
        """Whoever waits at this side of the door."""
        self.waits = False
        await self.tell(AdmittedEvent())

    async def refuse(self) -> None:
        await self.tell(ClosedEvent(reason="refused"))

    async def says(self, name: str, text: str, participant: str = "p_other") -> ChatMessage:
        message = self.write(participant, name, text)
        await self.tell(ChatEvent(message=message))
        return message

    def write(
        self, participant: str, name: str, text: str, at: float | None = None, nonce: str | None = None
    ) -> ChatMessage:
        message = ChatMessage(
            id=len(self.chat) + 1,
            at=at or time.time(),
            participant=participant,
            display_name=name,
            text=text,
            nonce=nonce,
        )
        self.chat.append(message)
        return message

    # --- the door -------------------------------------------------------------------------------------------------

    def door(self, participant: str, wish: JoinRequest) -> Problem | None:
        if self.pin is None or wish.previous_token or wish.invitation or wish.pin == self.pin:
            return None
        return problem("pin-wrong" if wish.pin else "pin-needed", 403)

    def place(self, participant: str) -> dict[str, Any]:
        if self.waits:
            return {"waiting": True}
        known = max(0, len(self.chat) - PAGE)
        return {
            "role": self.role,
            "meeting": self.state,
            "chat": self.chat[known:],
            "chat_next": str(known) if known else None,
        }

    # --- REST -----------------------------------------------------------------------------------------------------

    def extend(self, app: web.Application) -> None:
        app.middlewares.append(self._guard)
        for method, path, handler in (
            ("GET", "/api/v1/session", self._session),
            ("GET", f"{ROOM}/meeting", self._state),
            ("PATCH", f"{ROOM}/meeting", self._patch),
            ("PUT", f"{ROOM}/hand", self._hand),
            ("POST", f"{ROOM}/reactions", self._react),
            ("GET", f"{ROOM}/messages", self._page_of_chat),
            ("POST", f"{ROOM}/messages", self._say),
            ("DELETE", f"{ROOM}/messages/{{message}}", self._unsay),
            ("GET", f"{ROOM}/lobby", self._lobby),
            ("GET", f"{ROOM}/dial-in", self._dial_in),
            ("GET", f"{ROOM}/invitations", self._invitations),
            ("POST", f"{ROOM}/invitations", self._invite),
            ("POST", f"{ROOM}/mute-all", self._order),
            ("*", f"{ROOM}/meeting/end", self._order),
            ("*", f"{ROOM}/participants/{{participant}}{{tail:.*}}", self._order),
            ("*", f"{ROOM}/lobby{{tail:.*}}", self._order),
            ("*", f"{ROOM}/invitations/{{invitation}}", self._order),
        ):
            app.router.add_route(method, path, handler)

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """Somebody who is signed in has to prove that the page itself asks."""
        if request.path.endswith("/join"):
            self.proofs.append(request.headers.get("X-CSRF-Token"))
            if self.csrf_needed and self.proofs[-1] != "proof":
                return json_reply(problem("csrf", 403), 403)
        answer: web.StreamResponse = await handler(request)
        return answer

    async def _session(self, request: web.Request) -> web.Response:
        return json_reply(SessionInfo(user=self.user, csrf="proof"))

    async def _state(self, request: web.Request) -> web.Response:
        return json_reply(self.state)

    async def _patch(self, request: web.Request) -> web.Response:
        wish = MeetingPatch.model_validate_json(await request.text())
        self.orders.append(("PATCH", "/meeting", wish.model_dump(exclude_none=True)))
        changed = wish.model_dump(exclude_none=True)
        if changed.get("spotlight") == "":
            changed["spotlight"] = None
        await self.now_is(**changed)
        return json_reply(self.state)

    async def _hand(self, request: web.Request) -> web.Response:
        raised = HandPut.model_validate_json(await request.text()).raised
        own = self._own(request)
        others = [hand for hand in self.state.hands if hand.participant != own]
        await self.now_is(hands=[*others, *([Hand(participant=own, since=1.0)] if raised else [])])
        return web.Response(status=204)

    async def _react(self, request: web.Request) -> web.Response:
        emoji = ReactionSend.model_validate_json(await request.text()).emoji
        own = self._own(request)
        await self.tell(ReactionEvent(participant=own, display_name=self._names[own], emoji=emoji))
        return web.Response(status=204)

    async def _page_of_chat(self, request: web.Request) -> web.Response:
        end = int(request.query.get("page", len(self.chat)))
        begin = max(0, end - PAGE)
        return json_reply(ChatPage(items=self.chat[begin:end], next=str(begin) if begin else None))

    async def _say(self, request: web.Request) -> web.Response:
        if self.refuse_order is not None:
            return json_reply(self.refuse_order, self.refuse_order.status)
        wish = ChatSend.model_validate_json(await request.text())
        own = self._own(request)
        message = self.write(own, self._names[own], wish.text, nonce=wish.nonce)
        await self.tell(ChatEvent(message=message))
        return json_reply(message, 201)

    async def _unsay(self, request: web.Request) -> web.Response:
        await self.tell(ChatDeletedEvent(id=int(request.match_info["message"])))
        return web.Response(status=204)

    async def _lobby(self, request: web.Request) -> web.Response:
        return json_reply(LobbyList(items=self.lobby))

    async def _dial_in(self, request: web.Request) -> web.Response:
        return json_reply(
            DialIn(
                numbers=["+44 20 7946 0018"],
                room_number="4711" if self.telephones else None,
                pin_needed=True,
                pin="2468" if self.role == "host" else None,
                sip_uri="sip:4711@meet.test" if self.telephones else None,
            )
        )

    async def _invitations(self, request: web.Request) -> web.Response:
        return json_reply(InvitationList(items=self.invitations))

    async def _invite(self, request: web.Request) -> web.Response:
        wish = InvitationCreate.model_validate_json(await request.text())
        made = InvitationMade(
            id=f"i{len(self.invitations)}", role=wish.role, note=wish.note, created_at=1.0, created_by="ada",
            expires_at=wish.expires_at, max_uses=wish.max_uses, uses=0, secret="secret",
            url=f"{self.url}/r/blue-fox#invitation=secret",
        )  # fmt: skip
        self.invitations.append(InvitationInfo.model_validate(made.model_dump(exclude={"url", "secret"})))
        return json_reply(made, 201)

    async def _order(self, request: web.Request) -> web.Response:
        """What is noted, and done as far as the page sees it."""
        if self.refuse_order is not None:
            return json_reply(self.refuse_order, self.refuse_order.status)
        path = request.path.split("/blue-fox", 1)[1]
        body = await request.json() if request.can_read_body else None
        self.orders.append((request.method, path, body))
        if path == "/mute-all":
            MuteAll.model_validate(body)
            return json_reply(Muted(muted=2))
        if path.startswith("/lobby"):
            self.lobby = [one for one in self.lobby if path != "/lobby" and one.participant not in path]
            await self.tell(LobbyEvent(waiting=self.lobby))
        if path.startswith("/participants/"):
            await self._person(request.match_info["participant"], request, body)
        if request.match_info.get("invitation"):
            self.invitations.clear()
        return web.Response(status=204)

    async def _person(self, participant: str, request: web.Request, body: Any) -> None:
        if request.path.endswith("/move"):
            ParticipantMove.model_validate(body)
        elif request.method == "DELETE":
            del self.people[participant]
            await self.tell_roster()
        else:
            wish = ParticipantPatch.model_validate(body)
            changed = wish.model_dump(include={"muted", "role"}, exclude_none=True)
            await self.change(participant, **changed)
            if wish.may_speak:
                hands = [hand for hand in self.state.hands if hand.participant != participant]
                await self.now_is(speakers=[*self.state.speakers, participant], hands=hands)

    def _own(self, request: web.Request) -> str:
        return self._tokens[request.headers["Authorization"].removeprefix("Bearer ")]
