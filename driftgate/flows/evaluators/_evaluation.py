"""What an evaluator returned, read: numbers, labels, and why there is neither."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from numbers import Real
from typing import Any, NamedTuple

_LONGEST = 2000
"""Characters of a label that are kept."""


class Evaluation(NamedTuple):
    """One metric of one evaluator on one line: a number, a label, or why there is neither."""

    node: str
    evaluator: str
    metric: str
    value: float | None
    label: str = ""
    error: str = ""

    @property
    def key(self) -> str:
        """``node.evaluator.metric``."""
        return f"{self.node}.{self.evaluator}.{self.metric}"

    @property
    def measured(self) -> Evaluation:
        """Itself where it is a number or says why it is none; a label becomes an error that says so."""
        if self.value is not None or self.error:
            return self
        found = f"the text '{self.label[:80]}'" if self.label else "nothing"
        return self._replace(error=f"returned {found} for '{self.metric}', expected a number, True or False")


def read_metrics(node: str, name: str, result: Any) -> list[Evaluation]:
    """What an evaluator returned, metric by metric.

    Raises
    ------
    BaseException
        Whatever an object of someone else's class raises when it is read.

    Examples
    --------
    >>> from fractions import Fraction
    >>> [(e.metric, e.value, e.label) for e in read_metrics("n", "e", {"half": Fraction(1, 2), "why": "close"})]
    [('half', 0.5, ''), ('why', None, 'close')]
    >>> [e.error for e in read_metrics("n", "e", {"nan": float("nan"), "huge": 10**400})]
    ['the evaluator returned nan', 'the evaluator returned a number that is too large']
    """
    if type(result) is not dict and not isinstance(result, Mapping):
        return [Evaluation(node, name, "", None, error=f"returned {type(result).__name__}, expected a dict")]
    made: dict[str, Evaluation] = {}
    for metric, value in result.items():
        one = _read(node, name, metric if type(metric) is str else str(metric), value)
        if one.metric in made:
            one = one._replace(value=None, label="", error=f"the evaluator returned '{one.metric}' twice")
        made[one.metric] = one
    return list(made.values())


def _read(node: str, name: str, metric: str, value: Any) -> Evaluation:
    if type(value) is not float:
        value = _plain(value)
    if not isinstance(value, (Real, Decimal)):
        return Evaluation(node, name, metric, None, label="" if value is None else str(value)[:_LONGEST])
    try:
        number = float(value)
    except OverflowError:
        return Evaluation(node, name, metric, None, error="the evaluator returned a number that is too large")
    if math.isfinite(number):
        return Evaluation(node, name, metric, number)
    return Evaluation(node, name, metric, None, error=f"the evaluator returned {number}")


def _plain(value: Any) -> Any:
    """The number or text of Python's own in a scalar of NumPy, pandas or PyTorch; any other value as it is."""
    if getattr(value, "shape", None) == () and callable(item := getattr(value, "item", None)):
        return item()
    return value
