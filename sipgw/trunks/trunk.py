"""One trunk at work: registered if it wants that, its servers watched, its addresses known."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import cast

from confero.clock import Clock
from confero.errors import LocalError
from confero.models.sip import SipGatewayTrunk
from confero.protocols.sip.locate import Destination
from confero.protocols.sip.login import Account, Login
from confero.protocols.sip.message import Request, Response
from confero.protocols.sip.registration import Enrolment, Registration
from confero.protocols.sip.target import Target, Transport
from confero.protocols.sip.uri import URI
from confero.protocols.sip.values import Address
from confero.runtime.logging import get_logger
from confero.runtime.tasks import TaskBag

from ..asking import ask
from ..outbound import Sender, destination
from .health import Server, Watch

log = get_logger(__name__)

ADDRESSES_S = 60.0
"""How often names are looked up again, to know the trunk's addresses."""
REGISTER_S = 8.0
"""After this a silent registrar's next address is tried."""
LEAVE_S = 2.0
"""What the last REGISTER may take: the gateway does not wait for a registrar that is gone."""
Network = IPv4Network | IPv6Network


@dataclass(frozen=True)
class Surroundings:
    """What all trunks share."""

    sender: Sender
    clock: Clock
    user_agent: str


class Trunk:
    """``start`` it in the event loop, ``close`` it. Raises LocalError for settings that cannot be used."""

    def __init__(self, settings: SipGatewayTrunk, around: Surroundings) -> None:
        self.settings = settings
        self.name = settings.name
        self._around = around
        self._tasks = TaskBag()
        transport = cast(Transport, settings.transport)
        self.servers = [
            Server(one.uri, one.priority, _destination(one.uri, transport), since=around.clock.wall())
            for one in settings.servers
        ]
        self.domain = settings.domain or _host(settings.servers[0].uri)
        self.address = Address(URI.sip(settings.user or "confero", self.domain))
        """Who we are there."""
        self._networks = [ip_network(text, strict=False) for text in settings.sources]
        self._found: set[str] = set()
        """Addresses of its servers and its registrar."""
        self._registrar = _destination(settings.registrar or settings.servers[0].uri, transport)
        self._contact = ""
        self._woken = asyncio.Event()
        self.registration = self._enrol() if settings.registers else None

    def _enrol(self) -> Registration:
        settings = self.settings
        registrar = _registrar_uri(settings.registrar or settings.servers[0].uri)
        enrolment = Enrolment(registrar, str(self.address.uri), settings.expires)
        return Registration(enrolment, self.login(), self._around.sender.endpoint.random)

    # -- what others ask --

    def ordered(self) -> list[Server]:
        """Its servers as they are to be tried."""
        return sorted(self.servers, key=lambda server: server.rank)

    @property
    def available(self) -> bool:
        """Whether a call through it has a chance."""
        there = any(server.state != "down" for server in self.servers)
        return there and (self.registration is None or self.registration.is_registered(self._around.clock.monotonic()))

    def sends_from(self, address: str) -> bool:
        """Whether calls from there are the trunk's."""
        return _within(address, self._networks) if self._networks else address in self._found

    def is_at(self, address: str) -> bool:
        """Whether the trunk itself is there: its servers, its registrar, where it calls from. Only there its password is proven."""
        return address in self._found or _within(address, self._networks)

    def login(self) -> Login:
        """For one call or one registration: what answers the trunk's challenges."""
        settings = self.settings
        realms = frozenset({settings.realm}) if settings.realm else frozenset()
        user = settings.auth_user or settings.user
        return Login(Account(user, settings.secret or "", realms), self._around.sender.endpoint.random)

    def credentials(self) -> Credentials | None:
        """The same as a call wants it; None if there is no password."""
        return Credentials(self) if self.settings.secret else None

    # -- at work --

    def start(self) -> None:
        self._tasks.spawn(self._look_up(), name=f"trunk {self.name} addresses")
        for server in self.servers:
            watch = Watch(
                server,
                self.address,
                self._around.sender,
                self._around.clock,
                self.settings.options_s,
                self._server_changed,
                self._around.user_agent,
            )
            self._tasks.spawn(watch.run(), name=f"trunk {self.name} health")
        if self.registration is not None:
            self._tasks.spawn(self._stay_registered(self.registration), name=f"trunk {self.name} registration")

    async def _look_up(self) -> None:
        while True:
            await self.find_addresses()
            await asyncio.sleep(ADDRESSES_S)

    async def find_addresses(self) -> None:
        """Names that are not found now leave what was found before."""
        targets = await self._around.sender.locate([*(server.destination for server in self.servers), self._registrar])
        if targets:
            self._found = {target.host for target in targets}

    def _server_changed(self, server: Server) -> None:
        if server.state == "up" and self.registration is not None:
            self.registration.try_soon(self._around.clock.monotonic())
            self._woken.set()

    async def _stay_registered(self, registration: Registration) -> None:
        clock = self._around.clock
        while True:
            self._woken.clear()
            due = registration.next_deadline()
            wait = None if due is None else max(0.0, due - clock.monotonic())
            if wait != 0.0:
                await self._sleep(wait)
                continue
            before = registration.state
            await self._register(registration)
            if registration.state != before:
                log.log(
                    20 if registration.state == "registered" else 30,
                    f"trunk {registration.state}",
                    trunk=self.name,
                    status=registration.status,
                    reason=registration.reason,
                )

    async def _sleep(self, seconds: float | None) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return

    async def _register(self, registration: Registration) -> None:
        """One REGISTER, with what its answers make of it."""
        sender, clock = self._around.sender, self._around.clock
        targets = await sender.locate([self._registrar])
        if not targets:
            registration.unanswered(clock.monotonic(), "the registrar's name is not found")
            return
        self._contact = sender.endpoint.contact(targets[0], self.settings.user or "confero")
        await self._ask(registration, registration.compose(self._contact), REGISTER_S)

    async def _ask(self, registration: Registration, request: Request, patience_s: float) -> None:
        sender, clock = self._around.sender, self._around.clock
        again: Request | None = request
        flow: Target | None = None
        while again is not None:
            request = again
            request.headers.set("User-Agent", self._around.user_agent)
            servers = [self._registrar] if flow is None else []
            answer = await ask(sender, request, servers=servers, flow=flow, patience_s=patience_s)
            if answer is None:
                registration.unanswered(clock.monotonic())
                return
            # The server that has challenged is the one that knows the nonce.
            response, flow = answer
            again = registration.answered(request, response, clock.monotonic())

    async def close(self) -> None:
        """Takes our binding away, as far as somebody is there to do it. Idempotent."""
        await self._tasks.close()
        registration = self.registration
        if registration is None or not registration.is_registered(self._around.clock.monotonic()):
            return
        try:
            async with asyncio.timeout(LEAVE_S):
                await self._ask(registration, registration.compose(self._contact, 0), LEAVE_S)
        except TimeoutError:
            log.info("registration not taken away", trunk=self.name)


