"""The administrator's side of SIP: accounts, trunks, rules and numbers are made and changed here, and only sound ones are kept."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import asdict, replace
from ipaddress import ip_network
from typing import Any, Protocol

from confero.clock import Clock
from confero.errors import Refused, RemoteError
from confero.models.sipadmin import (
    DialRuleCreate,
    DialRulePatch,
    SipAccountCreate,
    SipAccountPatch,
    SipNumberCreate,
    SipNumberPatch,
    SipTrunkCreate,
    SipTrunkPatch,
)
from confero.runtime.logging import get_logger

from . import dialplan
from .entities import Account, Number, Rule, Trunk
from .patterns import parse
from .store import Entity, Key, SipStore
from .vault import Vault, trunk_owner

log = get_logger(__name__)

LIMITS: dict[type[Any], int] = {Account: 10_000, Trunk: 100, Rule: 500, Number: 10_000}
"""Rows of each kind."""
NUMBER_DIGITS = 9
NUMBER_TRIES = 5
NULLABLE = frozenset({"calls_per_hour", "secret", "pin"})
"""What a patch may set to nothing; other fields that are null stay as they were."""
Hash = Callable[[Callable[[], str]], Awaitable[str]]
"""Runs what takes long off the event loop."""


class Rooms(Protocol):
    """The rooms there are."""

    async def exists(self, room_id: str) -> bool: ...


class Office:
    """Each method raises Refused (404, 409) or RemoteError (422) with the reason, and Unavailable."""

    def __init__(self, store: SipStore, rooms: Rooms, vault: Vault, clock: Clock, aside: Hash) -> None:
        self._store = store
        self._rooms = rooms
        self._vault = vault
        self._clock = clock
        self._aside = aside

    # --- all kinds ------------------------------------------------------------------------------------------------

    async def get(self, kind: type[Entity], key: Key) -> Entity:
        """Raises Refused 404."""
        found = await self._store.get(kind, key)
        if found is None:
            raise _unknown(kind)
        return found

    async def page(self, kind: type[Entity], after: Key | None, limit: int) -> list[Entity]:
        return await self._store.page(kind, after, limit)

    async def delete(self, kind: type[Entity], key: Key) -> None:
        """Raises Refused 404."""
        if not await self._store.delete(kind, key):
            raise _unknown(kind)
        log.info("deleted", kind=_name(kind), row=key)

    async def _add(self, entity: Entity) -> Key:
        made = await self._store.add(entity, LIMITS[type(entity)])
        if made == "exists":
            raise Refused("There is one already.", status=409, code=f"{_name(type(entity))}-exists")
        if made == "full":
            raise Refused("There are too many.", status=409, code=f"too-many-{_name(type(entity))}s")
        log.info("made", kind=_name(type(entity)), row=made)
        return made

    async def _change(self, before: Entity, after: Entity, key: Key) -> Entity:
        was, is_now = asdict(before), asdict(after)
        changes = {name: value for name, value in is_now.items() if value != was[name]}
        if not await self._store.change(type(after), key, changes):
            raise _unknown(type(after))
        log.info("changed", kind=_name(type(after)), row=key, fields=sorted(changes))
        return after

    # --- one for each kind ----------------------------------------------------------------------------------------

    async def add_account(self, wish: SipAccountCreate) -> Account:
        values = wish.model_dump(exclude={"password"})
        _check_patterns(wish.call_out_patterns)
        ha1 = self._vault.seal_ha1(wish.user, wish.realm, wish.password.get_secret_value())
        account = Account(None, **values, ha1=ha1, created_at=self._clock.wall())
        return replace(account, id=int(await self._add(account)))

    async def change_account(self, key: int, wish: SipAccountPatch) -> Account:
        account = await self.get(Account, key)
        changes = _given(wish, leave={"password"})
        if wish.password is not None:
            password = wish.password.get_secret_value()
            changes["ha1"] = self._vault.seal_ha1(account.user, account.realm, password)
        changed = replace(account, **changes)
        _check_patterns(changed.call_out_patterns)
        return await self._change(account, changed, key)

    async def add_trunk(self, wish: SipTrunkCreate) -> Trunk:
        values = wish.model_dump(exclude={"secret"}) | {"registrar": wish.registrar or ""}
        secret = wish.secret.get_secret_value() if wish.secret is not None else None
        trunk = Trunk(**values, secret=self._sealed(wish.name, secret))
        _check_trunk(trunk)
        await self._add(trunk)
        return trunk

    async def change_trunk(self, key: str, wish: SipTrunkPatch) -> Trunk:
        trunk = await self.get(Trunk, key)
        changes = _given(wish, leave={"secret"})
        if "registrar" in wish.model_fields_set:
            changes["registrar"] = wish.registrar or ""
        if "secret" in wish.model_fields_set:
            changes["secret"] = self._sealed(key, wish.secret.get_secret_value() if wish.secret is not None else None)
        changed = replace(trunk, **changes)
        _check_trunk(changed)
        return await self._change(trunk, changed, key)

    def _sealed(self, name: str, secret: str | None) -> str | None:
        return None if secret is None else self._vault.seal(secret, trunk_owner(name))

    async def add_rule(self, wish: DialRuleCreate) -> Rule:
        rule = Rule(None, **wish.model_dump())
        dialplan.check(rule)
        return replace(rule, id=int(await self._add(rule)))

    async def change_rule(self, key: int, wish: DialRulePatch) -> Rule:
        rule = await self.get(Rule, key)
        changed = replace(rule, **_given(wish))
        dialplan.check(changed)
        return await self._change(rule, changed, key)

    async def add_number(self, wish: SipNumberCreate) -> Number:
        if not await self._rooms.exists(wish.room):
            raise Refused("There is no such room.", status=404, code="room-unknown")
        pin = await self._hashed(wish.pin)
        for _ in range(NUMBER_TRIES):
            text = wish.number or _random_number()
            number = Number(text, wish.room, self._clock.wall(), pin)
            if wish.number is not None or await self._store.get(Number, text) is None:
                await self._add(number)
                return number
        raise Refused("No free number was found; name one.", status=409, code="number-exists")

    async def change_number(self, key: str, wish: SipNumberPatch) -> Number:
        number = await self.get(Number, key)
        return await self._change(number, replace(number, pin=await self._hashed(wish.pin)), key)

    async def _hashed(self, pin: str | None) -> str | None:
        return None if pin is None else await self._aside(lambda: self._vault.hash_pin(pin))


def _given(wish: Any, leave: set[str] | None = None) -> dict[str, Any]:
    """What a patch says."""
    values: dict[str, Any] = wish.model_dump(exclude_unset=True, exclude=leave or set())
    return {name: value for name, value in values.items() if value is not None or name in NULLABLE}


def _check_patterns(patterns: list[str]) -> None:
    for text in patterns:
        parse(text)


def _check_trunk(trunk: Trunk) -> None:
    for text in trunk.sources:
        try:
            ip_network(text, strict=False)
        except ValueError:
            raise RemoteError(f"{text} is no network", status=422, code="trunk-invalid") from None
    if trunk.registers and not (trunk.registrar and trunk.user):
        raise RemoteError("a trunk that registers needs registrar and user", status=422, code="trunk-invalid")
    if trunk.caller_id == "fixed" and not trunk.caller_number:
        raise RemoteError("a fixed caller id needs caller_number", status=422, code="trunk-invalid")


def _random_number() -> str:
    """Not beginning with 0, which telephones may take for something else."""
    return str(10 ** (NUMBER_DIGITS - 1) + secrets.randbelow(9 * 10 ** (NUMBER_DIGITS - 1)))


def _name(kind: type[Any]) -> str:
    return kind.__name__.lower()


def _unknown(kind: type[Any]) -> Refused:
    return Refused("There is no such row.", status=404, code=f"{_name(kind)}-unknown")
