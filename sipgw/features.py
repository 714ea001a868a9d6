"""Keys in a room: a star and another key. A machine without I/O."""

from __future__ import annotations

from typing import Literal

Feature = Literal["mute", "hand", "softer", "louder", "help", "unknown"]

FEATURES: dict[str, Feature] = {"6": "mute", "9": "hand", "1": "softer", "3": "louder", "#": "help"}
"""By the key after the star."""
WITHIN_S = 4.0
"""The second key; later it is a key of its own, which means nothing."""


class Features:
    """What the keys of one caller ask for."""

    def __init__(self) -> None:
        self._star: float | None = None

    def key(self, digit: str, now: float) -> Feature | None:
        """None: nothing yet, or nothing at all. A second star begins again."""
        star, self._star = self._star, None
        if digit == "*":
            self._star = now
            return None
        if star is None or now - star > WITHIN_S:
            return None
        return FEATURES.get(digit, "unknown")
