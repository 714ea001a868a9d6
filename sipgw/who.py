"""All that knows whom we deal with, put together: directory, credentials, identity, registrar, trunks."""

from __future__ import annotations

from confero import __version__
from confero.clock import Clock
from confero.protocols.sip.bindings import BindingLimits, Bindings
from confero.protocols.sip.locate import is_address
from confero.protocols.sip.verifier import Policy
from confero.runtime.metrics import Metrics
from confero.runtime.tasks import TaskBag

from .addresses import OwnAddresses
from .bindingstore import BindingStore
from .calls.parties import Parties
from .config import SipgwConfig
from .credentials import CredentialBook
from .directory import Directory
from .guard import Guard
from .identity import Identity
from .outbound import Sender
from .peers import AppServerPeer
from .registrar import Registrar, address_of
from .sealed import SealedFile
from .trunks.farm import Trunks
from .trunks.parties import TrunkWay, UserWay
from .trunks.trunk import Surroundings

FOLDER = "sipgw"
"""In the state directory."""


class Who:
    """``start`` it when the transports listen, ``close`` it before they end."""

    def __init__(
        self,
        config: SipgwConfig,
        secret: bytes,
        clock: Clock,
        sender: Sender,
        appserver: AppServerPeer,
        guard: Guard,
        addresses: OwnAddresses,
        tasks: TaskBag,
    ) -> None:
        folder = config.state_dir / FOLDER
        endpoint = sender.endpoint
        self._sender = sender
        self._tasks = tasks
        self.directory = Directory(appserver, SealedFile(folder / "directory", secret))
        self.credentials = CredentialBook(appserver, clock)
        self.trunks = Trunks(self.directory, Surroundings(sender, clock, f"confero/{__version__}"))
        self.identity = Identity(
            Policy(config.realm, tuple(config.digest_algorithms)),
            self.directory,
            self.credentials,
            guard,
            clock,
            endpoint.random,
            trunk_of=self.trunks.trunk_of,
            is_own=lambda host: is_address(host) and addresses.is_own(host),
            domains=config.domains,
        )
        limits = BindingLimits(
            config.register_least_s, config.register_most_s, config.register_most_s, config.register_contacts
        )
        store = BindingStore(folder / "bindings.db")
        self.registrar = Registrar(endpoint, self.identity, Bindings(limits), store, clock, tasks, config.flow_timer_s)
        endpoint.lost.append(self.registrar.lost)
        self.directory.changed += [self.credentials.forget, self.trunks.settle, self._accounts_changed]

    def _accounts_changed(self) -> None:
        self.registrar.bindings.keep_only({address_of(*names) for names in self.directory.accounts})

    def add_ways(self, parties: Parties) -> None:
        """What ``trunk`` and ``user`` mean in decisions."""
        parties.ways["trunk"] = TrunkWay(self.trunks, self._sender)
        parties.ways["user"] = UserWay(self.directory, self.registrar, self._sender, parties)

    async def start(self) -> None:
        """What is known from before holds at once; then the application server is followed."""
        await self.registrar.recall()
        self.directory.recall()
        self._tasks.spawn(self.directory.follow(), name="directory")
        self._tasks.spawn(self.registrar.run(), name="registrar")

    async def close(self) -> None:
        """Unregisters at trunks. The registrar is closed by ``registrar.close`` when no task runs any more."""
        await self.trunks.close()

    # -- what is said of it --

    def measure(self, metrics: Metrics) -> None:
        """Counts, read when they are asked for."""
        gauge, identity = metrics.gauge, self.identity
        gauge("sip_trunks", "Trunks").set_function(lambda: self.trunks.count()[0])
        gauge("sip_trunks_available", "Trunks that are there").set_function(lambda: self.trunks.count()[1])
        gauge("sip_accounts", "Accounts that may prove themselves").set_function(lambda: len(self.directory.accounts))
        gauge("sip_bindings", "Telephones that are registered").set_function(lambda: len(self.registrar.bindings))
        gauge("sip_challenges", "Proofs asked for").set_function(lambda: identity.challenged)
        gauge("sip_proofs", "Passwords that were right").set_function(lambda: identity.proven)
        gauge("sip_wrong_passwords", "Passwords that were wrong").set_function(lambda: identity.failed)
