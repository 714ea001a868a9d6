"""INVITEs outside of dialogs: who calls is found out, then there is a call."""

from __future__ import annotations

from typing import cast

from confero.clock import Clock
from confero.errors import ConferoError
from confero.models import MediaSecurity
from confero.models.sip import SipCaller, SipGatewayAccount, SipGatewayTrunk
from confero.protocols.sip.build import new_tag, response_to
from confero.protocols.sip.errors import SipError
from confero.protocols.sip.events import RequestIn
from confero.protocols.sip.message import Request, Response
from confero.runtime.logging import get_logger
from confero.runtime.tasks import TaskBag

from ..directory import Directory
from ..identity import Identity, unreadable
from ..trunks.farm import Trunks
from ..trunks.trunk import Trunk
from .about import About
from .book import CallBook
from .inbound import InboundCall
from .means import Means
from .media import Terms

log = get_logger(__name__)


class Entrance:
    """Lets calls in."""

    def __init__(
        self,
        means: Means,
        book: CallBook,
        identity: Identity,
        directory: Directory,
        trunks: Trunks,
        clock: Clock,
        tasks: TaskBag,
    ) -> None:
        self._means = means
        self._book = book
        self._identity = identity
        self._directory = directory
        self._trunks = trunks
        self._clock = clock
        self._tasks = tasks

    def handle(self, event: RequestIn) -> None:
        """Answers an INVITE, or makes a call of it."""
        self._book.expect(event.key)
        try:
            self._tasks.spawn(self._handle(event), name="sip invite")
        except ConferoError as error:
            log.warning("an INVITE is not taken", reason=str(error))
            self._refuse(event, self._busy(event.request))

    async def _handle(self, event: RequestIn) -> None:
        try:
            caller = await self._identity.caller(event.request, event.source)
        except SipError as error:
            self._refuse(event, unreadable(event.request, error))
        except ConferoError as error:
            log.warning("who calls cannot be found out", reason=str(error))
            self._refuse(event, self._busy(event.request))
        else:
            if isinstance(caller, Response):
                self._refuse(event, caller)
            elif self._book.expected(event.key):
                self._let_in(event, caller)

    def _let_in(self, event: RequestIn, caller: SipCaller) -> None:
        request, source = event.request, event.source
        trunk = self._trunks.get(caller.trunk) if caller.trunk else None
        about = About("in", str(request.from_.uri)[:256], request.uri[:256], self._clock.wall(), caller=caller)
        about.trunk, about.account = caller.trunk, caller.account
        settings = trunk.settings if trunk is not None else self._directory.account(caller.account, caller.realm)
        call = InboundCall(
            self._means,
            about,
            terms_of(settings, self._means.owner),
            event.key,
            request,
            source,
            called_by(trunk, request),
            trunk.credentials() if trunk is not None else None,
        )
        self._book.incoming(event.key, call)

    def _refuse(self, event: RequestIn, response: Response) -> None:
        if self._book.expected(event.key):
            self._means.sender.endpoint.respond(event.key, response)

    def _busy(self, request: Request) -> Response:
        response = response_to(request, 503, to_tag=new_tag(self._means.sender.endpoint.random))
        response.headers.add("Retry-After", "10")
        return response


def terms_of(settings: SipGatewayTrunk | SipGatewayAccount | None, owner: str) -> Terms:
    """How media goes with this caller; None: a stranger."""
    if settings is None:
        return Terms(owner)
    return Terms(owner, security=cast(MediaSecurity, settings.media_security), symmetric=settings.symmetric)


def called_by(trunk: Trunk | None, request: Request) -> str | None:
    """Who is meant, if not whom the Request-URI names: registrars call the Contact that we have registered, as which one
    account stands for many numbers; the number that was dialled is then in To."""
    if trunk is None or not trunk.settings.registers or request.target.username != trunk.settings.user:
        return None
    return request.to.uri.username or None
