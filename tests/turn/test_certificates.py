"""Whether browsers know who has signed the certificate, and when it is taken up."""

from __future__ import annotations

import datetime as dt
import os
import time
from pathlib import Path

import pytest

from confero.appserver import localca
from confero.clock import SystemClock
from confero.errors import LocalError
from confero.turn.certificates import Certificates, public_roots, trusted_names


def write(folder: Path, *names: str) -> tuple[Path, Path, Path]:
    """A leaf, its key, and what this machine is to trust, some of which cannot be read."""
    made = localca.LocalFiles.below(folder / "tls")
    localca.ensure(made, list(names), dt.datetime.now(dt.UTC).replace(microsecond=0))
    chain, key, roots = folder / "leaf.pem", folder / "leaf.key", folder / "roots.pem"
    chain.write_bytes(made.leaf.read_bytes())
    key.write_bytes(made.leaf_key.read_bytes())
    nonsense = b"-----BEGIN CERTIFICATE-----\nbm9uc2Vuc2U=\n-----END CERTIFICATE-----\n"
    roots.write_bytes(nonsense + (folder / "tls" / "ca.pem").read_bytes())
    return chain, key, roots


def test_names_count_where_an_authority_of_the_system_stands_behind_them(tmp_path: Path) -> None:
    chain, _, roots = write(tmp_path, "turn.example", "*.example", "192.0.2.5")
    assert trusted_names(chain, roots, time.time()) == ["turn.example", "*.example", "192.0.2.5"]
    assert trusted_names(chain, public_roots(), time.time()) == []
    assert trusted_names(chain, None, time.time()) == []
    assert trusted_names(chain, roots, time.time() + 200 * 365 * 86_400) == [], "its time is over"


def test_a_certificate_for_an_address_alone(tmp_path: Path) -> None:
    chain, _, roots = write(tmp_path, "192.0.2.5")
    assert trusted_names(chain, roots, time.time()) == ["192.0.2.5"]


def test_what_is_no_certificate_has_no_names(tmp_path: Path) -> None:
    chain, _, roots = write(tmp_path, "turn.example")
    chain.write_bytes(b"nonsense")
    assert trusted_names(chain, roots, time.time()) == []
    assert trusted_names(tmp_path / "none", roots, time.time()) == []


def test_it_is_taken_up_when_it_is_there_and_when_it_changes(tmp_path: Path) -> None:
    loaded: list[Path] = []
    made = Certificates(
        tmp_path / "leaf.pem", tmp_path / "leaf.key", lambda chain, key: loaded.append(chain), SystemClock()
    )
    made.look()
    assert not made.there and not loaded
    chain, _, _ = write(tmp_path, "turn.example")
    made.look()
    made.look()
    assert made.there and loaded == [chain]
    os.utime(chain, ns=(1, 1))
    made.look()
    assert len(loaded) == 2


def test_one_that_cannot_be_used_is_said_once_and_leaves_the_old_one(tmp_path: Path) -> None:
    failures: list[LocalError] = []

    def load(chain: Path, key: Path) -> None:
        if failures:
            raise failures[0]

    made = Certificates(tmp_path / "leaf.pem", tmp_path / "leaf.key", load, SystemClock())
    write(tmp_path, "turn.example")
    made.look()
    failures.append(LocalError("half written"))
    write(tmp_path, "turn.example")
    with pytest.raises(LocalError):
        made.look()
    made.look()
    assert made.there
