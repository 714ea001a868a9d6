"""The configuration page of a service that exists only here."""

from __future__ import annotations

from typing import Literal

from confero.config import ServiceConfig
from confero.configpage import render


class TurnConfig(ServiceConfig):
    mode: Literal["a", "b"] = "a"
    """Either; ``a | b``
    on two lines."""


def test_each_setting_is_one_row_and_common_ones_stand_once() -> None:
    page = render({"turn": TurnConfig})
    row = r"| `--mode`<br>`CONFERO_TURN_MODE` | a\|b | a | Either; `a \| b` on two lines. |"
    assert row in page.splitlines()
    assert page.count("--state-dir") == 1 and "| `--state-dir`<br>`CONFERO_STATE_DIR` | path | $XDG_STATE_HOME" in page
    assert page.index("## Common settings") < page.index("## turn")
