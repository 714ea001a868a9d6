"""What the transaction layer tells its user, and the keys by which both name a transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from .message import Request, Response
from .target import Target


class ClientKey(NamedTuple):
    """A request of ours (RFC 3261 section 17.1.3): the branch of its Via, and the method, for a CANCEL has the same branch."""

    branch: str
    method: str


class ServerKey(NamedTuple):
    """A request of a peer (section 17.2.3)."""

    branch: str
    """Of the top Via; for peers of RFC 2543, all that tells their request from others."""
    sent_by: str
    """The top Via's host and port, for peers may invent the same branch; empty for those of RFC 2543."""
    method: str


@dataclass(frozen=True, slots=True)
class RequestIn:
    """A new request, to be answered by ``respond``."""

    key: ServerKey
    request: Request
    source: Target


@dataclass(frozen=True, slots=True)
class AckIn:
    """An ACK for a 2xx, or one that belongs to nothing here: the user finds its dialog, or drops it."""

    request: Request
    source: Target


@dataclass(frozen=True, slots=True)
class CancelIn:
    """The INVITE ``key`` is cancelled and still unanswered: the user owes it a final, which should be 487 (section 9.2).

    Comes once; the CANCEL itself has been answered.
    """

    key: ServerKey
    request: Request


@dataclass(frozen=True, slots=True)
class ResponseIn:
    """A provisional or the final response; of finals there is one for a transaction."""

    key: ClientKey
    response: Response
    source: Target


@dataclass(frozen=True, slots=True)
class StrayResponse:
    """A further 2xx to an INVITE: repeated, of another fork, or too late. Each wants an ACK (section 13.2.2.4)."""

    response: Response
    source: Target


@dataclass(frozen=True, slots=True)
class TimedOut:
    """The transaction has ended: a client's without a final, to be treated as a 408 (section 8.1.3.1).

    A server's: no ACK came for the final of an INVITE, or the user did not answer another request in time.
    """

    key: ClientKey | ServerKey


@dataclass(frozen=True, slots=True)
class TransportFailed:
    """Our message could not be sent. A client's transaction has ended, to be treated as a 503 (section 8.1.3.1); a server's to
    an INVITE goes on (RFC 6026 section 7.1), all others have ended."""

    key: ClientKey | ServerKey


Event = RequestIn | AckIn | CancelIn | ResponseIn | StrayResponse | TimedOut | TransportFailed
