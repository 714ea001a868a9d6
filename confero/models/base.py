"""What all wire models are made of: how requests and replies are read, and the kinds of fields they share."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
DisplayName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]
Sdp = Annotated[str, StringConstraints(min_length=1, max_length=65_536)]
Host = Annotated[str, StringConstraints(max_length=64), AfterValidator(lambda text: str(ip_address(text)))]
"""An IP address, as it is usually written."""
Token = Annotated[str, StringConstraints(min_length=1, max_length=4096)]
Role = Literal["host", "guest"]
CodecName = Literal["opus", "G722", "PCMU", "PCMA", "L16"]
MediaSecurity = Literal["none", "optional", "required"]
DEFAULT_TALKERS = 6
"""More at once nobody can follow."""
TOLD_AT_ONCE = 256
"""Notices or records in one call: what one transaction of the application server takes."""
Noise = Annotated[int, Field(ge=20, le=126)]
"""Level of comfort noise, -dBov: 65-75 is a quiet room."""


class Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)


class Reply(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False, use_attribute_docstrings=True)


class Problem(BaseModel):
    """RFC 9457 problem details, in every error of every service."""

    model_config = ConfigDict(frozen=True, extra="allow", use_attribute_docstrings=True)

    type: str
    """``urn:confero:problem:<code>``"""
    title: str
    status: int
    detail: str = ""
    instance: str = ""
    """Request id."""
    errors: list[dict[str, Any]] = Field(default_factory=list)
    """Each fault of a body that did not validate: ``{"loc": "a.b", "type": "missing", "msg": "..."}``."""
