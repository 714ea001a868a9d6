"""Signing in and out, and one's own account."""

from __future__ import annotations

from pydantic import BaseModel

from confero.models.accounts import (
    AccountEnd,
    DeviceList,
    EventsToken,
    KeyCreate,
    KeyList,
    KeyMade,
    MePatch,
    PasswordChange,
    ResetRequest,
    ResetUse,
    SessionInfo,
    SetupRequest,
    SignIn,
    SignUp,
    UserInfo,
)

from .parts import Part, at
from .transport import Proof, parsed


class Session(Part):
    """``/api/v1/session`` and the ways to one: from then on the client shows its cookie. All raise ApiError."""

    async def set_up(self, wish: SetupRequest) -> SessionInfo:
        """The first administrator, by the secret of the printed link."""
        return await self._begin(at("setup"), wish)

    async def sign_up(self, wish: SignUp) -> SessionInfo:
        return await self._begin(at("accounts"), wish)

    async def sign_in(self, wish: SignIn) -> SessionInfo:
        return await self._begin(at("session"), wish)

    async def get(self) -> SessionInfo:
        """Who is signed in."""
        found = await self._to.call("GET", at("session"), SessionInfo)
        self._to.proof.csrf = found.csrf
        return found

    async def sign_out(self) -> None:
        await self._to.send("DELETE", at("session"))
        self._show(Proof())

    async def ask_reset(self, wish: ResetRequest) -> None:
        """A link to a new password is mailed, if there is such an account."""
        await self._to.send("POST", at("password-resets"), wish)

    async def reset(self, wish: ResetUse) -> None:
        await self._to.send("POST", at("password-resets", "use"), wish)

    async def _begin(self, path: str, wish: BaseModel) -> SessionInfo:
        answer = await self._to.send("POST", path, wish)
        found = parsed(answer.body, SessionInfo)
        self._show(Proof(cookie=answer.cookie or "", csrf=found.csrf))
        return found

    def _show(self, proof: Proof) -> None:
        """In place: every part of the client holds the same proof."""
        known = self._to.proof
        known.bearer, known.cookie, known.csrf = proof.bearer, proof.cookie, proof.csrf


class Me(Part):
    """``/api/v1/me``. All raise ApiError."""

    async def get(self) -> UserInfo:
        return await self._to.call("GET", at("me"), UserInfo)

    async def change(self, wish: MePatch) -> UserInfo:
        return await self._to.call("PATCH", at("me"), UserInfo, wish)

    async def change_password(self, wish: PasswordChange) -> None:
        await self._to.send("PUT", at("me", "password"), wish)

    async def delete(self, wish: AccountEnd) -> None:
        await self._to.send("POST", at("me", "delete"), wish)

    async def sessions(self) -> DeviceList:
        return await self._to.call("GET", at("me", "sessions"), DeviceList)

    async def end_session(self, session: str) -> None:
        await self._to.send("DELETE", at("me", "sessions", session))

    async def end_other_sessions(self) -> None:
        await self._to.send("DELETE", at("me", "sessions"))

    async def events_token(self) -> EventsToken:
        """To hear of changes to what is one's own, at ``/events``."""
        return await self._to.call("POST", at("me", "events"), EventsToken)

    async def keys(self) -> KeyList:
        return await self._to.call("GET", at("me", "keys"), KeyList)

    async def make_key(self, wish: KeyCreate) -> KeyMade:
        """Its ``key`` is told this once."""
        return await self._to.call("POST", at("me", "keys"), KeyMade, wish, makes=True)

    async def delete_key(self, key: str) -> None:
        await self._to.send("DELETE", at("me", "keys", key))
