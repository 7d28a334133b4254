"""The samples on which a flow and its port differ, the ones that matter most first."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class DifferingSample:
    """What a flow and its port made of a sample."""

    key: str
    id: str
    category: str
    question: str
    reference_outcome: str
    port_outcome: str
    reference_outputs: Mapping[str, Any]
    port_outputs: Mapping[str, Any]
    outputs_differ: bool
    first_node: str
    """The first node, in the flow's order, that both have and whose outputs differ; empty where there is none."""
    reference_node: Any
    port_node: Any
    """What that node gave on the two sides."""
    metrics: Mapping[str, tuple[float | None, float | None]]
    """Flow's and port's value of each evaluator metric that differs."""

    def as_json(self) -> dict[str, Any]:
        """For the JSON report."""
        return asdict(self)


def same(first: Any, second: Any) -> bool:
    """Whether two outputs say the same, Unicode form and white space at the ends aside.

    Examples
    --------
    >>> same({"answer": " B"}, {"answer": "B"}), same([1, 2.0], [1, 2]), same("가", "나")
    (True, True, False)
    """
    if isinstance(first, str) and isinstance(second, str):
        return unicodedata.normalize("NFC", first).strip() == unicodedata.normalize("NFC", second).strip()
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        return first.keys() == second.keys() and all(same(first[name], second[name]) for name in first)
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(map(same, first, second))
    return bool(first == second)


def ordered(samples: Sequence[DifferingSample], primary: str) -> list[DifferingSample]:
    """First those that are right on one side only, then those with other outputs, then by the number of metrics."""

    def weight(sample: DifferingSample) -> tuple[bool, bool, bool, int]:
        outcomes = sample.reference_outcome != sample.port_outcome
        return primary in sample.metrics, sample.outputs_differ, outcomes, len(sample.metrics)

    return sorted(samples, key=weight, reverse=True)
