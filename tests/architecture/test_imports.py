"""Imports flow one way: the table of who may import whom, and where the libraries that do I/O live."""

from __future__ import annotations

import pytest

from .source import SERVICES, Import, Module, is_module, modules, within

L0 = {"confero"}
"""The package itself holds the version only."""
L1 = {
    *("confero.access", "confero.clock", "confero.errors", "confero.ids", "confero.models", "confero.ports"),
    *("confero.advertised", "confero.lowports", "confero.ratelimit"),
}
PROTOCOLS = {"confero.protocols"}
L2 = {
    *("confero.config", "confero.configsources", "confero.tokens", "confero.turnsecrets"),
    *("confero.media", "confero.relay"),
}
RUNTIME = {"confero.runtime"}
SHARED = L0 | L1 | PROTOCOLS | L2 | RUNTIME
UP = {f"confero.up.{part}" for part in ("front", "plan", "processes", "screen", "specs", "supervisor")}

MAY_IMPORT: dict[str, set[str]] = {
    # L1: facts and small tools. Nothing of ours, but for what stands here.
    "confero": set(),
    "confero.access": set(),
    "confero.advertised": {"confero.errors"},
    "confero.clock": set(),
    "confero.errors": set(),
    "confero.ids": set(),
    "confero.lowports": set(),
    "confero.models": set(),
    "confero.ports": set(),
    "confero.ratelimit": {"confero.clock"},
    # Protocols are independent of one another.
    "confero.protocols": set(),
    "confero.protocols.clienthello": set(),
    "confero.protocols.sniff": {"confero.protocols.clienthello"},
    "confero.protocols.rtp": {"confero.errors"},
    "confero.protocols.sdp": {"confero.errors"},
    "confero.protocols.sip": {"confero.errors", "confero.protocols.stun", "confero.ratelimit"},
    "confero.protocols.stun": {"confero.errors"},
    # TURN is written in STUN.
    "confero.protocols.turn": {"confero.errors", "confero.ports", "confero.protocols.stun", "confero.ratelimit"},
    # L2
    "confero.configfields": set(),
    "confero.configsources": {"confero.access", "confero.configfields"},
    "confero.secretfile": set(),
    "confero.config": {"confero.configfields", "confero.configsources", "confero.errors", "confero.secretfile"},
    "confero.tokens": {"confero.errors"},
    "confero.turnsecrets": {"confero.errors", "confero.secretfile"},
    "confero.media": {"confero.advertised", "confero.errors", "confero.ports"},
    "confero.relay": {"confero.errors", "confero.media"},
    # L3
    "confero.runtime": L0 | L1 | {"confero.config", "confero.tokens", "confero.turnsecrets"},
    # For programs outside: what they ask over the public API.
    "confero.client": L0 | L1 | RUNTIME,
    # The command, beside the services: it starts them as processes.
    "confero.up": L1 | {"confero.config", "confero.configsources", "confero.secretfile"} | RUNTIME,
    "confero.cli": L0 | L1 | {"confero.config", "confero.tokens", "confero.turnsecrets"} | RUNTIME | UP,
    "confero.configpage": {"confero.config", "confero.configfields", "confero.up.plan"},
    # L4: never each other.
    **{f"confero.{service}": SHARED for service in SERVICES},
    # L5: may start services through their ``app`` modules.
    "confero.appserver": SHARED | {"confero.secretfile"},
    "confero.lab": SHARED | {"confero.client"} | {f"confero.{service}.app" for service in SERVICES},
    # It reads the installation's configuration as ``confero up`` does.
    "confero.lab.doctor": SHARED | {"confero.lab.members", "confero.lab.signals", "confero.up.plan"},
}
"""By package, the longest that fits; a package may always import from itself."""

IO = {
    *("asyncio", "socket", "selectors", "select", "threading", "concurrent", "multiprocessing", "subprocess", "time"),
    *("ssl", "http", "urllib.request", "aiohttp", "requests"),
}
SANS_IO = ("confero.protocols", "confero.models", "confero.access", "confero.ports", "confero.up.supervisor")

