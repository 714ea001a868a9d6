"""The refusal of who has tried too often."""

from __future__ import annotations

from confero.errors import Refused

LONGEST_S = 3600.0
"""What is said of a longer wait."""


def refuse_too_many(wait_s: float) -> None:
    """Raises Refused 429 ``too-many-tries`` if there is a wait."""
    if wait_s > 0:
        raise Refused(
            "Too many tries; please wait a little.",
            status=429,
            code="too-many-tries",
            retry_after_s=min(wait_s, LONGEST_S),
        )
