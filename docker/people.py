"""People of a system in containers: the first account by its link, sign-in, a room with a PIN, a meeting with sound, its record.

With ``--again``, after a restart: who was signed in still is, the room has its PIN, the record is there, and people meet once more.
Prints one line per fact and ``N passed, N failed``; exits with 1 if any failed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import ssl
import sys
import tempfile
from pathlib import Path
from typing import Any

import aiohttp

from confero.errors import RemoteError
from confero.lab.members import WebRtcMember
from confero.lab.signals import analysis, sources
from confero.models import JoinReply

LOGIN, PASSWORD, PIN = "ada", "seven kettles in the moss", "482913"
COOKIE = "__Host-confero"
TONES = {"Ada": 433.0, "Grace": 719.0}
HEARD_DBFS = -35.0
LISTEN_S = 2.0
RECORDED_WITHIN_S = 30.0
Fact = tuple[str, bool]


class Visitor:
    """Somebody with a browser's cookie; ``close`` it."""

    def __init__(self, page: str, tls: ssl.SSLContext, cookie: str = "") -> None:
        self.cookie, self._csrf = cookie, ""
        self._page, self._tls = page, tls
        self._http = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and JSON."""
        headers = {"Cookie": f"{COOKIE}={self.cookie}"} if self.cookie else {}
        if method != "GET" and self._csrf:
            headers["X-CSRF-Token"] = self._csrf
        url = f"{self._page}/api/v1/{path}"
        async with self._http.request(method, url, json=body, headers=headers, ssl=self._tls) as response:
            if COOKIE in response.cookies:
                self.cookie = response.cookies[COOKIE].value
            found = await response.json(content_type=None) if response.status != 204 else {}
            self._csrf = found.get("csrf") or self._csrf
            return response.status, found

    async def sign_in(self) -> Fact:
        status, found = await self.ask("POST", "session", {"login": LOGIN, "password": PASSWORD})
        return "signs in by the password", status in (200, 201) and found["user"]["login"] == LOGIN

    async def join(self, room: str, name: str, **shows: str) -> tuple[int, Any]:
        return await self.ask("POST", f"rooms/{room}/join", {"display_name": name, **shows})

    async def member(self, room: str, name: str, hertz: float) -> WebRtcMember:
        """Somebody with a place in the room, by its PIN."""
        status, found = await self.join(room, name, pin=PIN)
        if status != 200:
            raise RemoteError(f"{name} gets no place: {found.get('title')}", status=status)
        said = sources.tone(hertz, 60.0, dbfs=-14)
        joined = JoinReply.model_validate(found)
        return WebRtcMember(name, said, page_url=self._page, room=room, tls=self._tls, joined=joined)

    async def close(self) -> None:
        await self._http.close()


async def meet(visitor: Visitor, room: str) -> list[Fact]:
    """Two who know the PIN hear each other; nobody comes in without. ``visitor``: has no account."""
    facts = [("whoever shows no PIN stays outside", (await visitor.join(room, "Stranger"))[0] == 403)]
    people = [await visitor.member(room, name, hertz) for name, hertz in TONES.items()]
    try:
        for one in people:
            await one.join()
        await asyncio.sleep(1.0)
        for one in people:
            one.heard.clear()
        await asyncio.sleep(LISTEN_S)
        for one, other in zip(people, reversed(people), strict=True):
            level = analysis.tone_db(one.heard.signal(), TONES[other.name], window_s=0.5)
            facts.append((f"{one.name} hears {other.name} ({level:.0f} dBFS)", level > HEARD_DBFS))
    finally:
        await asyncio.gather(*(one.leave() for one in people))
    return facts


async def recorded(visitor: Visitor, room: str, count: int) -> tuple[list[Any], Fact]:
    """The room's meetings once so many are over."""
    over: list[Any] = []
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(RECORDED_WITHIN_S):
            while len(over) < count:
                _, found = await visitor.ask("GET", f"meetings?room={room}")
                over = [one for one in found["items"] if one["ended_at"] is not None]
                await asyncio.sleep(0.2)
    right = len(over) == count and all(one["participants"] == len(TONES) for one in over)
    return over, (f"{count} on record, of {len(TONES)} people each", right)


async def first(options: argparse.Namespace, tls: ssl.SSLContext) -> list[Fact]:
    """Everything for the first time; what is to be there afterwards is written into ``--kept``."""
    secret = options.setup.read_text().strip()
    ada, thief = Visitor(options.page, tls), Visitor(options.page, tls)
    wish = {"secret": secret, "login": LOGIN, "display_name": "Ada", "password": PASSWORD}
    facts = [("the set-up link makes the first account", (await ada.ask("POST", "setup", wish))[0] == 201)]
    used = (await thief.ask("POST", "setup", {**wish, "login": "thief"}))[0]
    facts += [("the link is good once", used == 403), await ada.sign_in()]
    status, room = await ada.ask("POST", "rooms", {"name": "Planning", "pin": PIN, "permanent": True})
    facts += [("makes a room with a PIN", status == 201), *await meet(thief, room["id"])]
    meetings, fact = await recorded(ada, room["id"], 1)
    kept = {"cookie": ada.cookie, "room": room["id"], "meetings": [one["id"] for one in meetings]}
    options.kept.touch(mode=0o600)
    options.kept.write_text(json.dumps(kept))
    await ada.close()
    await thief.close()
    return [*facts, fact]


async def again(options: argparse.Namespace, tls: ssl.SSLContext) -> list[Fact]:
    """After a restart of all containers."""
    kept = json.loads(options.kept.read_text())
    ada = Visitor(options.page, tls, kept["cookie"])
    anew, guest = Visitor(options.page, tls), Visitor(options.page, tls)
    _, session = await ada.ask("GET", "session")
    facts = [
        ("whoever was signed in still is", (session["user"] or {}).get("login") == LOGIN),
        ("no first account is wanted any more", not session["setup_needed"]),
        await anew.sign_in(),
    ]
    _, room = await ada.ask("GET", f"rooms/{kept['room']}")
    facts += [("the room has its PIN", room["pin"] == PIN), *await meet(guest, kept["room"])]
    meetings, fact = await recorded(ada, kept["room"], 2)
    there = set(kept["meetings"]) <= {one["id"] for one in meetings}
    for visitor in (ada, anew, guest):
        await visitor.close()
    return [*facts, fact, ("the record of the first meeting is there", there)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--page", required=True, help="origin of the web client, as it is published")
    parser.add_argument("--ca", type=Path, required=True, help="certificate authority of the installation")
    parser.add_argument("--setup", type=Path, help="file with the secret of the set-up link")
    parser.add_argument(
        "--kept", type=Path, default=Path(tempfile.gettempdir()) / "confero-people", help="between both runs"
    )
    parser.add_argument("--again", action="store_true", help="after a restart")
    options = parser.parse_args()
    tls = ssl.create_default_context(cafile=str(options.ca))
    facts = asyncio.run((again if options.again else first)(options, tls))
    for text, holds in facts:
        sys.stdout.write(f"{'ok    ' if holds else 'FAILED'} {text}\n")
    failed = sum(not holds for _, holds in facts)
    sys.stdout.write(f"{len(facts) - failed} passed, {failed} failed\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
