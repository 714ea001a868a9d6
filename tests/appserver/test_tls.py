"""Certificates: made, renewed, loaded again, judged by OpenSSL; and what is said of them."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
import time
from pathlib import Path
from typing import Any

import ifaddr
import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from confero.appserver import localca, tls
from confero.appserver.config import AppserverConfig
from confero.appserver.localca import LocalFiles
from confero.appserver.tls import Certificates, browser_notice, machine_names, temporary_addresses
from confero.clock import FakeClock
from confero.errors import LocalError

NOW = dt.datetime(2027, 1, 15, 8, 0, tzinfo=dt.UTC)
NAMES = ["localhost", "127.0.0.1", "::1", "meet.example"]


@pytest.fixture
def files(tmp_path: Path) -> LocalFiles:
    return LocalFiles.below(tmp_path / "tls")


def config(tmp_path: Path, **settings: Any) -> AppserverConfig:
    return AppserverConfig(state_dir=tmp_path, **settings)


def leaf(files: LocalFiles) -> x509.Certificate:
    return x509.load_pem_x509_certificate(files.leaf.read_bytes())


# --- the local CA ----------------------------------------------------------------------------------------------------


def test_ca_and_leaf_are_made_once(files: LocalFiles) -> None:
    assert localca.ensure(files, NAMES, NOW)
    before = [path.read_bytes() for path in (files.ca, files.ca_key, files.leaf, files.leaf_key)]
    assert not localca.ensure(files, NAMES, NOW)
    assert [path.read_bytes() for path in (files.ca, files.ca_key, files.leaf, files.leaf_key)] == before


def test_keys_are_their_owners_only(files: LocalFiles) -> None:
    localca.ensure(files, NAMES, NOW)
    assert [path.stat().st_mode & 0o777 for path in (files.ca_key, files.leaf_key)] == [0o600, 0o600]
    assert files.ca.parent.stat().st_mode & 0o777 == 0o700
    assert list(files.ca.parent.glob("*.new")) == []


def test_what_the_certificates_say(files: LocalFiles) -> None:
    localca.ensure(files, NAMES, NOW)
    names = leaf(files).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost", "meet.example"]
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1"]
    assert leaf(files).not_valid_after_utc - leaf(files).not_valid_before_utc == dt.timedelta(days=397)
    ca = x509.load_pem_x509_certificate(files.ca.read_bytes())
    constraints = ca.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert (constraints.ca, constraints.path_length) == (True, 0)


def test_leaf_is_renewed_before_its_end_under_the_same_ca(files: LocalFiles) -> None:
    localca.ensure(files, NAMES, NOW)
    ca = files.ca.read_bytes()
    assert not localca.ensure(files, NAMES, NOW + dt.timedelta(days=366))
    assert localca.ensure(files, NAMES, NOW + dt.timedelta(days=368))
    assert files.ca.read_bytes() == ca


def test_ca_is_renewed_long_before_its_end(files: LocalFiles) -> None:
    localca.ensure(files, NAMES, NOW)
    ca = files.ca.read_bytes()
    assert localca.ensure(files, NAMES, NOW + dt.timedelta(days=3300))
    assert files.ca.read_bytes() != ca


def test_a_clock_that_stands_before_makes_nothing_anew(files: LocalFiles) -> None:
    localca.ensure(files, NAMES, NOW)
    assert not localca.ensure(files, NAMES, dt.datetime(1970, 1, 1, tzinfo=dt.UTC))


def test_names_that_go_keep_the_leaf(files: LocalFiles) -> None:
    localca.ensure(files, NAMES, NOW)
    assert not localca.ensure(files, list(reversed(NAMES)), NOW)
    assert not localca.ensure(files, NAMES[:1], NOW)
    assert set(localca.names_in(files)) == set(NAMES)


def test_a_missing_name_makes_another_leaf_that_keeps_the_earlier_names(files: LocalFiles) -> None:
    localca.ensure(files, NAMES, NOW)
    assert localca.ensure(files, ["localhost", "192.0.2.1"], NOW)
    assert set(localca.names_in(files)) == {*NAMES, "192.0.2.1"}
    assert not localca.ensure(files, NAMES, NOW)


def test_a_renewed_leaf_keeps_the_earlier_names(files: LocalFiles) -> None:
    localca.ensure(files, NAMES, NOW)
    assert localca.ensure(files, NAMES[:1], NOW + dt.timedelta(days=368))
    assert set(localca.names_in(files)) == set(NAMES)


def test_names_are_bounded_and_the_wanted_ones_come_first(files: LocalFiles) -> None:
    first = [f"192.0.2.{number}" for number in range(80)]
    second = [f"198.51.100.{number}" for number in range(80)]
    localca.ensure(files, first, NOW)
    assert localca.ensure(files, second, NOW)
    assert localca.names_in(files) == second + first[:20]
    assert not localca.ensure(files, second, NOW)
    assert localca.ensure(files, [f"n{number}.example" for number in range(200)], NOW)
    assert len(localca.names_in(files)) == localca.MAX_NAMES


def test_names_of_nothing(files: LocalFiles) -> None:
    assert localca.names_in(files) == []


@pytest.mark.parametrize("name", ["ca.pem", "ca.key", "leaf.pem", "leaf.key"])
@pytest.mark.parametrize(
    "content", [None, b"", b"garbage", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_damaged_files_are_made_again(files: LocalFiles, name: str, content: bytes | None) -> None:
    localca.ensure(files, NAMES, NOW)
    path = files.ca.parent / name
    path.unlink() if content is None else path.write_bytes(content)
    assert localca.ensure(files, NAMES, NOW)
    assert not localca.ensure(files, NAMES, NOW)


def test_key_of_another_certificate(files: LocalFiles, tmp_path: Path) -> None:
    localca.ensure(files, NAMES, NOW)
    other = LocalFiles.below(tmp_path / "other")
    localca.ensure(other, NAMES, NOW)
    files.leaf_key.write_bytes(other.leaf_key.read_bytes())
    assert localca.ensure(files, NAMES, NOW)


def test_leaf_of_another_ca(files: LocalFiles, tmp_path: Path) -> None:
    localca.ensure(files, NAMES, NOW)
    other = LocalFiles.below(tmp_path / "other")
    localca.ensure(other, NAMES, NOW)
    for own, foreign in ((files.leaf, other.leaf), (files.leaf_key, other.leaf_key)):
        own.write_bytes(foreign.read_bytes())
    assert localca.ensure(files, NAMES, NOW)


# --- names -----------------------------------------------------------------------------------------------------------


def test_machine_names(tmp_path: Path) -> None:
    names = machine_names(
        config(
            tmp_path,
            https_host="127.0.0.9",
            public_url="https://meet.example:8443",
            certificate_names=["Other.Example", "192.0.2.7", "fe80::1%eth0", "not a name", ""],
        )
    )
    assert names[:3] == ["localhost", "127.0.0.1", "::1"]
    assert {"127.0.0.9", "meet.example", "other.example", "192.0.2.7"} <= set(names)
    assert not {"fe80::1", "not a name", "", "0.0.0.0", "::"} & set(names)
    assert len(set(names)) == len(names)


def test_temporary_addresses(tmp_path: Path) -> None:
    table = tmp_path / "if_inet6"
    table.write_text(
        "00000000000000000000000000000001 01 80 10 80       lo\n"
        "20010db8000000000000000000000007 02 40 00 00     eth0\n"
        "20010db800000000abcdef0123456789 02 40 00 01     eth0\n"
        "20010db800000000abcdef012345678a 02 40 00 21     eth0\n"  # temporary and deprecated
    )
    assert temporary_addresses(table) == {"2001:db8::abcd:ef01:2345:6789", "2001:db8::abcd:ef01:2345:678a"}
    assert temporary_addresses(tmp_path / "none") == set()


def test_temporary_addresses_are_no_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interface(monkeypatch, "192.0.2.5", "2001:db8::5", "2001:db8::6")
    monkeypatch.setattr(tls, "temporary_addresses", lambda: {"2001:db8::6"})
    names = machine_names(config(tmp_path))
    assert {"192.0.2.5", "2001:db8::5"} <= set(names)
    assert "2001:db8::6" not in names


def interface(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """The machine has one interface, with these addresses."""
    ips = [ifaddr.IP((ip, 0, 0) if ":" in ip else ip, 24, "eth0") for ip in addresses]
    monkeypatch.setattr(ifaddr, "get_adapters", lambda: [ifaddr.Adapter("eth0", "eth0", ips)])


def test_notice(tmp_path: Path) -> None:
    assert str(tmp_path / "tls" / "ca.pem") in browser_notice(config(tmp_path))
    own = config(tmp_path, certificate=Path("c"), certificate_key=Path("k"))
    assert browser_notice(own) == ""


def test_certificate_without_key(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="belong together"):
        config(tmp_path, certificate=Path("c"))


# --- loading, over real handshakes ------------------------------------------------------------------------------------


class Server:
    """Answers each TLS connection with one byte when asked, and keeps it open."""

    def __init__(self, certificates: Certificates) -> None:
        self._certificates = certificates
        self.port = 0

    async def __aenter__(self) -> Server:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._certificates.context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1):
            writer.write(data)
        writer.close()

    async def connect(self, trust: ssl.SSLContext) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, bytes]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=trust, server_hostname="localhost")
        der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        return reader, writer, der


def trusting(ca: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(ca))


def own_pair(folder: Path, ca: trustme.CA) -> tuple[Path, Path]:
    issued = ca.issue_cert("localhost")
    certificate, key = folder / "own.pem", folder / "own.key"
    certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    key.write_bytes(issued.private_key_pem.bytes())
    return certificate, key


async def test_handshake_against_the_local_ca(tmp_path: Path) -> None:
    certificates = Certificates(config(tmp_path), FakeClock(wall=time.time()))
    certificates.load()
    async with Server(certificates) as server:
        _, writer, _ = await server.connect(trusting(tmp_path / "tls" / "ca.pem"))
        assert writer.get_extra_info("ssl_object").version() == "TLSv1.3"
        writer.close()
        with pytest.raises(ssl.SSLCertVerificationError):
            await server.connect(ssl.create_default_context())


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
async def test_old_protocols_are_refused(tmp_path: Path) -> None:
    certificates = Certificates(config(tmp_path), FakeClock())
    certificates.load()
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.minimum_version = ssl.TLSVersion.TLSv1
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    async with Server(certificates) as server:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await server.connect(old)


async def test_changed_files_are_loaded_and_connections_stay(tmp_path: Path) -> None:
    ca = trustme.CA()
    certificate, key = own_pair(tmp_path, ca)
    certificates = Certificates(config(tmp_path, certificate=certificate, certificate_key=key), FakeClock())
    certificates.load()
    assert certificates.own
    trust = ssl.create_default_context()
    ca.configure_trust(trust)
    async with Server(certificates) as server:
        reader, writer, first = await server.connect(trust)
        assert not certificates.refresh()
        own_pair(tmp_path, ca)
        assert certificates.refresh()
        _, other, second = await server.connect(trust)
        assert first != second
        writer.write(b"x")
        assert await reader.readexactly(1) == b"x"
        writer.close()
        other.close()


async def test_half_written_files_change_nothing(tmp_path: Path) -> None:
    ca = trustme.CA()
    certificate, key = own_pair(tmp_path, ca)
    certificates = Certificates(config(tmp_path, certificate=certificate, certificate_key=key), FakeClock())
    certificates.load()
    trust = ssl.create_default_context()
    ca.configure_trust(trust)
    good = certificate.read_bytes()
    async with Server(certificates) as server:
        for broken in (b"", good[:100], trustme.CA().issue_cert("localhost").cert_chain_pems[0].bytes()):
            certificate.write_bytes(broken)
            assert not certificates.refresh()
            (await server.connect(trust))[1].close()
        certificate.unlink()
        assert not certificates.refresh()
        certificate.write_bytes(good)
        assert certificates.refresh()
        (await server.connect(trust))[1].close()


@pytest.mark.parametrize("fault", ["missing", "garbage", "mismatch", "encrypted"])
def test_unusable_certificates_are_said_at_start(tmp_path: Path, fault: str) -> None:
    certificate, key = own_pair(tmp_path, trustme.CA())
    if fault == "missing":
        certificate.unlink()
    elif fault == "garbage":
        key.write_text("garbage")
    elif fault == "mismatch":
        key.write_bytes(trustme.CA().issue_cert("x").private_key_pem.bytes())
    else:
        key.write_bytes(encrypted_key())
    certificates = Certificates(config(tmp_path, certificate=certificate, certificate_key=key), FakeClock())
    with pytest.raises(LocalError, match=r"own\.pem"):
        certificates.load()


def encrypted_key() -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"sesame"),
    )


async def test_local_leaf_is_renewed_while_running(tmp_path: Path) -> None:
    clock = FakeClock(wall=NOW.timestamp())
    certificates = Certificates(config(tmp_path), clock)
    certificates.load()
    assert not certificates.refresh()
    clock.advance(370 * 86_400)
    assert certificates.refresh()
    assert not certificates.refresh()


async def test_addresses_that_come_and_go_leave_the_certificate_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """While running it is only logged, once; at the next start the new address gets in, beside the old one."""
    local = LocalFiles.below(tmp_path / "tls")
    interface(monkeypatch, "192.0.2.5")
    certificates = Certificates(config(tmp_path), FakeClock(wall=NOW.timestamp()))
    certificates.load()
    before = local.leaf.read_bytes()
    caplog.clear()
    caplog.set_level("INFO")
    for address in ("198.51.100.5", "198.51.100.5", "192.0.2.5"):
        interface(monkeypatch, address)
        assert not certificates.refresh()
    assert local.leaf.read_bytes() == before
    assert len([record for record in caplog.records if "lacks names" in str(record.msg)]) == 1
    Certificates(config(tmp_path), FakeClock(wall=NOW.timestamp())).load()
    assert local.leaf.read_bytes() == before
    interface(monkeypatch, "198.51.100.5")
    Certificates(config(tmp_path), FakeClock(wall=NOW.timestamp())).load()
    assert {"192.0.2.5", "198.51.100.5"} <= set(localca.names_in(local))
