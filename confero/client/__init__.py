"""A typed client of the public API: what people do on the pages, programs do with this (docs/client.md).

Wishes and answers are the wire models of ``confero.models``; refusals are typed errors; lists are async iterators.
"""

from .client import Client, Seat
from .errors import (
    ApiError,
    Conflict,
    InvalidRequest,
    NoAnswer,
    NotAllowed,
    NotFound,
    ServerFault,
    SignInNeeded,
    TooManyRequests,
)

__all__ = [
    "ApiError",
    "Client",
    "Conflict",
    "InvalidRequest",
    "NoAnswer",
    "NotAllowed",
    "NotFound",
    "Seat",
    "ServerFault",
    "SignInNeeded",
    "TooManyRequests",
]
