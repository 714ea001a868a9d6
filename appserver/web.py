"""The pages and what protects them: files with entity tags, and the headers of every public answer."""

from __future__ import annotations

import re

from aiohttp import hdrs, web

from confero.errors import Refused
from confero.runtime.http import Route

from .assets import Assets

HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(:\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:\d{1,5})?")
"""A Host header that may be repeated in an answer."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:; "
    "connect-src 'self'{socket}; media-src 'self' blob: mediastream:; manifest-src 'self'; worker-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Everything the page needs is on its own origin. The WebSocket is named because not every browser counts it as 'self'."""

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",  # a room's address is its key
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), camera=(self), display-capture=(self), geolocation=(), payment=(), usb=()",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",  # unless an answer says otherwise, as the pages' files do
}
HSTS = "max-age=31536000"
"""Only with the operator's own certificate: with the local CA it would forbid the exception that people have to make."""


CLIENT = (
    "/",
    "/r/{room}",
    "/signin",
    "/signup",
    "/setup",
    "/forgot",
    "/reset",
    "/rooms",
    "/rooms/{room}",
    "/records",
    "/records/{meeting}",
    "/me",
    "/admin",
    "/admin/{part}",
    "/api",
)
"""Addresses of the web client; which of its pages each one is, the client knows (``static/js/router.js``)."""


class Pages:
    """Serves the web client."""

    def __init__(self, assets: Assets, *, hsts: bool) -> None:
        self._assets = assets
        self._hsts = hsts

    def routes(self) -> list[Route]:
        pages = (
            *((path, self.index) for path in CLIENT),
            ("/static/{path:.+}", self.file),
            ("/favicon.ico", self.icon),
            ("/robots.txt", self.robots),
        )
        return [Route(method, path, handler, documented=False) for path, handler in pages for method in ("GET", "HEAD")]

    async def index(self, request: web.Request) -> web.Response:
        return self._serve(request, "index.html")

    async def file(self, request: web.Request) -> web.Response:
        return self._serve(request, request.match_info["path"])

    async def icon(self, request: web.Request) -> web.Response:
        return self._serve(request, "icons/confero.svg")

    async def robots(self, request: web.Request) -> web.Response:
        return web.Response(text="User-agent: *\nDisallow: /\n")

    def _serve(self, request: web.Request, name: str) -> web.Response:
        asset = self._assets.find(name)
        if asset is None:
            raise Refused("There is no such page.", status=404, code="not-found")
        headers = {hdrs.ETAG: asset.etag, hdrs.CACHE_CONTROL: "no-cache"}  # kept, and asked for again by its tag
        tags = request.headers.get(hdrs.IF_NONE_MATCH, "")
        if asset.etag in (tag.strip().removeprefix("W/") for tag in tags.split(",")):
            return web.Response(status=304, headers=headers)
        return web.Response(body=asset.body, headers={**headers, hdrs.CONTENT_TYPE: asset.content_type})

    async def protect(self, request: web.Request, response: web.StreamResponse) -> None:
        """Runs before the head of any public answer goes out (``on_response_prepare``)."""
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers["Content-Security-Policy"] = policy(request.headers.get(hdrs.HOST, ""))
        if self._hsts:
            response.headers["Strict-Transport-Security"] = HSTS


BAD_HOST = "400 bad-host"
"""What routes may answer that use ``origin_of``."""


def policy(host: str) -> str:
    """The Content-Security-Policy for a page asked for under this Host."""
    return POLICY.format(socket=f" wss://{host}" if HOST.fullmatch(host) else "")


def origin_of(request: web.Request, public_url: str) -> str:
    """Where people reach the page: as configured, or as this request did. Raises Refused 400 for a Host that is none."""
    if public_url:
        return public_url
    host = request.headers.get(hdrs.HOST, "")
    if not HOST.fullmatch(host):
        raise Refused("The Host header is not valid.", status=400, code="bad-host")
    return f"{request.scheme}://{host}"
