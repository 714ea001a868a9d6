"""Internal ports: each service by its own health, readiness and figures; and whether strangers can reach them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import Any

import aiohttp

from confero.ports import PORTS, find

from .findings import NotTried, Told, Unwell, fail, ok, skip, warn
from .patient import Patient
from .place import Row, Spot
from .web import SKEW_S
from .wire import Wire
from .words import NAMES, met

PROBE_S = 2.0
HEALTH: dict[str, Row] = {
    "appserver": ("appserver", "http"),
    "notifier": ("notifier", "http"),
    "mcu": ("mcu", "http"),
    "sipgw": ("sipgw", "control"),
    "turn": ("turn", "control"),
    "edge": ("edge", "control"),
}
"""The port with ``/health``, ``/ready`` and ``/metrics``."""
CONDITIONS: dict[str, tuple[str, str]] = {
    "started": (
        "it is still starting, or drains",
        "wait; if it stays so, see its log for what it waits for",
    ),
    "database": (
        "it cannot reach its database",
        "see that the server of [appserver] database_url runs, lets this machine in, and has the user and the database",
    ),
}
"""What a condition of ``/ready`` means when it is not met."""
FULL = 0.8
"""Share of the files that may be open beyond which it gets tight."""
FILES: dict[str, tuple[str, float]] = {"appserver": ("max_websockets", 2.2), "mcu": ("max_legs", 0.5)}
"""A setting of a service, and how many open files it may come to for each of them: two sockets for a browser that is passed on;
browsers share a media socket, and of telephones, with two each, not everybody is one."""


def service(name: str) -> Callable[[Patient], Awaitable[Told]]:
    """Whether a service answers, and is ready."""

    async def check(patient: Patient) -> Told:
        spot = _spot_of(patient, name)
        await _get(patient, name, spot, "/health")
        status, body, date = await _get(patient, name, spot, "/ready")
        conditions = body.get("checks", {}) if isinstance(body, dict) else {}
        if status == 200:
            return _in_time(patient, name, date) or ok(f"{NAMES[name]}: healthy and ready")
        for condition, met_ in conditions.items():
            if not met_:
                what, advice = CONDITIONS.get(condition, (f"{condition} is not met", "see its log"))
                return fail(f"{NAMES[name]}: not ready, {what}", advice)
        return fail(f"{spot}/ready answers {status}", f"something else than the {NAMES[name]} listens there")

    return check


async def database(patient: Patient) -> Told:
    """The application server's own round trip to its database, which it makes for ``/ready``."""
    spot = _spot_of(patient, "appserver")
    kind = _database_of(patient)
    try:
        _, body, _ = await _get(patient, "appserver", spot, "/ready")
    except Unwell as error:
        raise NotTried("the application server does not answer: see 'appserver'") from error
    answers = body.get("checks", {}).get("database") if isinstance(body, dict) else None
    if answers is None:
        return skip("what answers there is not the application server: see 'appserver'")
    if not answers:
        what, advice = CONDITIONS["database"]
        return fail(f"{kind}: the application server asks, and gets no answer within its 2 s", f"{what}: {advice}")
    return ok(f"{kind}, asked by the application server")


async def exposure(patient: Patient) -> Told:
    """Internal ports are for the services alone."""
    place = patient.place
    if place.inside:
        return _bound_too_openly(patient)
    rows = [
        (entry.service, entry.purpose)
        for entry in PORTS
        if entry.exposure == "internal" and entry.low == entry.high and entry.service in NAMES
    ]
    tried = await asyncio.gather(*(_answers(patient, Spot(place.name, find(*row).number), row) for row in rows))
    open_ = [f"{find(*row)} ({NAMES[row[0]]})" for row, answers in zip(rows, tried, strict=True) if answers]
    if open_:
        return fail(
            f"from here everybody reaches the internal ports {', '.join(open_)}",
            "bind them to loopback or an internal address ([...] http_host), and close them in the firewall",
        )
    return ok("no internal port answers from here")


async def limits(patient: Patient) -> Told:
    """Open files of each service against what it may have, by its own figures."""
    named = [name for name in patient.place.configs if name in HEALTH]
    found = await asyncio.gather(*(_files(patient, name) for name in named))
    known = {name: files for name, files in zip(named, found, strict=True) if files}
    if not known:
        raise NotTried("no service tells its figures")
    for name, (used, most) in known.items():
        if used > FULL * most:
            return fail(f"{NAMES[name]}: {used:.0f} of {most:.0f} files are open", _raise_files(name))
        setting, each = FILES.get(name, ("", 0.0))
        wanted = float(patient.place.setting(name, setting, 0) or 0) * each if setting else 0.0
        if most < wanted:
            return warn(
                f"{NAMES[name]}: {most:.0f} files may be open, {wanted:.0f} are needed for [{name}] {setting}",
                _raise_files(name) + f", or lower [{name}] {setting}",
            )
    least = min(known, key=lambda name: known[name][1])
    return ok(
        f"{known[least][1]:.0f} files or more for each service, at most {max(f[0] for f in known.values()):.0f} open"
    )


