"""A certificate authority of this machine's own: made at first start, it signs the page's certificate."""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CA_DAYS = 3650
LEAF_DAYS = 397
"""Browsers refuse certificates that are good for much longer (CA/Browser Forum, 398 days)."""
RENEW_DAYS = 30
"""A certificate is replaced this long before its end."""
BACKDATE = dt.timedelta(hours=1)
"""For clients whose clock is slow."""
MAX_NAMES = 100
"""In one certificate; of the names it only had before, the last ones are dropped."""


@dataclass(frozen=True)
class LocalFiles:
    """Where things lie, all below ``state_dir/tls``. Keys are readable by their owner only."""

    ca: Path
    ca_key: Path
    leaf: Path
    """The leaf's certificate, then the CA's."""
    leaf_key: Path

    @classmethod
    def below(cls, folder: Path) -> LocalFiles:
        return cls(folder / "ca.pem", folder / "ca.key", folder / "leaf.pem", folder / "leaf.key")


def ensure(files: LocalFiles, names: Sequence[str], now: dt.datetime) -> bool:
    """Make what is missing, unreadable, about to end or lacks one of the names; True if the leaf is new. Raises OSError.

    A browser's exception holds for one certificate. So a leaf is kept while it is good for every name asked for, and the next
    one keeps the names it had: whoever carries the machine between two networks has to make one exception, not one a day.
    """
    files.ca.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    wanted = list(dict.fromkeys(names))[:MAX_NAMES]
    ca = _load(files.ca, files.ca_key)
    if ca is None or _ends_soon(ca[0], now, CA_DAYS / 10):
        ca = _make_ca(now)
        _write_pair(files.ca, files.ca_key, [ca[0]], ca[1])
    leaf = _load(files.leaf, files.leaf_key)
    found = _names_of(leaf[0], ca[0]) if leaf is not None else []
    if leaf is not None and found and set(wanted) <= set(found) and not _ends_soon(leaf[0], now, RENEW_DAYS):
        return False
    fresh = _make_leaf(*ca, list(dict.fromkeys([*wanted, *found]))[:MAX_NAMES], now)
    _write_pair(files.leaf, files.leaf_key, [fresh[0], ca[0]], fresh[1])
    return True


Pair = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def _load(certificate: Path, key: Path) -> Pair | None:
    """None for anything that is not a certificate with its key: it is made again."""
    try:
        loaded = x509.load_pem_x509_certificates(certificate.read_bytes())[0]
        private = serialization.load_pem_private_key(key.read_bytes(), None)
    except (OSError, ValueError, TypeError, IndexError):
        return None
    if not isinstance(private, ec.EllipticCurvePrivateKey) or private.public_key() != loaded.public_key():
        return None
    return loaded, private


def _ends_soon(certificate: x509.Certificate, now: dt.datetime, days: float) -> bool:
    return now > certificate.not_valid_after_utc - dt.timedelta(days=days)


def names_in(files: LocalFiles) -> list[str]:
    """What the leaf is good for; empty if it has to be made again."""
    leaf, ca = _load(files.leaf, files.leaf_key), _load(files.ca, files.ca_key)
    return _names_of(leaf[0], ca[0]) if leaf is not None and ca is not None else []


def _names_of(leaf: x509.Certificate, ca: x509.Certificate) -> list[str]:
    try:
        leaf.verify_directly_issued_by(ca)
        found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except Exception:  # whatever is wrong with it, a new one is made
        return []
    return [str(name.value) for name in found]


def _alternative_names(names: Sequence[str]) -> list[x509.GeneralName]:
    found: list[x509.GeneralName] = []
    for name in names:
        try:
            found.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            found.append(x509.DNSName(name))
    return found


def _make_ca(now: dt.datetime) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(f"confero local CA {x509.random_serial_number() % 16**6:06x}")
    builder = _builder(name, name, key.public_key(), now, CA_DAYS)
    usage = _key_usage(key_cert_sign=True, crl_sign=True)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(usage, critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    return builder.sign(key, hashes.SHA256()), key


def _make_leaf(
    ca: x509.Certificate, ca_key: ec.EllipticCurvePrivateKey, names: Sequence[str], now: dt.datetime
) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(_name("confero"), ca.subject, key.public_key(), now, LEAF_DAYS)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    for extension, critical in (
        (x509.SubjectAlternativeName(_alternative_names(names)), False),
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_key_usage(digital_signature=True), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
        (issuer, False),
    ):
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(ca_key, hashes.SHA256()), key


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: dt.datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATE)
        .not_valid_after(now + dt.timedelta(days=days) - BACKDATE)
    )


def _key_usage(
    *, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _write_pair(
    certificate: Path, key: Path, chain: Sequence[x509.Certificate], private: ec.EllipticCurvePrivateKey
) -> None:
    """The key first: a crash between the two leaves a pair that does not match, which is made again."""
    encoded = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _write(key, encoded, 0o600)
    _write(certificate, b"".join(c.public_bytes(serialization.Encoding.PEM) for c in chain), 0o644)


def _write(path: Path, data: bytes, mode: int) -> None:
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