class Credentials:
    """Answers the challenges of one call, for those that come from the trunk itself."""

    def __init__(self, trunk: Trunk) -> None:
        self._trunk = trunk
        self._login = trunk.login()

    def __call__(self, request: Request, response: Response, source: Target) -> Sequence[tuple[str, str]] | None:
        """Header fields for the next try; None: nothing is proven to this peer, or it was not convinced."""
        if not self._trunk.is_at(source.host):
            log.warning("a stranger asks for a trunk's password", trunk=self._trunk.name, source=source.host)
            return None
        if not self._login.challenged(request, response):
            return None
        again = Request(request.method, request.uri, request.headers.copy(), request.body)
        self._login.authorize(again)
        fields = ("Authorization", "Proxy-Authorization")
        return [(name, value) for name in fields for value in again.headers.rows(name)]


def _destination(uri: str, transport: Transport) -> Destination:
    """The transport of the trunk holds where the URI says none."""
    try:
        found = destination(URI.parse(uri))
    except ValueError as error:
        raise LocalError(f"{uri}: {error}") from error
    return replace(found, transport=found.transport or transport)


def _host(uri: str) -> str:
    return URI.parse(uri).host.strip("[]")


def _registrar_uri(uri: str) -> str:
    """10.2: the Request-URI of a REGISTER has no user."""
    return str(replace(URI.parse(uri), user=None, password=None))


def _within(address: str, networks: Sequence[Network]) -> bool:
    if not networks:
        return False
    try:
        found = ip_address(address)
    except ValueError:
        return False
    found = getattr(found, "ipv4_mapped", None) or found
    return any(found in network for network in networks)
