"""What a workspace says of incidents."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class IncidentsConfig(BaseModel):
    """When incidents begin and end."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    unmeasurable_after: int = Field(2, ge=1, le=1000)
    """How many looks in a row that could not measure are an incident; every look that moved is one at once."""
    resolve_after: int = Field(2, ge=1, le=1000)
    """How many looks in a row that saw nothing resolve an incident. A look that is inconclusive or unmeasurable begins
    the count anew."""
    reopen_hours: float = Field(168.0, ge=0, le=8784, allow_inf_nan=False)
    """Hours within which an incident that comes back is the same one, reopened; later it is another one."""
    night_hours: float = Field(6.0, gt=0, le=168, allow_inf_nan=False)
    """Hours after its scheduled time by which a nightly has begun, and after it began by which it has ended; one that
    has not is missing."""
