"""The registrar for telephones with an account: REGISTER in, bindings kept, found again for calls (RFC 3261 10.3, 3327, 5626)."""

from __future__ import annotations

import asyncio
from email.utils import formatdate

from confero.clock import Clock
from confero.errors import ConferoError
from confero.models.sip import SipGatewayAccount
from confero.protocols.sip.bindings import Binding, Bindings, contact_row
from confero.protocols.sip.build import new_tag, response_to
from confero.protocols.sip.errors import SipError
from confero.protocols.sip.events import RequestIn
from confero.protocols.sip.inspection import Abilities, refusal
from confero.protocols.sip.message import Request, Response
from confero.protocols.sip.target import Target
from confero.runtime.logging import get_logger
from confero.runtime.tasks import TaskBag, in_thread

from .bindingstore import BindingStore
from .endpoint import Endpoint
from .flows import flow_of
from .identity import Identity

log = get_logger(__name__)

SUPPORTED = ("path", "outbound")
ABILITIES = Abilities(("REGISTER",), frozenset(SUPPORTED))
FLUSH_S = 1.0
"""How long a change may wait for the disk: what a crash loses, telephones say again by themselves."""
SWEEP_S = 15.0


class Registrar:
    """Serves one realm. ``recall`` once, then ``run`` it as a task; ``close`` it."""

    def __init__(
        self,
        endpoint: Endpoint,
        identity: Identity,
        bindings: Bindings,
        store: BindingStore,
        clock: Clock,
        tasks: TaskBag,
        flow_timer_s: int = 25,
    ) -> None:
        self.bindings = bindings
        self._flow_timer_s = flow_timer_s
        self._endpoint = endpoint
        self._identity = identity
        self._store = store
        self._clock = clock
        self._tasks = tasks
        self._swept_at = 0.0

    # -- for calls --

    def phones(self, user: str, realm: str) -> list[Binding]:
        """Where an account's telephones ring, the preferred ones first."""
        return self.bindings.phones(address_of(user, realm), self._clock.wall())

    # -- REGISTER --

    def handle(self, event: RequestIn) -> None:
        """Answers a REGISTER, now or when the application server has said who it is from."""
        try:
            self._tasks.spawn(self._handle(event), name="sip register")
        except ConferoError as error:
            log.warning("a REGISTER is not taken", reason=str(error))
            self._endpoint.respond(event.key, self._busy(event.request))

    async def _handle(self, event: RequestIn) -> None:
        request = event.request
        try:
            response = await self._answer(request, event.source)
        except SipError as error:
            response = self._refused(request, error)
        except ConferoError as error:
            log.warning("nobody can be registered", reason=str(error))
            response = self._busy(request)
        self._endpoint.respond(event.key, response)

    async def _answer(self, request: Request, source: Target) -> Response:
        # Steps 1 and 2: for us, and nothing that we do not know.
        if not self._identity.is_ours(request.target):
            return self._final(request, 404)
        strange = refusal(request, ABILITIES, new_tag(self._endpoint.random))
        if strange is not None:
            return strange
        # Steps 3 and 4: whose it is.
        owner = await self._identity.owner(request, source)
        if isinstance(owner, Response):
            return owner
        # Step 5: the address-of-record.
        if not self._identity.is_ours(request.to.uri):
            return self._final(request, 404)
        return self._register(request, source, owner)

    def _register(self, request: Request, source: Target, owner: SipGatewayAccount) -> Response:
        """Steps 6 to 8."""
        asks_flow = _asks_flow(request)
        # RFC 5626 section 6: a flow ends at the first hop; where that is another proxy, it has to take part.
        if asks_flow and len(request.vias) > 1 and not _proxy_keeps_flow(request):
            return self._final(request, 439)
        now = self._clock.wall()
        address = address_of(owner.user, owner.realm)
        flow = None if "Path" in request.headers else source if asks_flow else flow_of(request, source)
        before = len(self.bindings.of(address, now))
        held = self.bindings.register(address, request, flow, now)
        if len(held) != before:
            log.info("telephones of an account", account=address, bindings=len(held), source=source.host)
        response = self._granted(request, held, now)
        if asks_flow:
            response.headers.add("Require", "outbound")
            if source.transport == "udp":  # streams live longer: the default of section 4.4.1 will do
                response.headers.add("Flow-Timer", str(self._flow_timer_s))
        return response

    def _granted(self, request: Request, held: list[Binding], now: float) -> Response:
        response = self._final(request, 200)
        for binding in held:
            response.headers.add("Contact", contact_row(binding, now))
        for path in request.headers.all("Path"):
            response.headers.add("Path", path)
        response.headers.add("Date", formatdate(now, usegmt=True))
        response.headers.add("Supported", ", ".join(SUPPORTED))
        return response

    def _refused(self, request: Request, error: SipError) -> Response:
        response = self._final(request, error.status, error.detail if error.status == 400 else None)
        if error.status == 423:
            response.headers.add("Min-Expires", str(self.bindings.limits.least_s))
        return response

    def _busy(self, request: Request) -> Response:
        response = self._final(request, 503)
        response.headers.add("Retry-After", "10")
        return response

    def _final(self, request: Request, status: int, reason: str | None = None) -> Response:
        return response_to(request, status, reason, to_tag=new_tag(self._endpoint.random))

    # -- keeping --

    def lost(self, target: Target) -> None:
        """Something could not be sent there: if it was a connection, that is a telephone's way no more."""
        if target.reliable and target.connection is not None:
            self.bindings.connection_ended(target.connection)

    async def recall(self) -> None:
        """What was registered when the gateway last ran. Without it telephones are back when they refresh."""
        try:
            self.bindings.restore(await in_thread(self._store.load))
            self.bindings.sweep(self._clock.wall())
        except ConferoError as error:
            log.error("what was registered cannot be read", reason=str(error))

    async def run(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_S)
            await self.tick()

    async def tick(self) -> None:
        """Forgets what has expired, writes down what has changed."""
        now = self._clock.monotonic()
        if now - self._swept_at >= SWEEP_S:
            self._swept_at = now
            self.bindings.sweep(self._clock.wall())
        changes = list(self.bindings.take_changed())
        if not changes:
            return
        addresses = {address for address, _ in changes}
        try:
            await in_thread(self._store.save, changes)
        except ConferoError as error:
            self.bindings.changed |= addresses
            log.error("what is registered is not written down", reason=str(error))
        except asyncio.CancelledError:
            self.bindings.changed |= addresses  # whether it went well nobody has heard: once more does no harm
            raise

    async def close(self) -> None:
        """Writes down what is left. After the task has ended."""
        await self.tick()
        self._store.close()


def address_of(user: str, realm: str) -> str:
    """The address-of-record of an account, under whatever name of ours it was said."""
    return f"{user}@{realm}"


def _asks_flow(request: Request) -> bool:
    """RFC 5626 section 4.2: a phone that names itself and its flow, and says that it knows what that means."""
    named = any("reg-id" in one.parameters and "+sip.instance" in one.parameters for one in request.contacts)
    return named and "outbound" in {tag.lower() for tag in request.tokens("Supported")}


def _proxy_keeps_flow(request: Request) -> bool:
    """The edge proxy's Path has ``ob``."""
    path = request.headers.all("Path")
    return bool(path) and ";ob" in path[-1].lower()
