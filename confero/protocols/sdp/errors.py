"""The one error of this package: what is wrong with a session description, and in which line."""

from __future__ import annotations

from confero.errors import RemoteError


class SdpError(RemoteError):
    """A description that is malformed, over a limit, or cannot be agreed on.

    ``line`` is the number of the offending line, counted from 1; 0 where no single line is to blame. ``code`` is
    ``sdp-invalid``, or ``sdp-no-usable-media`` where the description is well-formed but holds nothing for us.
    """

    def __init__(self, detail: str, *, line: int = 0, code: str = "sdp-invalid") -> None:
        super().__init__(f"line {line}: {detail}" if line else detail, status=422, code=code)
        self.line = line
