"""Crypto lines: which can be used, whose order holds, and that a key that stays lets ours stay."""

from __future__ import annotations

import base64

import pytest

from confero.protocols.sdp import SdpError, sdes
from confero.protocols.sdp.model import Crypto

AES = "AES_CM_128_HMAC_SHA1_80"
TEXT = base64.b64encode(bytes(range(30))).decode()
KEYS = sdes.Keys(AES, bytes(range(16)), bytes(range(16, 30)))


def random(size: int) -> bytes:
    return b"\7" * size


def line(keys: str = f"inline:{TEXT}", suite: str = AES, *parameters: str, tag: int = 1) -> Crypto:
    return Crypto(tag, suite, keys, parameters)


@pytest.mark.parametrize(
    "crypto",
    [
        line(),
        line(f"INLINE:{TEXT}"),
        line(f"inline:{TEXT}|2^31"),
        line(f"inline:{TEXT}|2^20"),
        line(f"inline:{TEXT}|1048576"),
        line(f"inline:{TEXT}", AES, "WSH=64"),
        line(f"inline:{TEXT}", AES, "-EXTRA=1", "wsh=128"),
    ],
)
def test_what_can_be_used(crypto: Crypto) -> None:
    assert sdes.read(crypto) == KEYS


@pytest.mark.parametrize(
    "crypto",
    [
        line(suite="F8_128_HMAC_SHA1_80"),
        line(suite="NULL"),
        line("inline:" + TEXT[:-4]),
        line("inline:" + TEXT + "AAAA"),
        line("inline:AAAA*AAA"),
        line("inline:"),
        line("inline"),
        line("ekt:" + TEXT),
        line(f"inline:{TEXT}|1:4"),
        line(f"inline:{TEXT}|2^31|1:4"),
        line(f"inline:{TEXT};inline:{TEXT}"),
        line(f"inline:{TEXT}|2^19"),
        line(f"inline:{TEXT}|1000"),
        line(f"inline:{TEXT}|2^31|"),
        line(f"inline:{TEXT}|forever"),
        line(f"inline:{TEXT}", AES, "KDR=1"),
        line(f"inline:{TEXT}", AES, "UNENCRYPTED_SRTP"),
        line(f"inline:{TEXT}", AES, "UNENCRYPTED_SRTCP"),
        line(f"inline:{TEXT}", AES, "UNAUTHENTICATED_SRTP"),
        line(f"inline:{TEXT}", "AEAD_AES_128_GCM"),
    ],
)
def test_what_cannot_be_used(crypto: Crypto) -> None:
    assert sdes.read(crypto) is None


@pytest.mark.parametrize("suite", sdes.ALL_SUITES)
def test_our_own_lines_can_be_read(suite: str) -> None:
    keys = sdes.new_keys(suite, random)
    assert sdes.read(keys.line(3)) == keys
    assert keys.line(3).keys.count("=") in (0, 1, 2)
    assert sdes.read(Crypto(1, suite, keys.line(1).keys.rstrip("="))) == keys  # some leave the padding out


def test_keys_are_not_shown() -> None:
    assert TEXT not in repr(line()) and "\\x01" not in repr(KEYS)


def test_the_offerers_first_that_we_can_use_is_taken() -> None:
    found = sdes.choose((line(suite="NULL"), line(tag=7), line(tag=8)), sdes.ALL_SUITES, random, None)
    assert found is not None and (found.tag, found.theirs, found.ours.key) == (7, KEYS, b"\7" * 16)
    assert sdes.choose((line(),), ("AEAD_AES_128_GCM",), random, None) is None
    assert sdes.choose((), sdes.ALL_SUITES, random, None) is None


def test_a_key_that_stays_lets_ours_stay() -> None:
    before = sdes.Sdes(1, KEYS, sdes.Keys(AES, b"o" * 16, b"s" * 14))
    kept = sdes.choose((line(tag=4),), sdes.ALL_SUITES, random, before)
    assert kept == sdes.Sdes(4, KEYS, before.ours)
    other = line("inline:" + base64.b64encode(bytes(30)).decode())
    fresh = sdes.choose((other,), sdes.ALL_SUITES, random, before)
    assert fresh is not None and fresh.ours != before.ours


def test_an_answer_is_one_line_of_the_offer() -> None:
    offered = sdes.offer_lines(sdes.ALL_SUITES, random)
    assert [crypto.tag for crypto in offered] == [1, 2, 3, 4]
    found = sdes.answered(offered, (line(tag=3),))
    assert (found.theirs, found.ours) == (KEYS, sdes.new_keys(AES, random))
    for wrong in ((), (line(tag=3), line(tag=4)), (line(tag=2),), (line(suite="NULL"),), (line("inline:AA", tag=3),)):
        with pytest.raises(SdpError):
            sdes.answered(offered, wrong)
