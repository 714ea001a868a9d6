"""A registrar's bindings: where an address-of-record is reached, and what a REGISTER makes of that (RFC 3261 section 10.3).

Times are Unix seconds, because bindings outlive the process.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from .errors import SipError
from .grammar import Parameters
from .message import Request
from .target import Target
from .uri import URI
from .values import Address

MATTER = ("transport", "user", "ttl", "method", "maddr")
"""Parameters that make two URIs different even where one has them and the other has not (section 19.1.4)."""
UNREADABLE_EXPIRES = 3600
"""Section 20.10: what a malformed ``expires`` of a Contact counts as."""
MAX_REG_ID = 2**31 - 1
SCRIPTS = ("ws", "wss")
"""Transports of those to whom nobody can connect."""


@dataclass(frozen=True)
class BindingLimits:
    """What is granted. Seconds."""

    least_s: int = 60
    """A shorter interval is answered 423."""
    most_s: int = 3600
    """A longer one is cut down to it."""
    usual_s: int = 3600
    """Where the phone names none."""
    contacts: int = 10
    """Of one address; a further one takes the place of the one that was refreshed longest ago."""
    addresses: int = 10_000
    """As many as there may be accounts."""


@dataclass(frozen=True)
class Binding:
    """One place where an address-of-record is reached."""

    address: str
    """The address-of-record: ``user@realm``."""
    contact: str
    """URI, as the phone wrote it; it becomes the Request-URI of calls."""
    call_id: str
    cseq: int
    refreshed_at: float
    expires_at: float
    q: float = 1.0
    path: tuple[str, ...] = ()
    """Proxies on the way to it, as Route values (RFC 3327)."""
    instance: str = ""
    """Which phone it is (RFC 5626 section 4.1)."""
    reg_id: int | None = None
    """Which of the phone's flows."""
    flow: Target | None = None
    """Where the REGISTER came from, if the phone is reached there and not by its Contact."""
    user_agent: str = ""

    @property
    def key(self) -> str:
        """Two bindings with one key are the same (RFC 3261 section 19.1.4, RFC 5626 section 6)."""
        return self.contact_key if self.reg_id is None else f"{self.instance} {self.reg_id}"

    @property
    def contact_key(self) -> str:
        return uri_key(URI.parse(self.contact))

    @property
    def tied(self) -> bool:
        """Its connection is the only way to it: it has asked for that (RFC 5626), or is a script (RFC 7118 section 5)."""
        return self.reg_id is not None or (self.flow is not None and self.flow.transport in SCRIPTS)

    def to_json(self) -> dict[str, Any]:
        """What ``from_json`` reads."""
        return asdict(self)

    @classmethod
    def from_json(cls, state: dict[str, Any]) -> Binding:
        """As it is after a restart: connections have ended, and with them what was tied to one; a flow over UDP still leads there.

        Raises TypeError, ValueError, KeyError.
        """
        flow = Target(*state["flow"]) if state["flow"] else None
        found = cls(**{**state, "path": tuple(state["path"]), "flow": flow})
        _ = found.key
        if flow is None:
            return found
        if flow.reliable:
            return replace(found, flow=None, expires_at=0.0 if found.tied else found.expires_at)
        return replace(found, flow=flow._replace(connection=None))


def uri_key(uri: URI) -> str:
    """Equal for URIs that are equal by section 19.1.4, but for parameters that only their owner knows."""
    parameters = [f"{name}={(uri.parameters.get(name) or '').lower()}" for name in MATTER if name in uri.parameters]
    port = "" if uri.port is None else f":{uri.port}"
    return " ".join([uri.scheme, uri.username, f"{uri.host.lower()}{port}", uri.opaque, *parameters])