def _raise_files(name: str) -> str:
    return (
        f"raise the hard limit of open files of confero-{name} (LimitNOFILE= of its unit, ulimit -Hn, --ulimit nofile=)"
    )


async def _files(patient: Patient, name: str) -> tuple[float, float] | None:
    spot = patient.place.spot(HEALTH[name])
    if spot is None:
        return None
    try:
        async with patient.http.get(f"http://{spot}/metrics") as response:
            text = await response.text()
    except (aiohttp.ClientError, OSError, TimeoutError):
        return None
    figures = dict(line.split(" ", 1) for line in text.splitlines() if line.startswith("process_") and " " in line)
    with contextlib.suppress(KeyError, ValueError):
        return float(figures["process_open_fds"]), float(figures["process_max_fds"])
    return None


def _spot_of(patient: Patient, name: str) -> Spot:
    """Raises NotTried."""
    spot = patient.place.spot(HEALTH[name])
    if spot is None:
        raise NotTried(f"no {NAMES[name]} is installed or configured here")
    return spot


async def _get(patient: Patient, name: str, spot: Spot, path: str) -> tuple[int, Any, str]:
    """Status, JSON and date. Raises Unwell for no answer, and for one that is no service's."""
    try:
        async with patient.http.get(f"http://{spot}{path}", allow_redirects=False) as response:
            body = await response.json(content_type=None) if "json" in response.content_type else None
            status, date = response.status, response.headers.get("Date", "")
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        found = met(error, spot, HEALTH[name])
        raise Unwell(found.what, found.advice) from error
    if not isinstance(body, dict) or "status" not in body:
        raise Unwell(f"{spot}{path} answers {status}, and not as the {NAMES[name]}", "something else has its port")
    return status, body, date


def _in_time(patient: Patient, name: str, date: str) -> Told | None:
    """A service on another machine may have another clock."""
    with contextlib.suppress(TypeError, ValueError):
        skew = parsedate_to_datetime(date).timestamp() - patient.clock.wall()
        if abs(skew) > SKEW_S:
            return fail(
                f"{NAMES[name]}: its clock is {abs(skew):.0f} s {'ahead' if skew > 0 else 'behind'}",
                "let all machines keep time by NTP: services refuse each other's tokens beyond 10 s",
            )
    return None


def _database_of(patient: Patient) -> str:
    """Kind and host, without user and password."""
    url = patient.place.setting("appserver", "database_url")
    if url is None:
        return "SQLite in the state folder"
    text = url.get_secret_value()
    kind = text.partition(":")[0].partition("+")[0]
    where = text.rpartition("@")[2].partition("/")[0] if "@" in text else ""
    return f"{kind} at {where}" if where else kind


def _bound_too_openly(patient: Patient) -> Told:
    found = []
    for row in HEALTH.values():
        host = str(patient.place.setting(row[0], "http_host", "127.0.0.1"))
        if patient.place.spot(row) is not None and not _is_internal(host):
            found.append(f"[{row[0]}] http_host = {host}")
    if found:
        return warn(
            f"internal ports are bound for everybody: {', '.join(found)}",
            "bind them to loopback or an internal address, or see that a firewall closes them; try it by "
            "'confero doctor --outside --address HOST' from elsewhere",
        )
    return ok("internal ports are bound to loopback or internal addresses")


def _is_internal(host: str) -> bool:
    with contextlib.suppress(ValueError):
        address = ip_address(host)
        return address.is_private and not address.is_unspecified
    return host == "localhost"


async def _answers(patient: Patient, spot: Spot, row: Row) -> bool:
    """Whether one of our services, or a database, answers there; another web server on port 80 does not count."""
    try:
        wire = await Wire.connect("tcp", spot, seconds=PROBE_S)
    except (OSError, TimeoutError):
        return False
    await wire.close()
    if row not in HEALTH.values():
        return True
    with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError, ValueError):
        async with patient.http.get(f"http://{spot}/health", allow_redirects=False) as response:
            body = await response.json(content_type=None) if response.status == 200 else None
            return isinstance(body, dict) and body.get("status") == "ok"
    return False
