"""Where the site is served: addresses of its own, and what a front door hands over."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

from confero.errors import LocalError
from confero.runtime.handover import Address, Flags, Receiver, receive
from confero.runtime.http import HttpApp, Listener
from confero.runtime.logging import get_logger

from .config import EVERYWHERE, AppserverConfig
from .derived import PUBLIC

log = get_logger(__name__)


class Doors:
    """``open`` once there is a certificate, ``close`` at the end."""

    def __init__(self, config: AppserverConfig, name: str, site: HttpApp) -> None:
        """``name``: of the socket at which the front door hands connections over."""
        self._config = config
        self._name = name
        self._site = site.app
        self.public: list[Listener] = []
        """Those with an address of their own."""
        self.handed: Listener | None = None
        """Serves what a front door hands over."""
        self._receiver: Receiver | None = None

    async def open(self, tls: ssl.SSLContext) -> None:
        """Raises LocalError where an address or the socket cannot be had."""
        if self._config.https_listen:
            await self._listen(tls)
        if self._config.handover_dir is not None:
            await self._be_handed(self._config.handover_dir, tls)

    async def _listen(self, tls: ssl.SSLContext) -> None:
        """One address, or all of IPv4 and, on a machine that has it, of IPv6 under the same number."""
        first, *more = PUBLIC if self._config.https_host == EVERYWHERE else (self._config.https_host,)
        await self._listen_on(first, self._config.https_port, tls)
        for host in more:
            try:
                await self._listen_on(host, self.public[0].port, tls)
            except LocalError as error:
                log.warning("not served over IPv6", reason=str(error))

    async def _listen_on(self, host: str, port: int, tls: ssl.SSLContext) -> None:
        most = self._config.max_connections_per_source
        self.public.append(await Listener.start(self._site, host, port, ssl=tls, max_per_source=most))

    async def _be_handed(self, folder: Path, tls: ssl.SSLContext) -> None:
        """Browsers whom a front door lets in: the same site with the same bounds, TLS included."""
        most = self._config.max_connections_per_source
        listener = self.handed = await Listener.without_address(self._site, tls, max_per_source=most)

        def take(connection: socket.socket, kind: str, client: Address, flags: Flags) -> None:
            listener.adopt(connection, client, tls_ended=Flags.TLS_ENDED in flags)

        uids = self._config.handover_uids
        path = folder / f"{self._name}.sock"
        self._receiver = await receive(path, take, uids=uids, mode=0o660 if uids else 0o600)

    @property
    def all(self) -> list[Listener]:
        return [*self.public, *([self.handed] if self.handed is not None else [])]

    async def drain(self) -> None:
        """No new connections."""
        self._take_no_more()
        for listener in self.all:
            await listener.stop_accepting()

    async def close(self) -> None:
        """Idempotent."""
        self._take_no_more()
        for listener in self.all:
            await listener.close()

    def _take_no_more(self) -> None:
        """What a front door has from now on waits there, for a moment, for our successor."""
        if self._receiver is not None:
            self._receiver.close()
