"""What all query strings of the control API have in common: an unknown name is an error."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Query(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