DOMAIN: dict[str, tuple[str, ...]] = {
    "appserver": (
        "accounts",
        "history",
        "meeting",
        "news.online",
        "news.table",
        "rights.actors",
        "rights.relations",
        "rights.table",
        "rooms",
        "sip",
    ),
    "notifier": ("hub", "deliveries", "session", "topics", "messages", "wire", "entry", "closecodes"),
    "mcu": ("rooms", "reasons", "news"),
    "sipgw": ("guard", "menu", "features", "keys", "userdata", "calls.ring"),
    "edge": ("lobby", "answers", "routes"),
}
"""Parts of a service that hold its rules: no network, no database, no event loop."""
DOMAIN_BANS = IO | {
    "sqlalchemy",
    "alembic",
    "aiomysql",
    "sqlite3",
    "aiortc",
    "confero.runtime.http",
    "confero.runtime.client",
}

HOMES: dict[str, tuple[str, ...]] = {
    "aiohttp": (
        *("confero.runtime", "confero.up.processes", "confero.lab", "confero.client"),
        *("confero.appserver.api", "confero.appserver.edge", "confero.appserver.web", "confero.notifier.api"),
        "confero.appserver.passing",
        *("confero.appserver.rights.gate", "confero.appserver.rights.guard", "confero.notifier.moderationapi"),
        *("confero.notifier.ws", "confero.notifier.connection", "confero.notifier.outlet", "confero.notifier.visits"),
        *("confero.notifier.sse", "confero.notifier.longpoll", "confero.notifier.asks", "confero.mcu.control"),
        *("confero.sipgw.transports.websocket", "confero.sipgw.control", "confero.sipgw.watching", "confero.sipgw.who"),
        "confero.turn.control",
        "confero.cli.sip",
    ),
    "sqlalchemy": ("confero.appserver.db",),
    "alembic": ("confero.appserver.db",),
    "aiortc": ("confero.mcu.legs.dtls", "confero.lab.members", "confero.lab.bench.peers"),
    "OpenSSL": ("confero.mcu.legs.dtls",),
    "aioice": ("confero.lab.members",),
    "av": ("confero.lab", "confero.mcu.prompts"),
    "playwright": ("confero.lab",),
    "aiosmtplib": ("confero.appserver.mail",),
    "argon2": ("confero.appserver.accounts.passwords",),
    "zxcvbn": ("confero.appserver.accounts.passwords",),
    "pylibsrtp": (),
    "structlog": ("confero.runtime",),
    "prometheus_client": ("confero.runtime",),
    "typer": ("confero.cli",),
    "rich": ("confero.cli", "confero.up.screen", "confero.lab"),
    "ctypes": ("confero.up.processes",),
    "dns": ("confero.sipgw.resolve",),
    "cffi": (),
}
"""Libraries that only these parts use, so that each can be replaced in one place."""
FOREIGN_NAMES = {*SERVICES, "lab", "turn", "flash", "mediaproc", "edge", "native", "tests"}


def rule_for(name: str) -> str:
    return max((package for package in MAY_IMPORT if within(name, package)), key=len)


def is_ours(name: str) -> bool:
    return within(name, "confero")


def allowed(module: Module, found: Import) -> bool:
    package = rule_for(module.name)
    if package != "confero" and within(found.name, package):
        return True
    # An allowed package covers what is in it, except for the root, which would cover everything.
    return any(
        within(found.name, target) if target != "confero" else found.name == "confero" for target in MAY_IMPORT[package]
    )


def faults(module: Module) -> list[str]:
    """Everything that is wrong with the imports of a file."""
    found = []
    for one in module.imports:
        top = one.name.partition(".")[0]
        if top in FOREIGN_NAMES:
            found.append(f"{module.where(one.line)}: write confero.{one.name}")
        elif is_ours(one.name) and not allowed(module, one):
            found.append(f"{module.where(one.line)}: {module.name} may not import {one.name}")
        for library, homes in HOMES.items():
            if within(one.name, library) and not any(within(module.name, home) for home in homes):
                found.append(f"{module.where(one.line)}: {library} is not for {module.name}")
    return found + style_faults(module) + sans_io_faults(module)


