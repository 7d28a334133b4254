"""Numbers that limit something: finite, and no truth values. And days."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import date, datetime
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


def _a_day(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        with suppress(ValueError):  # 2027-02-30
            return date.fromisoformat(value)
    if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
        return value
    raise ValueError(f"{str(value)!r} is no day; write it as 2027-03-01, without a time")


Day = Annotated[date, BeforeValidator(_a_day)]
"""A day of the calendar: a number would count seconds since 1970, and what has a time is another day elsewhere."""
