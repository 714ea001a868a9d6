"""The demonstration's verdict: each fault of a conference is named, and nothing else is."""

from __future__ import annotations

import numpy as np
import pytest

from confero.lab.demo import HEARD_DB, LEAK_DB, UNHEARD_DB, Ear, verdict
from confero.lab.signals.analysis import SILENCE_DB, Voice

NAMES = ("Ada", "Grace", "Phone")


def conference(**changed: float) -> list[Ear]:
    """All hear all, and nobody themselves, but for levels given as ``Listener_Talker`` and leaks as ``Listener``."""
    ears = []
    for name in NAMES:
        own = {other: SILENCE_DB if other == name else 0.0 for other in NAMES}
        levels = {other: changed.pop(f"{name}_{other}", level) for other, level in own.items()}
        voices = {other: Voice(level, 0.1, 20.0) for other, level in levels.items()}
        ears.append(Ear(name, voices, changed.pop(name, SILENCE_DB), np.zeros(0)))
    assert not changed
    return ears


def test_nothing_is_wrong_with_a_good_conference() -> None:
    assert verdict(conference()) == []


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"Ada_Phone": -40.0}, "Ada did not hear Phone (-40 dB)"),
        ({"Phone_Ada": SILENCE_DB}, "Phone did not hear Ada (-120 dB)"),
        ({"Grace_Grace": -3.0}, "Grace heard their own voice at -3 dB"),
        ({"Grace": -45.0}, "Grace's own voice is in their mix at -45 dB"),
    ],
)
def test_each_fault_is_named(changed: dict[str, float], fault: str) -> None:
    assert verdict(conference(**changed)) == [fault]


def test_all_faults_are_named() -> None:
    faults = verdict(conference(Ada_Ada=0.0, Ada_Grace=-90.0, Ada=0.0, Phone_Grace=-90.0))
    assert len(faults) == 4
    assert sum(fault.startswith("Phone") for fault in faults) == 1


@pytest.mark.parametrize(
    ("key", "limit", "wrong"), [("Ada_Grace", HEARD_DB, -0.1), ("Ada_Ada", UNHEARD_DB, 0.1), ("Ada", LEAK_DB, 0.1)]
)
def test_the_limits_themselves_are_good(key: str, limit: float, wrong: float) -> None:
    assert verdict(conference(**{key: limit})) == []
    assert len(verdict(conference(**{key: limit + wrong}))) == 1


def test_a_recording_of_silence_is_not_heard() -> None:
    """Voices that were not found at all have the level of silence."""
    deaf = {f"Ada_{name}": SILENCE_DB for name in NAMES}
    assert verdict(conference(**deaf)) == [f"Ada did not hear {name} (-120 dB)" for name in ("Grace", "Phone")]
