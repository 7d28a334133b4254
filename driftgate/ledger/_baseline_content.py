"""What a baseline holds of a run: everything that a comparison needs, and no text that was asked or answered.

The texts (questions, given answers, errors, what evaluators said) are there only where they were asked for.
"""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from driftgate.ledger._kinds import RunKind
from driftgate.ledger._repeats import repeats_in

Place = Annotated[int, Field(ge=0)]
Count = Annotated[int, Field(ge=0)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BaselineSample(_Part):
    """A sample that was asked."""

    key: str
    edition: str
    dataset: str
    split: str
    subset: str
    position: int
    id: str
    category: str = ""
    super_category: str = ""
    cluster: str = ""
    gold: str | None = None
    """The right answer, by which a comparison says that it was corrected since; None where it is no text."""
    data: dict[str, Any] | None = None
    """Everything else that is kept of it."""


class BaselineEvaluation(_Part):
    """One metric of one evaluator on a line."""

    node: str
    evaluator: str
    metric: str
    value: FiniteFloat | None = None
    label: str = ""
    error: str = ""


class BaselineOutcome(_Part):
    """What became of a sample, in its newest round."""

    sample: Place
    """Its place among the baseline's samples."""
    outcome: Literal["answered", "unparsed", "truncated", "filtered", "failed"]
    correct: FiniteFloat | None = None
    round: Count = 0
    rule: str = ""
    finish_reason: str = ""
    input_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None
    cost: FiniteFloat | None = None
    latency: FiniteFloat | None = None
    seconds: FiniteFloat
    served_model: str = ""
    fingerprint: str = ""
    attempts: Count
    cached: bool = False
    finished_at: AwareDatetime
    answer: str | None = None
    error: str = ""
    evaluations: list[BaselineEvaluation] = []


class BaselineAggregation(_Part):
    """What aggregation nodes made of all lines."""

    n: Count
    metrics: dict[str, FiniteFloat]
    error: str = ""
    node: str = ""
    evaluator: str = ""


class BaselineScore(_Part):
    """A number with its interval, as the run's report had it."""

    metric: str
    slice_kind: Literal["all", "category", "super_category"]
    slice: str = ""
    value: FiniteFloat | None = None
    low: FiniteFloat | None = None
    high: FiniteFloat | None = None
    n: Count


class BaselineLeftOut(_Part):
    """A parameter that a model was asked without."""

    model: str
    parameter: str


class BaselineCell(_Part):
    """One model through one flow on one dataset."""

    model: str
    flow: str
    variant: str
    dataset: str
    signature: str
    details: dict[str, Any]
    asked: list[Place]
    """Places among the baseline's samples, in the dataset's order."""
    asked_models: list[str]
    left_out: list[BaselineLeftOut] = []
    outcomes: list[BaselineOutcome]
    aggregations: list[BaselineAggregation] = []
    scores: list[BaselineScore]

    @model_validator(mode="after")
    def _one_outcome_a_sample(self) -> Self:
        there = set(self.asked)
        if len(there) < len(self.asked):
            raise ValueError("a sample was asked for twice")
        repeats = repeats_in(self.details)
        places = Counter((one.sample, one.round % repeats) for one in self.outcomes)
        if any(count > 1 for count in places.values()) or not {sample for sample, _ in places} <= there:
            raise ValueError("a sample has two outcomes, or one that was not asked for has one")
        return self


class BaselineGrade(_Part):
    """What a judge gave one of its anchors."""

    pin: str
    anchors: str
    item: str
    grade: FiniteFloat | None = None
    judge: str = ""
    error: str = ""
    created_at: AwareDatetime


class BaselineRun(_Part):
    """The run that the baseline was taken from."""

    id: str
    kind: RunKind
    suite: str
    created_at: AwareDatetime
    finished_at: AwareDatetime | None
    plan: dict[str, Any]
    plan_hash: str
    seed: int
    version: str
    hash: str
    """Of everything that its own ledger holds of it."""


class Baseline(_Part):
    """A run that others are compared with, to be carried from one ledger to another."""

    run: BaselineRun
    samples: list[BaselineSample]
    cells: list[BaselineCell] = Field(min_length=1)
    grades: list[BaselineGrade] = []

    @model_validator(mode="after")
    def _whole(self) -> Self:
        for cell in self.cells:
            if max(cell.asked, default=-1) >= len(self.samples):
                raise ValueError("a cell asked for a sample that is not there")
            keys = [self.samples[place].key for place in cell.asked]
            if len(set(keys)) < len(keys):
                raise ValueError("two samples of a cell have one key")
        return self
