"""TLS of the public port: whose certificate, when it is loaded again, and what a browser will say to it."""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import re
import socket
import ssl
from pathlib import Path

import ifaddr

from confero.clock import Clock
from confero.errors import LocalError
from confero.runtime.logging import get_logger

from . import localca
from .config import EVERYWHERE, AppserverConfig

log = get_logger(__name__)

WATCH_S = 5.0
"""How often certificate files, and the machine's names, are looked at."""
IF_INET6 = Path("/proc/net/if_inet6")
"""Linux: the machine's IPv6 addresses with their flags."""
TEMPORARY = 0x01
"""IFA_F_TEMPORARY: an address made at random (RFC 8981), gone again within days."""
DNS_NAME = re.compile(
    r"(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
)
Stamp = tuple[tuple[int, int, int], ...]


def machine_names(config: AppserverConfig) -> list[str]:
    """What browsers may call this machine, in order: localhost, what is configured, its host names and lasting addresses."""
    host = socket.gethostname()
    found = ["localhost", "127.0.0.1", "::1", *config.certificate_names]
    if not _is_wildcard(config.https_host):
        found.append(config.https_host)
    if config.public_url:
        found.append(config.public_url.split("://")[1].split("/")[0].rpartition("@")[2])
    found += [host, f"{host}.local" if "." not in host else host]
    temporary = temporary_addresses()
    for adapter in ifaddr.get_adapters():
        addresses = [entry.ip if isinstance(entry.ip, str) else entry.ip[0] for entry in adapter.ips]
        found += [address for address in addresses if address not in temporary]
    return [name for name in dict.fromkeys(map(_clean, found)) if name]


def temporary_addresses(table: Path = IF_INET6) -> set[str]:
    """IPv6 addresses of this machine that change by themselves; none on a system that does not say."""
    try:
        rows = [line.split() for line in table.read_text().splitlines()]
    except OSError:
        return set()
    return {str(ipaddress.IPv6Address(bytes.fromhex(row[0]))) for row in rows if int(row[4], 16) & TEMPORARY}


def _clean(name: str) -> str:
    """The name as a certificate takes it; empty for one that none can be made for."""
    host = re.sub(r":\d+$", "", name) if name.count(":") == 1 or name.startswith("[") else name
    host = host.strip("[]").split("%")[0].lower()
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host if DNS_NAME.fullmatch(host) else ""
    return "" if address.is_link_local or address.is_unspecified else str(address)


def _is_wildcard(host: str) -> bool:
    return host in (EVERYWHERE, "0.0.0.0", "::")


class Certificates:
    """The server context of the public port. New handshakes use what was loaded last; connections that stand are not touched."""

    def __init__(self, config: AppserverConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._local = localca.LocalFiles.below(config.state_dir / "tls")
        self._stamp: Stamp = ()
        self._names: list[str] = []
        """The local leaf's."""
        self._lacking: set[str] = set()
        self.context = _server_context()

    @property
    def own(self) -> bool:
        """Whether the operator's certificate is used, not one of the local CA."""
        return self._config.certificate is not None

    @property
    def files(self) -> tuple[Path, Path]:
        """Certificate chain and key."""
        if self._config.certificate is not None and self._config.certificate_key is not None:
            return self._config.certificate, self._config.certificate_key
        return self._local.leaf, self._local.leaf_key

    def load(self) -> None:
        """Make what is to be made, and load it. Raises LocalError if there is no usable certificate."""
        try:
            if not self.own:
                self._ensure_local(machine_names(self._config))
            self._load()
        except (OSError, ssl.SSLError) as error:
            certificate, key = self.files
            raise LocalError(f"certificate {certificate} with key {key}: {_reason(error)}") from error

    def _ensure_local(self, names: list[str]) -> None:
        now = dt.datetime.fromtimestamp(self._clock.wall(), dt.UTC).replace(microsecond=0)
        if localca.ensure(self._local, names, now):
            log.info("certificate made", file=str(self._local.leaf))
            self._names = []
        self._names = self._names or localca.names_in(self._local)

    def _note_new_names(self) -> None:
        """A name that came while running is only logged: another certificate would break what browsers were told to accept."""
        lacking = set(machine_names(self._config)) - set(self._names)
        if lacking - self._lacking:
            log.info("certificate lacks names of this machine until the next start", names=sorted(lacking))
        self._lacking = lacking

    def _load(self) -> None:
        certificate, key = self.files
        stamp = _stamp(certificate, key)
        # Tried on the side first: a pair that does not match (half of it written yet) must not reach the context in use.
        _server_context().load_cert_chain(certificate, key, _no_password)
        self.context.load_cert_chain(certificate, key, _no_password)
        self._stamp = stamp

    def refresh(self) -> bool:
        """Renew what ends, load what has changed; True if so. What cannot be loaded is logged, and the old one stays in use."""
        try:
            if not self.own:
                self._ensure_local(self._names)
                self._note_new_names()
            if _stamp(*self.files) == self._stamp:
                return False
            self._load()
        except (OSError, ssl.SSLError) as error:
            log.warning("certificate not loaded, the earlier one stays", reason=_reason(error))
            return False
        log.info("certificate loaded again", file=str(self.files[0]))
        return True

    async def watch(self) -> None:
        """``refresh`` for ever."""
        while True:
            await asyncio.sleep(WATCH_S)
            self.refresh()  # a few milliseconds; in this thread, since OpenSSL contexts in use are changed by one thread only


def browser_notice(config: AppserverConfig) -> str:
    """What the terminal says about the certificate; empty for the operator's own."""
    if config.certificate is not None:
        return ""
    ca = localca.LocalFiles.below(config.state_dir / "tls").ca
    return (
        "The page's certificate is signed by a CA that was made on this machine, so a browser warns at first: Chromium says "
        '"Your connection is not private" (Advanced, Proceed), '
        'Firefox "Warning: Potential Security Risk Ahead" (Advanced, Accept the Risk). '
        f"To stop that, import {ca} as an authority in the browser, or configure certificate and certificate_key."
    )


def _server_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_ciphers("ECDHE+AESGCM:ECDHE+CHACHA20")  # of TLS 1.2; those of 1.3 are all good
    context.set_alpn_protocols(["http/1.1"])
    return context


def _no_password() -> str:
    """Called for an encrypted key: asking at the terminal would hang the service."""
    raise OSError("the key is encrypted; give one without a passphrase")


def _stamp(*paths: Path) -> Stamp:
    """Changes whenever one of the files does."""
    return tuple((s.st_mtime_ns, s.st_size, s.st_ino) for s in (path.stat() for path in paths))


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return error.reason or "not a usable pair of PEM files"
    return getattr(error, "strerror", None) or str(error)