class Bindings:
    """All bindings of a registrar. ``changed`` collects the addresses whose bindings are to be written down again."""

    def __init__(self, limits: BindingLimits = BindingLimits()) -> None:
        self.limits = limits
        self.changed: set[str] = set()
        self._by_address: dict[str, dict[str, Binding]] = {}
        self._by_connection: dict[int, set[str]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._by_address.values()))

    def restore(self, bindings: Iterable[Binding]) -> None:
        """What was written down before a restart."""
        for binding in bindings:
            self._by_address.setdefault(binding.address, {})[binding.key] = binding

    def of(self, address: str, now: float) -> list[Binding]:
        """Those that hold, the preferred ones first (section 20.10), then the latest."""
        live = [one for one in self._by_address.get(address, {}).values() if one.expires_at > now]
        return sorted(live, key=lambda one: (-one.q, -one.refreshed_at))

    def phones(self, address: str, now: float) -> list[Binding]:
        """As ``of``, with the latest way to each phone only: one that registers by several rings once (RFC 5626 section 7)."""
        seen: set[str] = set()
        found = []
        for one in sorted(self.of(address, now), key=lambda one: -one.refreshed_at):
            name = one.instance or one.key
            if name not in seen:
                found.append(one)
            seen.add(name)
        return sorted(found, key=lambda one: -one.q)

    # -- changes --

    def register(self, address: str, request: Request, flow: Target | None, now: float) -> list[Binding]:
        """What a REGISTER that has been let in makes of the bindings of ``address``: all or nothing. Returns what holds then.

        ``flow``: where it came from, if the phone is to be reached there. Raises SipError: 423 for too short an interval, 500
        for a request that a later one has overtaken, 400 for what is malformed, 503 if there are too many addresses.
        """
        known = self._by_address.get(address, {})
        if not known and len(self._by_address) >= self.limits.addresses:
            raise SipError("there are too many addresses", status=503)
        # Step 6: `*` removes all, and stands alone.
        if request.is_wildcard:
            if request.expires != 0:
                raise SipError("Contact: * goes with Expires: 0")
            wishes = [replace(one, expires_at=now) for one in known.values()]
        else:
            wishes = [self._wish(address, request, contact, flow, now) for contact in request.contacts]
        for wish in wishes:
            self._check_order(known.get(wish.key), request)
        # Step 7, its end: only now that nothing can fail any more.
        self._put(address, wishes, now)
        return self.of(address, now)

    def _wish(self, address: str, request: Request, contact: Address, flow: Target | None, now: float) -> Binding:
        """Step 7: the binding that one Contact asks for; one that has expired already if it is to be removed."""
        if contact.uri.scheme not in ("sip", "sips"):
            raise SipError(f"{contact.uri.scheme} is no scheme for a Contact", status=416)
        instance = contact.parameters.get("+sip.instance") or ""
        return Binding(
            address=address,
            contact=str(contact.uri),
            call_id=request.call_id,
            cseq=request.cseq.number,
            refreshed_at=now,
            expires_at=now + self._interval(request, contact),
            q=_q(contact),
            path=tuple(request.headers.all("Path")),
            instance=instance,
            reg_id=_reg_id(contact) if instance else None,
            flow=flow,
            user_agent=(request.headers.get("User-Agent") or "")[:128],
        )

    def _interval(self, request: Request, contact: Address) -> int:
        limits, asked = self.limits, contact.parameters.get("expires")
        if asked is not None:
            digits = asked.isascii() and asked.isdigit() and len(asked) <= 10
            interval = int(asked) if digits else UNREADABLE_EXPIRES
        else:
            interval = limits.usual_s if request.expires is None else request.expires
        if 0 < interval < limits.least_s:
            raise SipError(f"the interval is below {limits.least_s} s", status=423)
        return min(interval, limits.most_s)

    def _check_order(self, known: Binding | None, request: Request) -> None:
        # Step 7: within one Call-ID a request counts only if none after it has been taken.
        if known is not None and known.call_id == request.call_id and request.cseq.number <= known.cseq:
            raise SipError("a later REGISTER has been taken", status=500)

    def _put(self, address: str, wishes: Iterable[Binding], now: float) -> None:
        rows = self._by_address.setdefault(address, {})
        for wish in wishes:
            if wish.expires_at <= now:
                rows.pop(wish.key, None)
                continue
            rows[wish.key] = wish
            if wish.flow is not None and wish.flow.connection is not None and wish.flow.reliable:
                self._by_connection.setdefault(wish.flow.connection, set()).add(address)
        while len(rows) > self.limits.contacts:
            del rows[min(rows, key=lambda key: rows[key].refreshed_at)]
        self.changed.add(address)
        if not rows:
            del self._by_address[address]

    def connection_ended(self, number: int) -> None:
        """A flow that has failed is no way any more (RFC 5626 section 5.3): the phone makes another one. Who is not tied to it
        may still be where its Contact says."""
        for address in self._by_connection.pop(number, ()):
            rows = self._by_address.get(address, {})
            for key, one in list(rows.items()):
                if one.flow is None or one.flow.connection != number:
                    continue
                self.changed.add(address)
                if one.tied:
                    del rows[key]
                else:
                    rows[key] = replace(one, flow=None)
            if not rows:
                self._by_address.pop(address, None)

    def sweep(self, now: float) -> None:
        """Forgets what has expired."""
        for address, rows in list(self._by_address.items()):
            for key in [key for key, one in rows.items() if one.expires_at <= now]:
                del rows[key]
                self.changed.add(address)
            if not rows:
                del self._by_address[address]

    def keep_only(self, addresses: set[str]) -> None:
        """Accounts that are there no more are not reached any more either."""
        for address in self._by_address.keys() - addresses:
            del self._by_address[address]
            self.changed.add(address)

    def take_changed(self) -> Iterator[tuple[str, list[Binding]]]:
        """For each address that has changed since, what it has now."""
        changed, self.changed = self.changed, set()
        for address in changed:
            yield address, list(self._by_address.get(address, {}).values())


def contact_row(binding: Binding, now: float) -> str:
    """A Contact of the answer (section 10.3 step 8): the seconds that are left, and by what a phone knows its own."""
    parameters = {"expires": str(max(0, round(binding.expires_at - now)))}
    if binding.q != 1.0:
        parameters["q"] = f"{binding.q:.3f}".rstrip("0")
    if binding.instance:
        parameters["+sip.instance"] = binding.instance
    if binding.reg_id is not None:
        parameters["reg-id"] = str(binding.reg_id)
    return str(Address(URI.parse(binding.contact), "", Parameters(parameters)))


def _q(contact: Address) -> float:
    try:
        return min(1.0, max(0.0, float(contact.parameters.get("q") or 1.0)))
    except ValueError:
        return 1.0


def _reg_id(contact: Address) -> int | None:
    text = contact.parameters.get("reg-id") or ""
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        return None
    number = int(text)
    return number if 0 < number <= MAX_REG_ID else None
