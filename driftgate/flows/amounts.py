"""Numbers that limit something: finite, and no truth values."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field


def _no_truth(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError(f"{str(value).lower()} is no number")
    return value


Number = BeforeValidator(_no_truth)
"""Refuses ``true`` and ``false``, which YAML writes also as ``yes`` and ``on``, and Python counts as 1 and 0."""
Count = Annotated[int, Number, Field(ge=1)]
"""How many, at least one."""
Amount = Annotated[float, Number, Field(gt=0, allow_inf_nan=False)]
"""How much, above 0."""
