"""Evaluators as files have them: beside a flow's DAG, or in a suite."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Reads = Literal["choice", "quantity", "none"]


class BindingConfig(BaseModel):
    """One evaluator bound to one node."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    evaluator: str
    """Name of a built-in evaluator, ``module:name`` of a function or class of the workspace or of what is installed, or
    ``flow:path`` of an evaluation flow of the workspace."""
    inputs: dict[str, Any]
    """The evaluator's inputs in prompt flow's mapping grammar; anything else is a literal."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """Passed to the evaluator's factory or class."""
    unless_empty: str | None = None
    """A column of the data, such as ``${data.spans}``: a sample on which it is an empty list, an empty text or null
    is not evaluated, as there is nothing to hold its output against. What is not there at all is not empty. The
    evaluator of ``primary`` takes every sample."""


class EvaluatorsConfig(BaseModel):
    """The file ``evaluators.yaml``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    primary: str
    """``node.evaluator.metric`` that says whether a sample was answered correctly (1) or not (0)."""
    nodes: dict[str, dict[str, BindingConfig]]
    """Evaluators by node and by a name of their own."""
    reads: Reads | None = None
    """What is read from a reply, for the signature of its scores and for scoring a stored run again: the letter of a
    ``choice``, a ``quantity``, or ``none``. Without it, what the evaluators ``choice`` and ``quantity`` read, or the
    flow's tools with driftgate's own readers."""
    answer: str | None = None
    """The output of the flow that is judged, ``${outputs.category}``; without it the output ``answer``, else the only
    one, else all of them."""
    anchors: str | None = None
    """JSONL file in the flow's folder with the anchors of its judges; by default those that driftgate ships."""
    anchors_sample: int | None = Field(None, ge=10)
    """Of many anchors, how many are graded in a run; by default all of them."""
    anchors_seed: int = 0
    """Draws the anchors that are graded: the same in every run, so that each is compared with itself. Another seed
    draws others, which get a new reference."""
