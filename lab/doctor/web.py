"""The page's port: the page, its API, the events WebSocket with all that stands behind it, the name, and the clocks."""

from __future__ import annotations

import asyncio
import email.utils
import socket

import aiohttp

from confero.models import SiteInfo

from .findings import NotTried, Told, Unwell, fail, ok, warn
from .patient import REQUEST_S, Patient, problem
from .words import met

NO_TOKEN = "bm90.b25l"
"""Well formed and signed by nobody: it is refused by whoever holds the installation's secret."""
SKEW_S = 10.0
"""Of two clocks: ``confero.tokens`` takes no more between the services."""
BY_CLOSE_CODE: dict[int, tuple[str, str]] = {
    4403: ("the notification server lets nobody in", "see its log"),
    4429: ("too many connections", "wait a minute; then see the limits in docs/configuration.md"),
    4503: (
        "the notification server cannot ask the application server who joins",
        "check [notifier] appserver_url, that it reaches the application server's internal port, and that both have one secret",
    ),
    1012: ("the notification server is being restarted", "wait, and try again"),
}
"""docs/wire.md."""
BY_PROBLEM: dict[str, tuple[str, str]] = {
    "notifier-down": (
        "the application server cannot reach the notification server",
        "start the notification server; check [appserver] notifier_url",
    ),
    "sipgw-down": ("the application server cannot reach the SIP gateway", "start it; check [appserver] sipgw_url"),
    "origin-refused": (
        "the notification server refuses a page of this origin",
        "set [appserver] public_url to the URL that people type, or give the doctor the right name by --address",
    ),
    "too-many-connections": ("too many connections", "raise [appserver] max_websockets, or find who holds them"),
}
"""By the code of the problem that stands in place of the upgrade."""


async def page(patient: Patient) -> Told:
    """``/`` is the web client, and the API behind it answers."""
    try:
        async with patient.http.get(patient.page_url("/"), allow_redirects=False, **patient.page()) as response:
            kind, status = response.content_type, response.status
            server = response.headers.get("Server", "")
            text = await response.content.read(1 << 16)
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        return met(error, patient.place.page, patient.place.page_row).told
    if status != 200 or kind != "text/html" or b"confero" not in text.lower():
        advice = f"{server or 'something else'} answers there: give the port to the application server, or have it pass all on"
        return fail(f"/ answers {status} as {kind}, not with the web client", advice)
    status, body = await patient.api("GET", "/api/v1/site")
    if status != 200:
        code, detail = problem(status, body)
        return fail(f"/api/v1/site answers {status} {code}: {detail}", "see the application server's log")
    SiteInfo.model_validate(body)
    return ok(f"the web client and its API at {patient.place.origin}")


async def events(patient: Patient) -> Told:
    """The WebSocket through the application server to the notifier, and from there back with a token that has to be refused."""
    try:
        async with patient.http.ws_connect(patient.page_url("/events"), **patient.page()) as socket:
            await socket.send_json({"type": "hello", "token": NO_TOKEN})
            async with asyncio.timeout(REQUEST_S):
                async for _ in socket:
                    pass
            code = socket.close_code or 0
    except aiohttp.WSServerHandshakeError:
        return await not_upgraded(patient, "/events")
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        return met(error, patient.place.page, patient.place.page_row).told
    if code == 4401:
        return ok("WebSocket to the notification server, which asks the application server who comes")
    what, advice = BY_CLOSE_CODE.get(
        code, (f"a token that nobody signed was answered by close code {code}", "see the notifier's log")
    )
    return fail(what, advice)


async def not_upgraded(patient: Patient, path: str, subprotocol: str = "") -> Told:
    """Why an upgrade was refused: asked once more for the answer's body, which a WebSocket client does not show."""
    asked = patient.page()
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    asked["headers"] |= upgrade | {"Sec-WebSocket-Key": "Y29uZmVybyBkb2N0b3IhIQ=="}
    if subprotocol:
        asked["headers"]["Sec-WebSocket-Protocol"] = subprotocol
    try:
        async with patient.http.get(patient.page_url(path), **asked) as response:
            body = await response.json(content_type=None) if "json" in response.content_type else None
            status, server = response.status, response.headers.get("Server", "")
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        return met(error, patient.place.page, patient.place.page_row).told
    code, detail = problem(status, body)
    if not code:
        return fail(
            f"{path} answers {status} instead of a WebSocket",
            f"{server or 'what answers there'} does not pass WebSockets on: let it pass Upgrade and Connection",
        )
    what, advice = BY_PROBLEM.get(code, (detail, "see the application server's log"))
    return fail(f"{path} answers {status} {code}: {what}", advice)


async def name(patient: Patient) -> Told:
    """The name that people type has an address."""
    place = patient.place
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(place.name, place.page.port, type=socket.SOCK_STREAM)
    except OSError:
        return fail(
            f"nobody knows the address of {place.name}",
            f"make a DNS record for {place.name}, or set [appserver] public_url to a name that has one",
        )
    addresses = sorted({str(entry[4][0]) for entry in found})
    return ok(f"{place.name} is {', '.join(addresses[:4])}")


async def clock(patient: Patient) -> Told:
    """The server's clock, which stands in each answer, against ours."""
    try:
        async with patient.http.get(patient.page_url("/"), **patient.page()) as response:
            date = response.headers.get("Date", "")
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise NotTried("the page does not answer: see 'page'") from error
    try:
        skew = email.utils.parsedate_to_datetime(date).timestamp() - patient.clock.wall()
    except (TypeError, ValueError):
        raise Unwell("the page's answer has no Date", "what answers there is not the application server") from None
    if abs(skew) > SKEW_S:
        way = "ahead of" if skew > 0 else "behind"
        return warn(
            f"the application server's clock is {abs(skew):.0f} s {way} this machine's",
            "let both keep time by NTP: tokens and TURN credentials live by the clock, and services refuse each other beyond 10 s",
        )
    return ok(f"within {max(1, round(abs(skew)))} s of this machine's")
