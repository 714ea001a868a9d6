"""A browser without a screen: keeps its cookie and its CSRF token, and sends them as the pages do."""

from __future__ import annotations

from typing import Any

import aiohttp

from .site import Site

PASSWORD = "seven kettles in the moss"
COOKIE = "__Host-confero"


class Browser:
    """``close`` it. ``answer``: headers of the last answer."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._http = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        self.cookie = ""
        self.csrf = ""
        self.answer: aiohttp.ClientResponse

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Status, and JSON where there is some. Header names with _ for -."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookie:
            given.setdefault("Cookie", f"{COOKIE}={self.cookie}")
        if method != "GET" and self.csrf:
            given.setdefault("X-CSRF-Token", self.csrf)
        async with self._http.request(
            method, f"{self._site.url}/api/v1/{path}", json=body, headers=given, ssl=self._site.trust
        ) as response:
            self.answer = response
            if COOKIE in response.cookies:
                self.cookie = response.cookies[COOKIE].value
            found = await response.json() if "json" in response.content_type else None
            if isinstance(found, dict) and found.get("csrf"):
                self.csrf = found["csrf"]
            return response.status, found

    async def sign_up(self, login: str, **more: Any) -> dict[str, Any]:
        wish = {"login": login, "display_name": login.capitalize(), "password": PASSWORD, **more}
        status, found = await self.ask("POST", "accounts", wish)
        assert status == 201, found
        user: dict[str, Any] = found["user"]
        return user

    async def set_up(self, login: str = "root") -> dict[str, Any]:
        """The first administrator, by the link that was printed."""
        wish = {"secret": self._site.app.accounts.desk.setup.secret, "login": login, "display_name": "Root"}
        status, found = await self.ask("POST", "setup", {**wish, "password": PASSWORD})
        assert status == 201, found
        user: dict[str, Any] = found["user"]
        return user

    async def sign_in(self, login: str, password: str = PASSWORD) -> int:
        status, _ = await self.ask("POST", "session", {"login": login, "password": password})
        return status

    async def close(self) -> None:
        await self._http.close()
