"""The certificate of TLS: taken up when it appears and when it is renewed; and whether browsers know who has signed it."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import re
import ssl
import warnings
from collections.abc import Callable
from pathlib import Path

from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from confero.clock import Clock
from confero.errors import LocalError
from confero.runtime.logging import get_logger

log = get_logger(__name__)

LOOK_S = 2.0
"""How often it is looked whether the files have changed."""
ROOTS = Path("/etc/ssl/certs/ca-certificates.crt")
"""Where Debian keeps the public authorities, if OpenSSL is not told otherwise."""
PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
Stamp = tuple[tuple[int, int, int], ...]


class Certificates:
    """``load`` gets chain and key whenever they have changed, and raises LocalError for what cannot be used."""

    def __init__(self, chain: Path, key: Path, load: Callable[[Path, Path], None], clock: Clock) -> None:
        self._files = (chain, key)
        self._load = load
        self._clock = clock
        self._stamp: Stamp | None = None
        self.there = False
        """Whether there is one in use."""
        self.trusted_names: list[str] = []
        """The names in it, if a public authority stands behind it."""

    def look(self) -> None:
        """Takes up what has changed. Raises LocalError for what cannot be used; what was there before then goes on."""
        stamp = _stamp(self._files)
        if stamp is None or stamp == self._stamp:
            return
        self._stamp = stamp
        self._load(*self._files)
        again, self.there = self.there, True
        self.trusted_names = trusted_names(self._files[0], public_roots(), self._clock.wall())
        log.info("certificate taken up", file=str(self._files[0]), again=again, trusted=self.trusted_names)

    async def watch(self) -> None:
        """Until cancelled. A renewal that is half written is looked at again when it has been written further."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                self.look()
            except LocalError as error:
                log.error("the new certificate cannot be used", reason=str(error))


def public_roots() -> Path | None:
    """The file with the authorities that this machine trusts; OpenSSL's SSL_CERT_FILE names another. None: there is none."""
    named = ssl.get_default_verify_paths().cafile
    found = Path(named) if named else ROOTS
    return found if found.exists() else None


def trusted_names(chain: Path, roots: Path | None, now: float) -> list[str]:
    """The names and addresses of the certificate if one of ``roots`` stands behind it at Unix time ``now``; else none."""
    if roots is None:
        return []
    try:
        leaf, *between = x509.load_pem_x509_certificates(chain.read_bytes())
        sans = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = sans.get_values_for_type(x509.DNSName)
        addresses = sans.get_values_for_type(x509.IPAddress)
        store = Store(_authorities(roots.read_bytes()))
        when = dt.datetime.fromtimestamp(now, dt.UTC).replace(tzinfo=None)
        builder = PolicyBuilder().store(store).time(when)
        # Any name of it proves the chain; a wildcard is for any label.
        subject = x509.DNSName(names[0].replace("*", "any", 1)) if names else x509.IPAddress(addresses[0])
        builder.build_server_verifier(subject).verify(leaf, between)
    except (OSError, ValueError, IndexError, x509.ExtensionNotFound, VerificationError):
        return []
    return [*names, *map(str, addresses)]


def _authorities(pem: bytes) -> list[x509.Certificate]:
    """Those that can be read: some old ones are not quite by the book, and the library says so each time."""
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for block in PEM.findall(pem):
            with contextlib.suppress(ValueError):
                found.append(x509.load_pem_x509_certificate(block))
    return found


def _stamp(files: tuple[Path, Path]) -> Stamp | None:
    """What tells a file from the one before; None while one is missing."""
    try:
        return tuple((s.st_mtime_ns, s.st_size, s.st_ino) for s in (file.stat() for file in files))
    except OSError:
        return None
