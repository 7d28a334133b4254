"""What a detector is, and what it finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from numpy.typing import NDArray

from driftgate.benchmarks.stats import Interval
from driftgate.flows.registry import Registry
from driftgate.monitor.signals import Direction, Kind


@dataclass(frozen=True)
class Evidence:
    """What a detector says about a reference and a current window."""

    p_value: float | None
    """Against "nothing changed"; None where there is too little to say, and ``effect.reason`` says why."""
    effect: Interval
    """Current less reference, with an interval; what it measures is the detector's to say."""
    reference_value: float | None
    """The signal's level in the reference window, in its unit; None of histograms."""
    current_value: float | None
    n_reference: int
    """Rows; of a paired comparison pairs."""
    n_current: int
    method: str
    detail: Mapping[str, float] = field(default_factory=dict)
    """Further figures, such as ``lost`` and ``gained``."""


class Compare(Protocol):
    """Compare the values of two windows."""

    def __call__(
        self,
        reference: NDArray[Any],
        current: NDArray[Any],
        *,
        bad: Direction = "either",
        resolution: float = 0.0,
        seed: int = 0,
    ) -> Evidence:
        """Compare two windows.

        Parameters
        ----------
        reference, current
            Shape (n,) and (m,), of texts with what `driftgate.monitor.ngrams.ngrams` keeps of each; of counts
            (n, bins) and (m, bins); of pairs (n, 2) twice, the counts of right and of all answers of the same
            canaries in the same order.
        bad
            The direction the test looks in; of histograms, which have none, disregarded.
        resolution
            Smallest meaningful difference of numbers.
        seed
            Decides what is random: draws and permutations.

        Raises
        ------
        ValueError
            The values are not of the detector's kind.
        """
        ...


@dataclass(frozen=True)
class Detector:
    """A way to compare two windows."""

    kind: Kind
    """The values it compares."""
    compare: Compare
    by_block: bool = False
    """Whether it takes ``blocks``, two arrays that say which rows hang together, and draws these as one."""


DETECTORS: Registry[Detector] = Registry("detector", "driftgate.monitor.detectors", "DETECTOR")

USUAL: Mapping[Kind, str] = {
    "paired_binary": "mantel_haenszel",
    "proportion": "contingency",
    "continuous": "ks",
    "histogram": "histogram",
    "text": "mmd",
}
"""The detector of each kind, where a signal names none."""

MIN_ROWS = 10
"""Rows a window must have on each side; with fewer, asymptotics and intervals mean nothing."""


def too_few(n: int, m: int, method: str) -> Evidence:
    """The evidence of windows that are too small to compare."""
    reason = f"{n} reference and {m} current rows: each window needs at least {MIN_ROWS}"
    effect = Interval.unknown(None, level=0.95, method=method, n=n + m, reason=reason)
    return Evidence(None, effect, None, None, n, m, method)
