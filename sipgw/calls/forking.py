"""One INVITE to several phones at once: what a proxy does that forks (RFC 3261 section 16.7), seen from the caller's side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from confero.protocols.sip.message import Request, Response
from confero.protocols.sip.target import Target

from ..outbound import Errand, Sender, copy_of

INFORMATIVE = (401, 407, 415, 420, 484)
"""Section 16.7 item 6: of several 4xx those are preferred that say what could be done."""


@dataclass(frozen=True)
class Branch:
    """One phone."""

    uri: str
    """Its Contact: the Request-URI."""
    routes: tuple[str, ...] = ()
    """Its Path, as Route values."""
    flow: Target | None = None
    near: Target | None = None
    """Where it is, for our Contact."""


class Caller(Protocol):
    """Whom the responses go to."""

    def responded(self, response: Response, source: Target) -> None: ...
    def unanswered(self, *, sent: bool) -> None: ...
    def reached(self, tag: str, flow: Target | None) -> None: ...


class Forking:
    """The INVITE on all its branches. Provisionals and each 2xx are passed on, of other finals the best when all are there."""

    def __init__(self, sender: Sender, request: Request, branches: Sequence[Branch], caller: Caller) -> None:
        """At least one branch."""
        self._sender = sender
        self._caller = caller
        self._finals: list[tuple[Response, Target]] = []
        self._sent = False
        self._over = False
        self._arms = [Arm(self, branch) for branch in branches]
        """That have not ended."""
        for arm in tuple(self._arms):
            arm.start(sender, request)

    def cancel(self) -> None:
        for arm in tuple(self._arms):
            arm.cancel()

    # -- told by branches --

    def heard(self, arm: Arm, response: Response, source: Target) -> None:
        tag = response.headers.get("To") and response.to.tag
        if tag:
            self._caller.reached(tag, arm.branch.flow)
        if response.status >= 200:
            self._arms.remove(arm)
        if response.status < 200:
            if not self._over:
                self._caller.responded(response, source)
        elif response.status < 300:
            self._accepted(response, source)
        else:
            self._refused(response, source)

    def _accepted(self, response: Response, source: Target) -> None:
        if self._over:
            # Faster than our CANCEL: each 2xx is acknowledged, and hung up on (13.2.2.4).
            self._sender.endpoint.strayed(response, source)
            return
        self._over = True
        self.cancel()
        self._caller.responded(response, source)

    def _refused(self, response: Response, source: Target) -> None:
        self._finals.append((response, source))
        # 16.7 item 5: after a 6xx nobody else is to ring.
        if response.status >= 600:
            self.cancel()
        self._conclude()

    def silent(self, arm: Arm, *, sent: bool) -> None:
        self._arms.remove(arm)
        self._sent = self._sent or sent
        self._conclude()

    def _conclude(self) -> None:
        if self._over or self._arms:
            return
        self._over = True
        if self._finals:
            self._caller.responded(*min(self._finals, key=lambda final: _rank(final[0].status)))
        else:
            self._caller.unanswered(sent=self._sent)


def _rank(status: int) -> tuple[int, int, int]:
    """16.7 item 6: 6xx before all, else the lowest class; 487s are our own doing and say least."""
    if status >= 600:
        return (0, 0, status)
    return (status // 100, 2 if status == 487 else 0 if status in INFORMATIVE else 1, status)


class Arm:
    """One branch."""

    def __init__(self, forking: Forking, branch: Branch) -> None:
        self.branch = branch
        self._ended = False
        self._forking = forking
        self._errand: Errand | None = None
        self._cancelled = False

    def start(self, sender: Sender, request: Request) -> None:
        copy = copy_of(request)
        copy.uri = self.branch.uri
        copy.headers.set_all("Route", self.branch.routes)
        if self.branch.near is not None:
            # Each phone reaches us by its own transport.
            copy.headers.set("Contact", f"<{sender.endpoint.contact(self.branch.near)}>")
        errand = sender.start(copy, self, flow=self.branch.flow)
        self._errand = None if self._ended else errand

    def cancel(self) -> None:
        if self._errand is not None and not self._cancelled:
            self._cancelled = True
            self._errand.cancel()

    def responded(self, response: Response, source: Target) -> None:
        if response.status >= 200:
            self._end()
        self._forking.heard(self, response, source)

    def unanswered(self, *, sent: bool) -> None:
        self._end()
        self._forking.silent(self, sent=sent)

    def _end(self) -> None:
        """The errand knows the arm, which needs it no more."""
        self._ended, self._errand = True, None
