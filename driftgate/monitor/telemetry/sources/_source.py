"""A source brings model calls into the store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, ConfigDict

from driftgate.flows.registry import Registry

if TYPE_CHECKING:
    from driftgate.ledger import Ledger
    from driftgate.monitor.telemetry._content import Intake
    from driftgate.monitor.telemetry._store import Store


class SourceConfig(BaseModel):
    """A source's part of the workspace file."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    source: str
    """Where telemetry comes from: ``otlp``, ``files``, ``log_analytics``, ``foundry`` or a plugin's name."""

    @property
    def name(self) -> str:
        """What messages and the ledger call it."""
        return self.source

    def placed(self, inside: Callable[[str, str], Path]) -> Self:
        """The same with its paths in the workspace, which ``inside`` finds of a path and the setting's name."""
        return self

    def doubts(self) -> Iterator[tuple[str, str]]:
        """What a person should know before telemetry is wanted, each with a remedy; paths are placed."""
        yield from ()

    def seen(self) -> Iterator[tuple[str, str]]:
        """What it holds, each with a remedy where a look would lack something; paths are placed, nothing is kept."""
        yield from ()


@dataclass(frozen=True)
class Collected:
    """What one collection brought."""

    calls: int
    """Model calls written to the store, those it had already included."""
    until: datetime
    """Everything before has been read."""
    note: str = ""
    """What of it could not be read, though its calls could."""


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
