"""Who calls: what the gateway has proved, checked once more against the tables, and the name under which others see them."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Protocol

from confero.models.sip import SipCaller
from confero.models.sipadmin import SipDirection
from confero.ratelimit import source_of

from ..rooms.entities import Person
from .entities import Account, Source, Trunk

MAX_NAME = 64
ANONYMOUS = "Anonymous caller"


class Accounts(Protocol):
    """The accounts there are."""

    async def account_of(self, user: str, realm: str) -> Account | None: ...


class People(Protocol):
    """Who is in rooms."""

    async def person(self, participant: str) -> Person | None: ...


@dataclass(frozen=True)
class Caller:
    """Somebody who calls."""

    source: Source
    name: str = ""
    """Of the trunk, or the account's user."""
    display_name: str = ANONYMOUS
    account: Account | None = None
    person: Person | None = None


async def identify(
    said: SipCaller,
    direction: SipDirection,
    accounts: Accounts,
    trunks: Mapping[str, Trunk],
    people: People,
    now: float,
) -> Caller:
    """A browser (calls out only), an account, a trunk; ``unknown`` for whoever is none that is enabled."""
    if direction == "out":
        person = await people.person(said.participant) if said.participant else None
        there = person is not None and person.is_live(now)
        return (
            Caller("browser", person=person, display_name=person.display_name)
            if person and there
            else Caller("unknown")
        )
    if said.account and (account := await accounts.account_of(said.account, said.realm)) and account.enabled:
        return Caller("account", account.user, account.display_name, account=account)
    trunk = trunks.get(said.trunk)
    if trunk is not None and comes_from(trunk, said.source):
        return Caller("trunk", trunk.name, shown_name(said))
    return Caller("unknown", display_name=shown_name(said))


def comes_from(trunk: Trunk, address: str) -> bool:
    """Whether an address is one of the trunk's; those of a trunk that lists none are known to the gateway alone."""
    if not trunk.sources:
        return True
    try:
        found = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return any((mapped or found) in ip_network(text, strict=False) for text in trunk.sources)


def shown_name(said: SipCaller) -> str:
    """What others read: the display name, else the number; without control characters and tricks of direction."""
    if said.anonymous:
        return ANONYMOUS
    for text in (said.from_name, said.from_user):
        visible = "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn"))
        if name := " ".join(visible.split())[:MAX_NAME].strip():
            return name
    return ANONYMOUS


def source_key(said: SipCaller) -> str:
    """One source of calls: an account, a telephone behind a trunk, or an address. Of bounded length."""
    if said.account:
        text = f"account {said.account}@{said.realm}"
    elif said.trunk:
        text = f"trunk {said.trunk} {said.from_user}"
    else:
        text = f"address {source_of(said.source)}"
    return hashlib.sha256(text.encode()).hexdigest()[:40]
