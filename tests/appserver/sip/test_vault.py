"""The vault: known answers for digests, and that nothing opens where it should not."""

from __future__ import annotations

import hashlib

import pytest

from confero.appserver.sip.vault import Vault, ha1
from confero.errors import LocalError

SECRET = b"a secret of the vault's tests 123456"
RFC_7616 = ("Mufasa", "http-auth@example.org", "Circle of Life")


def test_hashes_of_the_rfc() -> None:
    """RFC 7616 section 3.9.1 gives the response; its inputs but for the hash are known."""
    rest = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v:00000001:f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ:auth"
    for name, kind, response in (
        ("MD5", "md5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "sha256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ):
        ha2 = hashlib.new(kind, b"GET:/dir/index.html").hexdigest()
        text = f"{ha1(name, *RFC_7616)}:{rest}:{ha2}"
        assert hashlib.new(kind, text.encode()).hexdigest() == response


def test_what_is_sealed_opens_for_its_owner_alone() -> None:
    vault = Vault(SECRET)
    sealed = vault.seal("Círculo", "trunk a")
    assert vault.open(sealed, "trunk a") == "Círculo"
    assert sealed != vault.seal("Círculo", "trunk a") and "rculo" not in sealed
    for other, owner in ((vault, "trunk b"), (Vault(SECRET + b"x"), "trunk a")):
        with pytest.raises(LocalError) as caught:
            other.open(sealed, owner)
        assert "rculo" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "1.", "1.AAAA", "1.***", "2.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "é"])
def test_what_was_never_sealed(text: str) -> None:
    with pytest.raises(LocalError):
        Vault(SECRET).open(text, "trunk a")


def test_digest_hashes_by_algorithm() -> None:
    vault = Vault(SECRET)
    sealed = vault.seal_ha1("alice", "pbx", "sesame street")
    assert vault.open_ha1(sealed, "alice", "pbx", "MD5") == ha1("MD5", "alice", "pbx", "sesame street")
    assert vault.open_ha1(sealed, "alice", "pbx", "CRC") is None
    with pytest.raises(LocalError):
        vault.open_ha1(sealed, "bob", "pbx", "MD5")


def test_pins() -> None:
    vault = Vault(SECRET)
    hashed = vault.hash_pin("1234")
    assert vault.check_pin("1234", hashed) and not vault.check_pin("1235", hashed)
    assert hashed != vault.hash_pin("1234")
    assert not Vault(SECRET + b"x").check_pin("1234", hashed)
    assert not vault.check_pin("", None) and not vault.check_pin("1234", None)
