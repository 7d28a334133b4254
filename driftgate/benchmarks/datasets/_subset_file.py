"""The file of a subset: which samples of a dataset stand for all of it, and how their scores predict the whole.

The first line says what was chosen and how well it predicts; every other line is a sample's key with its weight and
its item parameters. No question is copied.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from driftgate.flows.errors import DriftgateError
from driftgate.flows.private_text import write_text


class SubsetItem(BaseModel):
    """A chosen sample."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    weight: float = Field(1.0, gt=0)
    """How many samples of the whole it stands for, up to a common factor."""
    discrimination: float = Field(1.0, gt=0)
    difficulty: float = 0.0
    """Of the two-parameter logistic model; see :mod:`driftgate.benchmarks.subset`."""
    unsteady: float | None = None
    """Of chosen canaries; see :mod:`driftgate.monitor.choosing`, as for the next two."""
    changes: float | None = None
    information: float | None = None


class SubsetPlan(BaseModel):
    """What was chosen, and how its scores predict those of the whole dataset."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    of: str
    """Name of the whole dataset."""
    n: int = Field(ge=1)
    """Samples of the whole."""
    method: str
    """How samples were chosen."""
    estimator: Literal["mean", "p-irt"] = "mean"
    """How a score of the whole is predicted."""
    standard_error: float | None = Field(None, ge=0)
    """Root mean square of the errors on models that were left out of the choice, as a share; None of chosen canaries,
    whose scores predict nothing."""
    random_error: float | None = Field(None, ge=0)
    """The same of a simple random subset of this size: the yardstick."""
    models: list[str] = []
    """Whose recorded answers it was chosen by."""
    runs: list[str] = []
    """The runs of chosen canaries: that of the model to watch, then those of others."""
    seed: int = 0
    curve: list[tuple[float, float]] = []
    """Expected accuracy on the samples that were not chosen, by ability; for ``p-irt``."""
    items: list[SubsetItem] = Field(min_length=1)


def write_subset(plan: SubsetPlan, path: Path) -> None:
    """Write the file.

    Raises
    ------
    DriftgateError
        It cannot be written.
    """
    lines = [plan.model_dump(exclude={"items"}), *(item.model_dump() for item in plan.items)]
    try:
        write_text(path, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    except OSError as problem:
        raise DriftgateError(f"the subset cannot be written to {path}: {problem.strerror}", "name another") from problem


def read_subset(path: Path) -> SubsetPlan:
    """Read the file.

    Raises
    ------
    DriftgateError
        It is absent, or a line is not what it should be.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        raise DriftgateError(
            f"the subset {path} cannot be read: {getattr(problem, 'strerror', None) or problem}",
            "write it with: driftgate dataset subset DATASET --name NAME",
        ) from problem
    values: list[Any] = []
    for number, line in enumerate(lines, 1):
        try:
            values.append(json.loads(line))
        except json.JSONDecodeError as problem:
            raise _malformed(path, number, str(problem)) from problem
    if len(values) < 2 or not all(isinstance(value, dict) for value in values):
        raise _malformed(path, 1, f"it has {len(values)} lines; expected one about the subset and one a sample")
    try:
        return SubsetPlan.model_validate(values[0] | {"items": values[1:]})
    except ValidationError as problem:
        error = problem.errors(include_url=False)[0]
        place = error["loc"]
        number = int(place[1]) + 2 if place[:1] == ("items",) and len(place) > 1 else 1
        raise _malformed(path, number, f"{'.'.join(map(str, place))}: {error['msg']}") from problem


def _malformed(path: Path, line: int, what: str) -> DriftgateError:
    return DriftgateError(
        f"{path}, line {line}: {what}", "write it anew with: driftgate dataset subset DATASET --name NAME"
    )
