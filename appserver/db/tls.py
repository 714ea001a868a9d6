"""TLS to a database server, as the parameters of its URL ask for it: connections that are checked, or not made at all.

The driver alone would go on in the clear with a server, or somebody in between, that offers no TLS, and give its password away.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiomysql
from aiomysql import OperationalError
from sqlalchemy.engine import URL

from confero.errors import LocalError

CA, CERT, KEY = PARAMETERS = ("ssl_ca", "ssl_cert", "ssl_key")
"""PEM files: who vouches for the server, and whom we are to it."""
OTHERS = ("charset", "unix_socket")
"""What a URL may say beside them."""
CLIENT_SSL = 0x800
"""Of a server's capabilities."""
REFUSED = 2026
"""CR_SSL_CONNECTION_ERROR of MariaDB's and MySQL's own clients."""
LOST = 2013
OTHER_HOST = (62, 64)
"""X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH."""
OUT_OF_DATE = (9, 10)
"""X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_CERT_HAS_EXPIRED: a wrong clock looks like that too."""
BLANK = re.compile(r"[?&]ssl_\w+=?(&|$)")
"""SQLAlchemy drops those, after which a variable that was left empty would mean: in the clear."""


def check_parameters(url: URL, text: str) -> None:
    """Raises LocalError for a URL of MySQL with one that we do not know, or that makes no sense without another.

    ``text``: as it was written.
    """
    unknown = sorted(set(url.query) - {*PARAMETERS, *OTHERS})
    if unknown:
        known = ", ".join((*PARAMETERS, *OTHERS))
        raise LocalError(f"database_url: {unknown[0]} is not a parameter that is known here; there are {known}")
    given = {name for name in PARAMETERS if name in url.query}
    if BLANK.search(text) or not all(isinstance(url.query[name], str) for name in given):
        raise LocalError("database_url: ssl_ca, ssl_cert and ssl_key each name one file")
    if (CERT in given) != (KEY in given):
        raise LocalError("database_url: ssl_cert and ssl_key belong together")
    if given and CA not in given:
        raise LocalError("database_url: without ssl_ca nobody vouches for the server; name the file of its CA")
    if given and "unix_socket" in url.query:
        raise LocalError("database_url: there is no TLS over unix_socket, which does not leave this machine")


def without_tls(url: URL) -> URL:
    """The rest of it, for the driver."""
    return url.difference_update_query(PARAMETERS)


class Tls:
    """Of one URL. ``connect`` takes the place of the driver's own."""

    def __init__(self, url: URL) -> None:
        self.files = {name: Path(str(url.query[name])) for name in PARAMETERS if name in url.query}
        self._context: ssl.SSLContext | None = None
        self._stamps: Sequence[int] = ()

    def __bool__(self) -> bool:
        """Whether it was asked for."""
        return bool(self.files)

    async def connect(self, **options: Any) -> Any:
        """The driver's connection. Raises OperationalError, ``REFUSED`` if it cannot be trusted."""
        connection: Any = TlsConnection(**options, ssl=self._made(), named=self.files)
        await connection._connect()
        return connection

    def _made(self) -> ssl.SSLContext:
        """Files that have changed are read again, since certificates for clients are often short-lived."""
        try:
            stamps = [path.stat().st_mtime_ns for path in self.files.values()]
        except OSError as error:
            raise OperationalError(REFUSED, f"database_url: {error.filename}: {error.strerror}") from error
        if self._context is None or stamps != self._stamps:
            self._context, self._stamps = context_of(self.files), stamps
        return self._context


def context_of(files: dict[str, Path]) -> ssl.SSLContext:
    """Raises OperationalError for a file that is none of its kind."""
    name = CA
    try:
        context = ssl.create_default_context(cafile=files[CA])
        if CERT in files:
            name = f"{CERT} or {KEY}"
            context.load_cert_chain(files[CERT], files[KEY], password=_no_password)
    except (OSError, ValueError) as error:
        raise OperationalError(REFUSED, f"database_url: {name} cannot be used: {_reason(error)}") from error
    return context


def _no_password() -> str:
    """Without it OpenSSL would ask on the terminal."""
    raise ValueError("the key is encrypted, and there is nobody to ask for its password")


class TlsConnection(aiomysql.Connection):
    """Says no before it says who we are, and whose fault it is."""

    def __init__(self, *, named: dict[str, Path], **options: Any) -> None:
        super().__init__(**options)  # type: ignore[no-untyped-call]
        self._named = named

    async def _request_authentication(self) -> None:
        """Called once the server has said what it can do, and before anything is told to it."""
        if not self.server_capabilities & CLIENT_SSL:
            raise OperationalError(
                REFUSED, "the server offers no TLS, which ssl_ca asks for: its ssl_cert and ssl_key are missing"
            )
        try:
            await super()._request_authentication()  # type: ignore[no-untyped-call]
        except ssl.SSLCertVerificationError as error:
            raise OperationalError(REFUSED, self._distrusted(error)) from error
        except ssl.SSLError as error:
            raise OperationalError(REFUSED, self._turned_down(error)) from error
        except OperationalError as error:
            # With TLS 1.3 our certificate is looked at after the handshake, and MariaDB hangs up without a word.
            if error.args[0] == LOST and CERT in self._named:
                said = (
                    f"{error.args[1]}: unless that was chance the server does not want ssl_cert ({self._named[CERT]})"
                )
                raise OperationalError(LOST, said) from error
            raise

    def _distrusted(self, error: ssl.SSLCertVerificationError) -> str:
        if error.verify_code in OTHER_HOST:
            return f"the server's certificate is not for {self._host}: give it one that is, or name it in database_url as that does"
        if error.verify_code in OUT_OF_DATE:
            return f"the server's certificate is out of date ({error.verify_message}): renew it there, or set this machine's clock"
        return (
            f"ssl_ca ({self._named[CA]}) does not vouch for the server's certificate ({error.verify_message}): "
            "either it is the file of another CA, or somebody else answers there"
        )

    def _turned_down(self, error: ssl.SSLError) -> str:
        ours = f"ssl_cert ({self._named[CERT]})" if CERT in self._named else "us without ssl_cert"
        return f"the server has broken the TLS handshake off ({_reason(error)}): it does not want {ours}, or has nothing in common"


def _reason(error: Exception) -> str:
    """Without OpenSSL's source lines."""
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.replace("_", " ").lower()
    return getattr(error, "strerror", None) or str(error)
