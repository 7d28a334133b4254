"""A judge whose error people's labels tell: what people would say where it says so much.

The labels are of other texts than those of production, among which the share of good ones is another. What holds from
one to the other is how often the judge passes what people pass, and what they fail; so people's rate is found from
these two as that of a disease from a test [1]_, and not by prediction-powered inference, which wants labels of some of
the very texts (`driftgate.benchmarks.stats.corrected_rate`). The interval is that of the three shares' Jeffreys laws.
That the judge errs as it did on the labels is taken for granted; its anchors watch over it.

References
----------
.. [1] Rogan, Gladen (1978). Estimating prevalence from the results of a screening test. American Journal of
   Epidemiology 107, 71-76.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

LABELS = 100
"""People's labels from which a judge's error is taken for known."""
_DRAWS = 20_000


@dataclass(frozen=True)
class Errors:
    """A judge's verdicts against people's, as a calibration has counted them."""

    passing: tuple[int, int]
    """Of the texts that the judge passed, how many people pass and how many they fail."""
    failing: tuple[int, int]

    @property
    def labels(self) -> int:
        """How many labels there are."""
        return sum(self.passing) + sum(self.failing)

    @property
    def kept(self) -> float:
        """By how much the judge's rate changes where people's changes by one: its true less its false passes."""
        right, wrong = self.passing[0] + self.failing[0], self.passing[1] + self.failing[1]
        return self.passing[0] / max(1, right) - self.passing[1] / max(1, wrong)

    def by_people(self, passed: int, judged: int) -> tuple[float, float, float]:
        """The rate that people would give where the judge passes so many, with its 95% interval.

        Examples
        --------
        >>> errors = Errors((81, 9), (9, 21))
        >>> [round(x, 2) for x in errors.by_people(600, 1000)]
        [0.5, 0.28, 0.63]
        """
        right, wrong = self.passing[0] + self.failing[0], self.passing[1] + self.failing[1]
        false = self.passing[1] / max(1, wrong)
        estimate = min(1.0, max(0.0, (passed / judged - false) / self.kept))
        rng = np.random.default_rng(0)
        share = rng.beta(passed + 0.5, judged - passed + 0.5, _DRAWS)
        true = rng.beta(self.passing[0] + 0.5, right - self.passing[0] + 0.5, _DRAWS)
        mistaken = rng.beta(self.passing[1] + 0.5, wrong - self.passing[1] + 0.5, _DRAWS)
        apart = true - mistaken
        # A judge that tells nothing apart leaves every rate possible.
        rates = np.where(apart > 0.0, np.clip((share - mistaken) / np.where(apart > 0.0, apart, 1.0), 0.0, 1.0), 1.0)
        low, high = np.quantile(np.where(apart > 0.0, rates, 0.0), 0.025), np.quantile(rates, 0.975)
        return estimate, min(float(low), estimate), max(float(high), estimate)

    @classmethod
    def of(cls, details: Mapping[str, Any], threshold: float) -> Errors | None:
        """From what a calibration keeps; None where there are fewer than a hundred labels of texts of both verdicts."""
        confusion: Mapping[str, Mapping[str, int]] = details.get("confusion") or {}
        # Whether the judge passes a text, then whether people do.
        cells = {(one, other): 0 for one in (True, False) for other in (True, False)}
        for people, row in confusion.items():
            for judge, count in row.items():
                cells[_passes(judge, threshold), _passes(people, threshold)] += int(count)
        found = cls((cells[True, True], cells[True, False]), (cells[False, True], cells[False, False]))
        told = found.labels >= LABELS and min(sum(found.passing), sum(found.failing)) > 0
        return found if told and found.kept > 0.0 else None


def _passes(word: str, threshold: float) -> bool:
    """Whether a grade, or a verdict in words, is one that passes."""
    try:
        return float(word) >= threshold
    except ValueError:
        return word.strip().lower() in {"passed", "pass", "true", "yes"}
