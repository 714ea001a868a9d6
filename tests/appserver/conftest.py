"""A MariaDB for the whole run, made when the first test asks for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .mariadb import MariaDb


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDb]:
    server = MariaDb()
    try:
        server.start()
        yield server
    finally:
        server.stop()
