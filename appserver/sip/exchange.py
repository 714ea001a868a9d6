"""The exchange: asks the dial plan where a call goes, and gets it there what it needs."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence

from confero.clock import Clock
from confero.errors import Refused
from confero.models import Role
from confero.models.sip import SipBrowser, SipCaller, SipDecision, SipPlace, SipRouteAsk
from confero.ratelimit import RateLimiter

from .callers import Caller, People, identify, source_key
from .callouts import CallOuts
from .dialplan import Dialled, Match, find
from .directory import Directory
from .entities import Number, Rule, Trunk
from .patterns import plain_number
from .places import Places
from .store import SipStore

ROOM = re.compile(r"[A-Za-z0-9_-]{1,64}")
MAX_BROWSERS = 8
"""That ring at once; there may be many of one name."""
ANSWERS = {"room-full": 486, "lobby-full": 486, "room-unknown": 404, "no-media-server": 503}
"""SIP statuses of refusals: Busy Here, Not Found, Service Unavailable."""


def rejected(status: int, code: str, rule: Rule | None = None) -> SipDecision:
    """The call ends here, with this status of RFC 3261 section 21."""
    return SipDecision(action="reject", status=status, code=code, rule=rule.id if rule else None)


class Exchange:
    """Decides where calls go."""

    def __init__(
        self,
        store: SipStore,
        people: People,
        places: Places,
        call_outs: CallOuts,
        clock: Clock,
        misses: RateLimiter,
        strangers: RateLimiter,
    ) -> None:
        """``misses``: how often an unproven source may ask for what is not there, before nothing is looked up for it.
        ``strangers``: how often unproven sources may get a place in one room, since they may be one that forges its address.
        """
        self._store = store
        self._directory = Directory(store, clock)
        self._people = people
        self._places = places
        self._call_outs = call_outs
        self._clock = clock
        self._misses = misses
        self._strangers = strangers
        self._ways: dict[str, Callable[[Match, SipRouteAsk, Caller], Awaitable[SipDecision | None]]] = {
            "room": self._to_room,
            "user": self._to_user,
            "menu": self._to_menu,
            "trunk": self._to_trunk,
            "address": self._to_address,
            "reject": self._to_nobody,
        }

    async def route(self, ask: SipRouteAsk) -> SipDecision:
        """What is to become of the call. Raises Unavailable."""
        known = await self._directory.read()
        now = self._clock.wall()
        caller = await identify(ask.caller, ask.direction, self._store, known.trunks, self._people, now)
        if ask.direction == "out" and caller.source != "browser":
            return rejected(403, "call-out-refused")
        # By address alone: what else was said has not been proved.
        source = source_key(SipCaller(source=ask.caller.source)) if caller.source == "unknown" else ""
        if source and self._misses.wait(source):
            return rejected(403, "too-many-misses")
        decision = await self._first(ask, caller, known.rules)
        if source and decision.status == 404:
            self._misses.take(source)
        return decision

    async def may_call_out(self, role: Role) -> bool:
        """Whether a browser of this role can get anywhere by calling: by a rule, and a right unless it stays in the house.

        A rule that refuses leads nowhere.
        """
        may = self._call_outs.may(role)
        rules = (await self._directory.read()).rules
        ways = [rule.action for rule in rules if rule.direction == "out" and rule.action != "reject"]
        return bool(ways) if may else "user" in ways

    async def _first(self, ask: SipRouteAsk, caller: Caller, rules: Sequence[Rule]) -> SipDecision:
        """What the first rule says that fits and whose target is there."""
        call = Dialled(ask.direction, ask.user, ask.domain, caller.source, caller.name)
        for match in find(rules, call):
            try:
                decision = await self._ways[match.rule.action](match, ask, caller)
            except Refused as error:
                return rejected(ANSWERS.get(error.code, 403), error.code, match.rule)
            if decision is not None:
                return decision.model_copy(update={"rule": match.rule.id})
            if not match.rule.skip_missing:
                return rejected(404, "not-found", match.rule)
        return rejected(404, "not-found")

    # --- one for each action; None: what the target names is not there ---------------------------------------------

    async def _to_room(self, match: Match, ask: SipRouteAsk, caller: Caller) -> SipDecision | None:
        room, number = await self._room(match.target)
        if not room:
            return None
        if number is not None and number.pin is not None:
            return SipDecision(action="menu", number=number.number)
        if number is not None and number.number == plain_number(match.target) and await self._only_hosts_key(room):
            return SipDecision(action="menu", number=number.number, host_pin=True)
        if caller.source == "unknown" and self._strangers.wait(room):
            return rejected(503, "too-many-strangers")
        try:
            place = await self._places.knock(room, caller.display_name)
        except Refused as error:
            if error.code == "room-unknown":
                return None
            if error.code == "pin-needed" and number is not None:
                return SipDecision(action="menu", number=number.number)
            raise
        if caller.source == "unknown":
            self._strangers.take(room)
        return SipDecision(action="room", place=place)

    async def _only_hosts_key(self, room: str) -> bool:
        """Whether its hosts have a PIN, and nobody else needs one."""
        try:
            found = await self._places.room(room)
        except Refused:
            return False  # that it is not there is said at its door
        return found.pin is None and found.host_pin is not None

    async def _room(self, target: str) -> tuple[str, Number | None]:
        """The room that has this number, else the one that may have this id; nothing if none can."""
        known = await self._directory.read()
        if number := known.numbers.get(plain_number(target)):
            return number.room, number
        return (target, known.of_rooms.get(target)) if ROOM.fullmatch(target) else ("", None)

    async def _to_user(self, match: Match, ask: SipRouteAsk, caller: Caller) -> SipDecision | None:
        accounts = [account for account in await self._store.accounts_named(match.target) if account.enabled]
        near = caller.account.realm if caller.account else ask.domain
        accounts.sort(key=lambda account: account.realm != near)
        browsers = await self._store.present(match.target, MAX_BROWSERS + 1)
        ringing = [
            SipBrowser(participant=one.participant, room=one.room, display_name=one.display_name)
            for one in browsers
            if caller.person is None or one.participant != caller.person.id
        ][:MAX_BROWSERS]
        if not accounts and not ringing:
            return None
        user, realm = (accounts[0].user, accounts[0].realm) if accounts else ("", "")
        place = await self._beside(caller, accounts[0].display_name) if accounts else None
        return SipDecision(action="user", user=user, realm=realm, browsers=ringing, place=place)

    async def _to_menu(self, match: Match, ask: SipRouteAsk, caller: Caller) -> SipDecision | None:
        return SipDecision(action="menu")

    async def _to_trunk(self, match: Match, ask: SipRouteAsk, caller: Caller) -> SipDecision | None:
        known = (await self._directory.read()).trunks
        trunks = [known[name] for name in map(str.strip, match.target.split(",")) if name in known]
        if not trunks:
            return None
        if refusal := await self._call_outs.refusal(caller, ask.user):
            return rejected(403, refusal)
        return SipDecision(
            action="trunk",
            number=match.number,
            trunks=[trunk.name for trunk in trunks],
            caller_number={trunk.name: caller_number(trunk, caller, ask.caller.anonymous) for trunk in trunks},
            place=await self._beside(caller, match.number),
        )

    async def _to_address(self, match: Match, ask: SipRouteAsk, caller: Caller) -> SipDecision | None:
        if not ask.domain:
            return None
        if refusal := await self._call_outs.refusal(caller, ask.user):
            return rejected(403, refusal)
        place = await self._beside(caller, f"{match.number}@{ask.domain}")
        return SipDecision(action="address", number=match.number, domain=ask.domain, place=place)

    async def _to_nobody(self, match: Match, ask: SipRouteAsk, caller: Caller) -> SipDecision | None:
        return rejected(match.rule.status, "rejected")

    async def _beside(self, caller: Caller, called: str) -> SipPlace | None:
        """Where the called comes in whom a browser calls: its own room."""
        return await self._places.give(caller.person.room, called) if caller.person else None


def caller_number(trunk: Trunk, caller: Caller, anonymous: bool) -> str:
    """Who calls, as the called sees it; nothing: nobody. An account is called by its own name, whatever it says."""
    if anonymous or trunk.caller_id == "anonymous":
        return ""
    if trunk.caller_id == "fixed":
        return trunk.caller_number
    return caller.account.user if caller.account is not None else trunk.user
