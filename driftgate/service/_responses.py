"""What the HTTP interface answers, for its OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from driftgate.ledger import AggregationRow, RunKind, ScoreRow, VerdictRow
from driftgate.monitor.blindness import Blindness


class _Answer(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True, protected_namespaces=())


class Service(_Answer):
    """How the service does."""

    status: str
    """``ok``; the ledger could be read."""
    workspace: str
    """Its name."""
    leading: bool
    """Whether this process does the jobs."""
    telemetry_not_kept: Mapping[str, int]
    """What came as telemetry today (UTC) and was not kept as a call, by reason."""
    telemetry_removed: Sequence[str]
    """Days of telemetry that were removed by age or size."""


class Run(_Answer):
    """A run."""

    id: str
    """Its id."""
    suite: str
    """The suite that it executed."""
    kind: RunKind
    """What it was made for."""
    status: str
    """``running``, ``stalled`` (nothing comes any more), ``interrupted``, ``stopped``, ``refused`` or ``complete``."""
    reason: str
    """Why it is not complete."""
    created_at: datetime
    """When it began."""
    finished_at: datetime | None
    """When it ended."""
    version: str
    """Of driftgate."""


class Cell(_Answer):
    """A cell of a run."""

    cell: str
    """Its name."""
    signature: str
    """Of everything that produced its scores."""
    stopped: str
    """Why it was not asked to its end; empty where it was."""
    scores: Sequence[ScoreRow]
    """Over all samples."""
    evaluators: Sequence[Mapping[str, Any]]
    """Its evaluators, those that failed first."""
    aggregations: Sequence[AggregationRow]
    """What aggregation nodes said."""


class WholeRun(Run):
    """A run with its scores and verdicts."""

    expired: datetime | None
    """When its texts were removed."""
    cells: Sequence[Cell]
    """Its cells."""
    verdicts: Sequence[VerdictRow]
    """What gates decided of it."""


class Alert(_Answer):
    """What moved."""

    at: str
    """To the minute, UTC."""
    monitor: str
    """Which one saw it."""
    summary: str
    """What moved, in a sentence."""


class Look(_Answer):
    """One examination by a monitor."""

    at: str
    """To the minute, UTC."""
    monitor: str
    """Whose."""
    of: str
    """``canaries``, ``traffic``, ``prompts`` or ``answers``."""
    run: str
    """The run it looked at, or its own key."""
    result: str
    """``reference``, ``quiet``, ``moved``, ``inconclusive``, ``unmeasurable`` or ``not recorded``."""
    why: str
    """Reason and remedy."""
    blindness: Blindness | None
    """What it lacked, of one that is inconclusive or unmeasurable."""


class Problem(_Answer):
    """Why there is no other answer."""

    detail: str
    """In a sentence."""
