"""TLS as a client meets it: the handshake, whose certificate it is, until when, and who trusts it."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import ssl
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from .findings import Told, Unwell, fail, ok, warn
from .patient import Patient
from .place import PAGE, Row, Spot
from .wire import CONNECT_S, unverified
from .words import met

RENEW_DAYS = 14.0
"""Certificates that are renewed by themselves are so a month before their end: one that is still there now was forgotten."""
HOSTNAME_MISMATCH = frozenset({62, 64})
"""X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH of OpenSSL."""
HTTP_ALPN = ("h2", "http/1.1")
SETTINGS: dict[Row, str] = {
    PAGE: "[appserver] certificate and certificate_key",
    ("sipgw", "sips"): "[sipgw] certificate and certificate_key",
    ("turn", "tls"): "[turn] certificate and certificate_key",
}


@dataclass(frozen=True)
class Judged:
    """A port's TLS, by a client that knows it by ``name``."""

    row: Row
    spot: Spot
    name: str
    ca: Path | None
    now: dt.datetime
    alpn: tuple[str, ...] = ()

    async def told(self) -> Told:
        """Dates and names first, as they are wrong for everybody; then who trusts it."""
        certificate = await self._certificate()
        if wrong := self._dates(certificate):
            return wrong
        # Trusted for once, so that nothing but its names can be wrong.
        alone = _context(self.alpn)
        alone.load_verify_locations(cadata=ssl.DER_cert_to_PEM_cert(certificate.public_bytes(Encoding.DER)))
        alone.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        error = await self._verified(alone)
        if error is not None and error.verify_code in HOSTNAME_MISMATCH:
            return fail(
                f"the certificate is for {names_of(certificate)}, not for {self.name}",
                f"set {SETTINGS[self.row]} to one for {self.name} (of the own authority: [appserver] certificate_names), "
                "or give the doctor the right name by --address",
            )
        return await self._trust(certificate)

    def _dates(self, certificate: x509.Certificate) -> Told | None:
        until, since = certificate.not_valid_after_utc, certificate.not_valid_before_utc
        renew = f"renew it, or set {SETTINGS[self.row]}; a changed file is read again without a restart"
        if until <= self.now:
            return fail(f"the certificate expired on {until:%Y-%m-%d}, {_days(self.now - until)} ago", renew)
        if since > self.now:
            return fail(f"the certificate is not valid before {since:%Y-%m-%d %H:%M} UTC", "check this machine's clock")
        return None

    async def _trust(self, certificate: x509.Certificate) -> Told:
        until = certificate.not_valid_after_utc
        good = f"for {self.name}, until {until:%Y-%m-%d}"
        public = _context(self.alpn)
        public.load_default_certs()
        error = await self._verified(public)
        if error is not None:
            return await self._own_authority(certificate, good, error)
        if until - self.now < dt.timedelta(days=RENEW_DAYS):
            return warn(
                f"the certificate ends in {_days(until - self.now)}, on {until:%Y-%m-%d}",
                f"renew it ({SETTINGS[self.row]}): what renews certificates on this machine has not done so",
            )
        return ok(f"TLS, {good}")

    async def _own_authority(
        self, certificate: x509.Certificate, good: str, error: ssl.SSLCertVerificationError
    ) -> Told:
        """Not trusted by this machine's authorities: by the installation's own, or by nobody."""
        issuer = certificate.issuer.rfc4514_string()
        if self.ca is not None:
            own = _context(self.alpn)
            own.load_verify_locations(cafile=str(self.ca))
            by_own = await self._verified(own)
            error = by_own or error
            if by_own is None:
                good = f"TLS, {good}, of the authority in {self.ca}"
                if _is_local(self.name):
                    return ok(good)
                return warn(
                    good, f"other people's browsers warn of it: set {SETTINGS[self.row]} to one of a public authority"
                )
        return warn(
            f"the certificate is not trusted here: {error.verify_message} ({issuer})",
            f"set {SETTINGS[self.row]} to the whole chain of a public authority; or name its authority by --ca, "
            "and make browsers trust it",
        )

    async def _certificate(self) -> x509.Certificate:
        """Raises Unwell."""
        try:
            writer = await self._open(unverified(self.alpn))
        except (OSError, TimeoutError) as error:
            found = met(error, self.spot, self.row)
            raise Unwell(found.what, found.advice) from error
        der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        await _close(writer)
        return x509.load_der_x509_certificate(der)

    async def _verified(self, context: ssl.SSLContext) -> ssl.SSLCertVerificationError | None:
        """What ``context`` has against it. Raises Unwell for anything else than the certificate."""
        try:
            await _close(await self._open(context))
        except ssl.SSLCertVerificationError as error:
            return error
        except (OSError, TimeoutError) as error:
            found = met(error, self.spot, self.row)
            raise Unwell(found.what, found.advice) from error
        return None

    async def _open(self, context: ssl.SSLContext) -> asyncio.StreamWriter:
        async with asyncio.timeout(CONNECT_S):
            _, writer = await asyncio.open_connection(
                self.spot.host, self.spot.port, ssl=context, server_hostname=self.name
            )
        return writer


async def judge(patient: Patient, row: Row, spot: Spot, name: str = "", alpn: tuple[str, ...] = ()) -> Told:
    """The TLS of a port. Raises Unwell."""
    now = dt.datetime.fromtimestamp(patient.clock.wall(), dt.UTC)
    return await Judged(row, spot, name or patient.place.name, patient.place.ca, now, alpn).told()


async def of_page(patient: Patient) -> Told:
    """As a browser opens the page."""
    return await judge(patient, PAGE, patient.place.page, alpn=HTTP_ALPN)


def names_of(certificate: x509.Certificate) -> str:
    """The names and addresses in a certificate, the first few."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return "nobody (it has no subjectAltName)"
    names = found.get_values_for_type(x509.DNSName) + [str(a) for a in found.get_values_for_type(x509.IPAddress)]
    return ", ".join(names[:4]) + (" and others" if len(names) > 4 else "")


def _context(alpn: tuple[str, ...]) -> ssl.SSLContext:
    """Verifies, and trusts nobody so far."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(1):
            await writer.wait_closed()


def _is_local(name: str) -> bool:
    """Only people on this machine or its network can mean it by that."""
    with contextlib.suppress(ValueError):
        return ip_address(name).is_private
    return name == "localhost" or "." not in name or name.endswith((".local", ".test", ".internal", ".home.arpa"))


def _days(span: dt.timedelta) -> str:
    days = span / dt.timedelta(days=1)
    return "less than a day" if days < 1 else "1 day" if days < 2 else f"{days:.0f} days"