def style_faults(module: Module) -> list[str]:
    """Inside a service relative, across packages absolute; the lab's parts count as packages of their own."""
    found = []
    for one in module.imports:
        inside = module.service != "confero" and within(one.name, module.service)
        across = module.service == "confero.lab" and not within(one.name, module.package)
        if inside and not one.relative and not across:
            found.append(f"{module.where(one.line)}: {one.name} is in the same service: import it relatively")
        if one.relative and module.service != "confero" and not inside:
            found.append(f"{module.where(one.line)}: {one.name} is outside of the service: import it absolutely")
    return found


def sans_io_faults(module: Module) -> list[str]:
    banned = set(IO) if any(within(module.name, package) for package in SANS_IO) else set()
    domain = domain_of(module.name)
    banned |= DOMAIN_BANS if domain else set()
    found = [
        f"{module.where(one.line)}: {one.name} has no place in {module.name}"
        for one in module.imports
        if any(within(one.name, name) for name in banned)
    ]
    for one in module.imports:
        if domain and within(one.name, domain) and one.name != domain and not domain_of(one.name):
            found.append(f"{module.where(one.line)}: {module.name} holds rules, {one.name} does not")
    return found


def domain_of(name: str) -> str:
    """The service whose rules are here, or nothing."""
    for service, parts in DOMAIN.items():
        if any(within(name, f"confero.{service}.{part}") for part in parts):
            return f"confero.{service}"
    return ""


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)
def test_imports(module: Module) -> None:
    assert faults(module) == []


def test_the_tables_name_only_what_there_is() -> None:
    names = {*MAY_IMPORT, *(target for targets in MAY_IMPORT.values() for target in targets)}
    names |= {home for homes in HOMES.values() for home in homes}
    names |= {f"confero.{service}.{part}" for service, parts in DOMAIN.items() for part in parts}
    assert sorted(name for name in names if not is_module(name)) == []


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("confero.mcu.rooms.room", "import asyncio", "has no place in"),
        ("confero.mcu.rooms.room", "from ..legs import base", "holds rules"),
        ("confero.mcu.app", "from confero.notifier import hub", "may not import confero.notifier.hub"),
        ("confero.mcu.app", "import notifier.hub", "write confero.notifier.hub"),
        ("confero.mcu.app", "from confero.mcu import config", "import it relatively"),
        ("confero.mcu.app", "from ..notifier import hub", "import it absolutely"),
        ("confero.mcu.app", "from confero.lab import demo", "may not import confero.lab.demo"),
        ("confero.mcu.app", "def f():\n    import aiohttp", "aiohttp is not for confero.mcu.app"),
        ("confero.runtime.http", "from confero.media import engine", "may not import confero.media.engine"),
        ("confero.runtime.http", "from confero.mcu import app", "may not import confero.mcu.app"),
        ("confero.protocols.sdp.parser", "import socket", "has no place in"),
        ("confero.protocols.sdp.parser", "from confero.protocols import rtp", "may not import confero.protocols.rtp"),
        ("confero.ports", "from confero import config", "may not import confero.config"),
        ("confero.lab.stack", "from confero.mcu import control", "may not import confero.mcu.control"),
        ("confero.lab.stack", "from confero.mcu.app import McuApp", None),
        ("confero.mcu.app", "from confero import models\nfrom .rooms import room\nimport asyncio", None),
    ],
)
def test_the_check_finds_what_it_is_for(name: str, text: str, fault: str | None) -> None:
    real = next(module for module in modules() if module.name == name)
    found = faults(Module(name, real.path, text))
    assert (found == []) if fault is None else any(fault in one for one in found)
