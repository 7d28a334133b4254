"""Is the quantity that was read the right one: exactly, whatever its writing, and in its unit?"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from driftgate.flows.evaluators._replies import bounded
from driftgate.flows.quantities import Quantity, read_quantity, same_quantity


@dataclass(frozen=True)
class QuantityEvaluator:
    """Compares a quantity with the wanted one.

    Examples
    --------
    >>> same = make()
    >>> same(answer="25000 원", gold="2만 5천"), same(answer="1/2*√2", gold=r"\\frac{1}{\\sqrt{2}}")["correct"]
    ({'correct': 1.0, 'answer': '25000 원'}, 1.0)
    >>> same(answer=None, gold="18"), same(answer="3 m", gold="3 cm")["correct"]
    ({'correct': 0.0, 'answer': ''}, 0.0)
    """

    relative: Fraction

    def __call__(self, *, answer: Any, gold: Any) -> dict[str, float | str]:
        """Compare them.

        Raises
        ------
        ValueError
            The wanted value is no quantity.
        """
        if reason := self.unfit("gold", gold):
            raise ValueError(reason)
        wanted, found = _read(gold), _read(answer)
        correct = wanted is not None and found is not None and same_quantity(wanted, found, self.relative)
        return {"correct": float(correct), "answer": found.text if found is not None else ""}

    def unfit(self, name: str, value: Any) -> str:
        """Why a right answer cannot be graded by; empty where it can."""
        return "" if name != "gold" or _read(value) is not None else f"the wanted value {value!r} is no quantity"


def _read(value: Any) -> Quantity | None:
    return None if value is None or isinstance(value, bool) else read_quantity(bounded(str(value)))


def make(relative: float = 0.0) -> QuantityEvaluator:
    """Make the evaluator, which takes ``answer`` and ``gold`` and returns ``correct`` and what it read as ``answer``.

    Parameters
    ----------
    relative : float
        How far the answer may lie from the wanted value, as a share of it; by default not at all. Needed where right
        answers were rounded.
    """
    return QuantityEvaluator(Fraction(str(relative)))
