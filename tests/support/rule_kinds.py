"""The kinds of rules that a gate has, each with the values that a sample can have of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from driftgate.benchmarks.gate import Column, Evidence, RuleConfig, decide, over_slices, weigh

WORSE = {
    "pass": {"pass", "inconclusive", "unmeasurable", "fail"},
    "inconclusive": {"inconclusive", "unmeasurable", "fail"},
    "unmeasurable": {"inconclusive", "unmeasurable", "fail"},
    "fail": {"fail"},
}
"""What a verdict may become when an answer is worse."""
FEWER = WORSE | {"unmeasurable": {"unmeasurable", "fail"}, "fail": {"fail", "unmeasurable"}}
"""And when it is missing."""
SHAPES = ("alone", "pairs", "threes", "one", "halves", "unequal", "big")


def labels(shape: str, n: int) -> list[str]:
    """Clusters of the samples: none, of two, of three, one of all, two, of 1 to 5, one with half of the samples."""
    places = range(n)
    if shape == "alone":
        return [""] * n
    if shape == "one":
        return ["c"] * n
    if shape == "halves":
        return [f"c{k % 2}" for k in places]
    if shape == "unequal":
        return [f"c{i}" for i, size in enumerate(np.resize([1, 5, 2, 4, 3], n)) for _ in range(size)][:n]
    if shape == "big":
        return ["c" if k < n // 2 else "" for k in places]
    return [f"c{k // {'pairs': 2, 'threes': 3}[shape]}" for k in places]


class Kind:
    """A kind of rule: its settings, the values that a sample can have, and how they are kept."""

    def __init__(
        self,
        settings: dict[str, Any],
        values: Sequence[float],
        *,
        stated: float | None = 0.0,
        scale: tuple[float, float] = (0.0, 1.0),
        apart: bool = False,
    ) -> None:
        self.rule = RuleConfig.model_validate(settings)
        self.values, self.stated, self.scale, self.apart = values, stated, scale, apart

    def __repr__(self) -> str:
        return self.rule.text + (" (unpaired)" if self.apart else "")

    @property
    def sign(self) -> float:
        """-1 where a smaller value is the better one."""
        if self.rule.opponent is None:
            return 1.0 if self.rule.side == "above" else -1.0
        return -1.0 if self.rule.less_is_better else 1.0

    def column(self, values: Sequence[float], shape: str, first: int = 0) -> Column:
        n = len(values)
        frame = pd.DataFrame(
            {
                "key": np.arange(first, first + n),
                "sample_id": np.arange(first, first + n),
                "cluster": labels(shape, n),
                "category": [f"k{k % 3}" for k in range(n)],
                "super_category": "",
                "value": np.array(values, dtype=float),
            }
        )
        return Column(frame, *self.scale, self.stated, "have no value")

    def weigh(self, ours: Sequence[float], theirs: Sequence[float], shape: str) -> Evidence:
        mine = self.column(ours, shape)
        reference = None
        if self.rule.opponent is not None:
            reference = self.column(theirs, shape, first=len(ours) if self.apart else 0)
        if self.rule.slices is None:
            return weigh(self.rule, mine, reference, plan=False)
        parts = {
            name: weigh(
                self.rule,
                mine.of("category", name),
                None if reference is None else reference.of("category", name),
                plan=False,
            )
            for name in mine.slices("category")
        }
        return over_slices(self.rule, parts)

    def verdict(self, evidence: Evidence) -> str:
        ((found, _),) = decide([(self.rule, evidence)])
        return found


RIGHT = (1.0, 1.0, 1.0, 1.0, 0.0)
HARM = (0.0, 0.0, 0.0, 0.0, 1.0)
GRADES = (5.0, 5.0, 4.0, 3.0, 1.0)
GRADE = "answer.judge.grade"
SECONDS = (0.5, 0.7, 0.9, 1.1, 1.6, 3.0)
PRICES = (0.001, 0.002, 0.002, 0.003, 0.02)
ENDLESS = (-math.inf, math.inf)
KINDS = [
    *(Kind({"min": limit}, RIGHT) for limit in (0.1, 0.5, 0.8, 0.95, 1.0)),
    Kind({"max": 0.3}, RIGHT),
    Kind({"min": 0.5}, (1.0, 1.0, 0.5, 0.25, 0.0)),
    Kind({"metric": "accuracy_macro", "min": 0.5}, RIGHT),
    Kind({"min": 0.4, "slices": "category"}, RIGHT),
    Kind({"metric": "share.failed", "max": 0.1}, HARM),
    Kind({"metric": "share.failed", "max": 0.0}, HARM),
    *(Kind({"no_worse_than": "x", "margin": margin}, RIGHT) for margin in (0.0, 0.05, 0.1, 0.3)),
    Kind({"no_worse_than": "x", "margin": 0.1}, (1.0, 1.0, 0.75, 0.5, 0.0)),
    Kind({"no_worse_than": "x", "margin": 0.3, "slices": "category"}, RIGHT),
    Kind({"better_than": "x"}, RIGHT),
    Kind({"better_than": "x"}, (1.0, 1.0, 0.5, 0.0, 0.0)),
    Kind({"metric": "share.failed", "no_worse_than": "x", "margin": 0.1}, HARM),
    Kind({"metric": "n.e.defect", "no_worse_than": "x", "margin": 0.2, "lower_is_better": True}, HARM, stated=None),
    Kind({"no_worse_than": "x", "margin": 0.2}, RIGHT, apart=True),
    Kind({"metric": GRADE, "min": 3.5}, GRADES, stated=None, scale=(1.0, 5.0)),
    Kind({"metric": GRADE, "min": 3.5}, GRADES, stated=None, scale=ENDLESS),
    Kind({"metric": GRADE, "max": 3.5}, GRADES[::-1], stated=None, scale=(1.0, 5.0)),
    Kind({"metric": GRADE, "no_worse_than": "x", "margin": 0.5}, GRADES, stated=None, scale=(1.0, 5.0)),
    Kind({"metric": GRADE, "better_than": "x"}, GRADES, stated=None, scale=(1.0, 5.0)),
    Kind({"metric": GRADE, "no_worse_than": "x", "margin": 0.5}, GRADES, stated=None, scale=ENDLESS),
    Kind({"metric": GRADE, "no_worse_than": "x", "margin": 1}, GRADES, stated=None, scale=(1.0, 5.0), apart=True),
    *(Kind({"metric": f"latency_{q}", "max": 1.5}, SECONDS, stated=None, scale=ENDLESS) for q in ("p50", "p95")),
    Kind({"metric": "latency_p50", "no_worse_than": "x", "margin": 0.5}, SECONDS, stated=None, scale=ENDLESS),
    Kind({"metric": "cost_per_sample", "max": 0.003}, PRICES, scale=(0.0, math.inf)),
    Kind({"metric": "cost", "no_worse_than": "x", "margin": 1.0}, PRICES, scale=(0.0, math.inf)),
    Kind({"metric": "output_tokens", "better_than": "x"}, (5.0, 7.0, 7.0, 9.0, 40.0), scale=(0.0, math.inf)),
]


def not_smaller(first: float | None, second: float | None) -> bool:
    """Whether the second p-value is at least the first; below what a search for a p-value is exact to nobody looks."""
    return first is None or second is None or second >= first * (1.0 - 2e-3) - 1e-9
