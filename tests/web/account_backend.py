"""The pretended application server with accounts, rooms of people, and records: what the pages beside the meeting need."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from pydantic import ValidationError

from confero.ids import new_id
from confero.models import ChangedEvent, Hello, Ok, Position, Problem, UserWelcome
from confero.models.accounts import (
    AccountEnd,
    AuditEntry,
    AuditPage,
    DeviceList,
    EventsToken,
    KeyCreate,
    KeyInfo,
    KeyList,
    KeyMade,
    MePatch,
    PasswordChange,
    ResetLink,
    ResetRequest,
    ResetUse,
    SessionInfo,
    SetupRequest,
    SignIn,
    SignUp,
    UserCreate,
    UserInfo,
    UserPage,
    UserPatch,
)

from .account_world import World
from .backend import Backend, json_reply, problem

COOKIE = "confero"
Handler = Callable[[web.Request], Awaitable[web.Response]]
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")


class Refusal(Exception):
    def __init__(self, code: str, status: int, errors: list[dict[str, Any]] | None = None) -> None:
        super().__init__(code)
        self.problem = problem(code, status).model_copy(update={"errors": errors or []})


class AccountBackend(Backend):
    """Attributes of ``World`` are what there is; ``refuse`` answers the next call of a path with a problem."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(self)
        self.session = SessionInfo(csrf="proof-1", sign_up=True, mail=True)
        self.passwords: dict[str, str] = {}
        self.secrets: list[str] = []
        """Of one-time links that were shown."""
        self.resets: list[str] = []
        self.proofs: list[str] = []
        """What came as X-CSRF-Token."""
        self.refuse: dict[str, Problem] = {}
        """Path without /api/v1 -> problem, until taken back."""
        self.answers_lost = 0
        """So many of the next answers to those who make something get lost on their way."""
        self.keys: list[str] = []
        """What came as Idempotency-Key, lost answers included."""
        self.kept: dict[str, tuple[str, bytes]] = {}
        """Key -> what was asked under it, and the answer."""
        self.retry_after_s = 0
        """Told with each of these problems."""
        self.listeners: dict[web.WebSocketResponse, Position] = {}
        """Pages that hear what changes, and where they are."""
        self.asked: list[str] = []
        """Method and path of each call, as they came."""

    # --- what tests do to it --------------------------------------------------------------------------------------

    def account(self, login: str, name: str, password: str = "correct horse", **fields: Any) -> UserInfo:
        given: dict[str, Any] = {"role": "user", **fields}
        user = UserInfo(id=new_id("usr"), login=login, display_name=name, created_at=time.time() - 9e5, **given)
        self.world.users[user.id] = user
        self.passwords[user.id] = password
        return user

    def sign_in(self, user: UserInfo) -> None:
        """As if the browser had the cookie already."""
        self.session = self.session.model_copy(update={"user": user, "csrf": new_id("csrf")})

    # --- routes ---------------------------------------------------------------------------------------------------

    def extend(self, app: web.Application) -> None:
        table: dict[str, Handler] = {
            "GET /session": self._session,
            "POST /session": self._sign_in,
            "DELETE /session": self._sign_out,
            "POST /setup": self._set_up,
            "POST /accounts": self._sign_up,
            "POST /password-resets": self._ask_reset,
            "POST /password-resets/use": self._use_reset,
            "PATCH /me": self._patch_me,
            "PUT /me/password": self._password,
            "POST /me/delete": self._end,
            "GET /me/sessions": self._devices,
            "DELETE /me/sessions": self._end_devices,
            "DELETE /me/sessions/{id}": self._end_device,
            "GET /me/keys": self._keys,
            "POST /me/keys": self._make_key,
            "DELETE /me/keys/{id}": self._end_key,
            "GET /users": self._users,
            "POST /users": self._make_user,
            "PATCH /users/{id}": self._patch_user,
            "DELETE /users/{id}": self._delete_user,
            "POST /users/{id}/reset-link": self._reset_link,
            "GET /audit": self._audit,
            "POST /me/events": self._events_token,
            **self.world.table(),
        }
        for name, handler in table.items():
            method, path = name.split()
            app.router.add_route(method, f"/api/v1{path}", self._guarded(handler))

    def _guarded(self, handler: Handler) -> Handler:
        async def answer(request: web.Request) -> web.Response:
            path = request.path.removeprefix("/api/v1")
            self.asked.append(f"{request.method} {request.path_qs.removeprefix('/api/v1')}")
            try:
                self._prove(request, path)
                return await self._once(request, handler)
            except ValidationError as error:
                faults = [
                    {"loc": ".".join(map(str, one["loc"])), "type": one["type"], "msg": one["msg"]}
                    for one in error.errors()
                ]
                return json_reply(Refusal("invalid-body", 422, faults).problem, 422)
            except Refusal as refusal:
                reply = json_reply(refusal.problem, refusal.problem.status)
                if self.retry_after_s:
                    reply.headers["Retry-After"] = str(self.retry_after_s)
                return reply

        return answer

    async def _once(self, request: web.Request, handler: Handler) -> web.Response:
        """Idempotency keys, as docs/api.md has them."""
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return await handler(request)
        self.keys.append(key)
        asked = f"{request.path} {await request.text()}"
        if key not in self.kept:
            made = await handler(request)
            if made.status >= 400:
                return made
            assert made.status == 201 and isinstance(made.body, bytes)
            self.kept[key] = asked, made.body
        elif self.kept[key][0] != asked:
            raise Refusal("idempotency-key-used", 422)
        if self.answers_lost:
            self.answers_lost -= 1
            return web.Response(status=502)
        return web.Response(body=self.kept[key][1], status=201, content_type="application/json")

    def _prove(self, request: web.Request, path: str) -> None:
        refused = self.refuse.get(path)
        if refused is not None:
            raise Refusal(refused.type.rsplit(":", 1)[1], refused.status)
        if request.method in UNSAFE:
            self.proofs.append(request.headers.get("X-CSRF-Token", ""))
            if self.proofs[-1] != self.session.csrf:
                raise Refusal("csrf", 403)

    @property
    def me(self) -> UserInfo:
        if self.session.user is None:
            raise Refusal("sign-in-needed", 401)
        return self.session.user

    def _enter(self, user: UserInfo, status: int = 200) -> web.Response:
        self.sign_in(user)
        return json_reply(self.session, status)

    # --- news -----------------------------------------------------------------------------------------------------

    async def changes(self, what: str, room: str | None = None) -> None:
        """All pages that listen hear of it."""
        for ws, topic in self.listeners.items():
            event = ChangedEvent.model_validate({"what": what, "room": room})
            self.listeners[ws] = topic.model_copy(update={"seq": topic.seq + 1})
            await ws.send_json({"topic": topic.topic, "seq": topic.seq + 1, **event.model_dump(mode="json")})

    async def _events_token(self, request: web.Request) -> web.Response:
        return json_reply(EventsToken(token=f"news-of-{self.me.id}", expires_at=time.time() + 600))

    async def _events(self, request: web.Request) -> web.WebSocketResponse:
        """An account's session: it is greeted, and its requests are answered."""
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        hello = Hello.model_validate_json(await ws.receive_str(timeout=5))
        user = hello.token.removeprefix("news-of-")
        topic = Position(topic=f"user:{user}", epoch="ep_1", seq=0)
        welcome = UserWelcome(session=new_id("ses"), topics=[topic], resumed=False, user=user)
        await ws.send_str(welcome.model_dump_json())
        self.listeners[ws] = topic
        try:
            async for message in ws:
                wish = message.json()
                await ws.send_str(Ok(id=wish["id"]).model_dump_json())
                if wish["type"] == "leave":
                    await ws.close()
        finally:
            del self.listeners[ws]
        return ws

    async def drop_connections(self, code: int | None = None) -> None:
        await super().drop_connections(code)
        for ws in list(self.listeners):
            await ws.close(code=code or 1012)

    # --- coming and going -----------------------------------------------------------------------------------------

    async def _session(self, request: web.Request) -> web.Response:
        return json_reply(self.session)

    async def _sign_in(self, request: web.Request) -> web.Response:
        wish = SignIn.model_validate_json(await request.text())
        for user in self.world.users.values():
            if user.login == wish.login and self.passwords[user.id] == wish.password.get_secret_value():
                return self._enter(user)
        raise Refusal("sign-in-refused", 401)

    async def _sign_out(self, request: web.Request) -> web.Response:
        self.session = self.session.model_copy(update={"user": None, "csrf": new_id("csrf")})
        return web.Response(status=204)

    async def _set_up(self, request: web.Request) -> web.Response:
        wish = SetupRequest.model_validate_json(await request.text())
        self.secrets.append(wish.secret.get_secret_value())
        user = self.account(wish.login, wish.display_name, wish.password.get_secret_value(), role="admin")
        self.session = self.session.model_copy(update={"setup_needed": False})
        return self._enter(user, 201)

    async def _sign_up(self, request: web.Request) -> web.Response:
        wish = SignUp.model_validate_json(await request.text())
        if any(user.login == wish.login for user in self.world.users.values()):
            raise Refusal("login-taken", 409)
        return self._enter(
            self.account(wish.login, wish.display_name, wish.password.get_secret_value(), mail=wish.mail), 201
        )

    async def _ask_reset(self, request: web.Request) -> web.Response:
        self.resets.append(ResetRequest.model_validate_json(await request.text()).login)
        return web.Response(status=202)

    async def _use_reset(self, request: web.Request) -> web.Response:
        wish = ResetUse.model_validate_json(await request.text())
        self.secrets.append(wish.secret.get_secret_value())
        return web.Response(status=204)

    # --- the own account ------------------------------------------------------------------------------------------

    async def _patch_me(self, request: web.Request) -> web.Response:
        wish = MePatch.model_validate_json(await request.text())
        self._check(self.me, wish.password.get_secret_value() if wish.password else None, needed=wish.mail is not None)
        given = {"display_name": wish.display_name, "mail": wish.mail}
        user = self.me.model_copy(update={name: value for name, value in given.items() if value is not None})
        self.world.users[user.id] = user
        self.session = self.session.model_copy(update={"user": user})
        return json_reply(user)

    def _check(self, user: UserInfo, password: str | None, *, needed: bool = True) -> None:
        if needed and self.passwords[user.id] != password:
            raise Refusal("password-wrong", 403)

    async def _password(self, request: web.Request) -> web.Response:
        wish = PasswordChange.model_validate_json(await request.text())
        self._check(self.me, wish.current.get_secret_value())
        self.passwords[self.me.id] = wish.new.get_secret_value()
        self.world.devices = [one for one in self.world.devices if one.current]
        return web.Response(status=204)

    async def _end(self, request: web.Request) -> web.Response:
        self._check(self.me, AccountEnd.model_validate_json(await request.text()).password.get_secret_value())
        del self.world.users[self.me.id]
        return await self._sign_out(request)

    async def _devices(self, request: web.Request) -> web.Response:
        return json_reply(DeviceList(items=self.world.devices))

    async def _end_devices(self, request: web.Request) -> web.Response:
        self.world.devices = [one for one in self.world.devices if one.current]
        return web.Response(status=204)

    async def _end_device(self, request: web.Request) -> web.Response:
        self.world.devices = [one for one in self.world.devices if one.id != request.match_info["id"]]
        return web.Response(status=204)

    async def _keys(self, request: web.Request) -> web.Response:
        return json_reply(KeyList(items=self.world.keys))

    async def _make_key(self, request: web.Request) -> web.Response:
        wish = KeyCreate.model_validate_json(await request.text())
        made = KeyMade(
            id=new_id("key"),
            name=wish.name,
            scopes=wish.scopes,
            created_at=time.time(),
            expires_at=wish.expires_at,
            hint="ck_f00d",
            key="ck_f00d_0123456789abcdef",
        )
        self.world.keys.append(KeyInfo(**made.model_dump(exclude={"key"})))
        return json_reply(made, 201)

    async def _end_key(self, request: web.Request) -> web.Response:
        self.world.keys = [one for one in self.world.keys if one.id != request.match_info["id"]]
        return web.Response(status=204)

    # --- administrators -------------------------------------------------------------------------------------------

    async def _users(self, request: web.Request) -> web.Response:
        search = request.query.get("search", "").lower()
        found = [one for one in self.world.users.values() if search in f"{one.login} {one.display_name}".lower()]
        return json_reply(UserPage(items=found))

    async def _make_user(self, request: web.Request) -> web.Response:
        wish = UserCreate.model_validate_json(await request.text())
        return json_reply(self.account(wish.login, wish.display_name, role=wish.role, mail=wish.mail), 201)

    async def _patch_user(self, request: web.Request) -> web.Response:
        wish = UserPatch.model_validate_json(await request.text())
        user = self.world.users[request.match_info["id"]]
        self.world.users[user.id] = user.model_copy(update=wish.model_dump(exclude_unset=True))
        return json_reply(self.world.users[user.id])

    async def _delete_user(self, request: web.Request) -> web.Response:
        del self.world.users[request.match_info["id"]]
        return web.Response(status=204)

    async def _reset_link(self, request: web.Request) -> web.Response:
        return json_reply(
            ResetLink(url=f"{self.url}/reset#one-time-secret-of-it", expires_at=time.time() + 86_400), 201
        )

    async def _audit(self, request: web.Request) -> web.Response:
        items: list[AuditEntry] = self.world.audit
        return json_reply(AuditPage(items=items))
