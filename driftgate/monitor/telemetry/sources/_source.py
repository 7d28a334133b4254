"""A source brings model calls into the store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from driftgate.flows.registry import Registry
from driftgate.ledger import Ledger
from driftgate.monitor.telemetry._content import Intake
from driftgate.monitor.telemetry._store import Store


class SourceConfig(BaseModel):
    """A source's part of the workspace file."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    source: str
    """Where telemetry comes from: ``otlp``, ``files``, ``log_analytics`` or a plugin's name."""


@dataclass(frozen=True)
class Collected:
    """What one collection brought."""

    calls: int
    """Model calls written to the store, those it had already included."""
    until: datetime
    """Everything before has been read."""


@dataclass(frozen=True)
class Source:
    """A place telemetry comes from."""

    config: type[SourceConfig]
    """The pydantic model of the source's part of the workspace file."""
    collect: Callable[[Any, Store, Ledger, Intake, datetime], Collected]
    """Bring what has come up by the given time into the store; can be repeated, also after a crash in the middle."""


SOURCES: Registry[Source] = Registry("telemetry source", "driftgate.monitor.telemetry.sources", "SOURCE")


def parse_config(value: Mapping[str, Any]) -> SourceConfig:
    """Validate a source's part of the workspace file.

    Raises
    ------
    DriftgateError
        No source has that name.
    pydantic.ValidationError
        A key is unknown, missing or of the wrong type.

    Examples
    --------
    >>> parse_config({"source": "otlp", "max_megabytes": 4}).source
    'otlp'
    """
    return SOURCES.get(str(value.get("source", ""))).config.model_validate(value)
