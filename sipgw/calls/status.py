"""What went wrong elsewhere, as a SIP status."""

from __future__ import annotations

from confero.errors import ConferoError, LocalError

STATUS = {
    "replaces-unknown": 481,
    "replaces-answered": 486,
    "replaces-over": 603,
    "replaces-malformed": 400,
    "sdp-invalid": 400,
    "sdp-no-usable-media": 488,
    "room-unknown": 404,
    "room-full": 486,
    "not-registered": 480,
    "trunk-away": 503,
    "call-out-refused": 403,
    "call-out-limit": 403,
    "too-many-unproven": 503,
    "no-ports": 503,
    "draining": 503,
    "mcu-full": 503,
    "no-media-server": 503,
}
"""By the code of the refusal of another service; others are 500 if it was our fault, else 403."""


def status_of(error: ConferoError) -> tuple[int, str]:
    """The SIP status that says what went wrong, and the words for the record."""
    code = getattr(error, "code", "")
    if code in STATUS:
        return STATUS[code], str(error)
    if isinstance(error, LocalError):
        return 500, str(error)
    return (503 if getattr(error, "status", 500) >= 500 else 403), str(error)


def retry_after(status: int) -> list[tuple[str, str]]:
    return [("Retry-After", "5")] if status == 503 else []
