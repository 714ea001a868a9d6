"""Test files that start the whole system may run side by side: each has addresses of its own."""

from __future__ import annotations

import re
from collections import defaultdict

import pytest

from .source import ROOT

PLACE = re.compile(r'^(?:NETWORK = (\d+)|HOST = "127\.0\.(\d+)\.\d+")', re.MULTILINE)
"""127.0.NETWORK.x, or one address of it."""


@pytest.mark.parametrize("folder", ["e2e", "interop"])
def test_no_two_files_have_the_same(folder: str) -> None:
    found = defaultdict(list)
    for path in sorted((ROOT / "tests" / folder).glob("test_*.py")):
        for network, of_host in PLACE.findall(path.read_text()):
            found[int(network or of_host)].append(path.name)
    assert found, "the pattern finds nothing"
    assert not {network: names for network, names in found.items() if len(names) > 1}
