"""Canaries watched pair by pair: one e-process for all of them and one for each slice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from driftgate.monitor.detectors import EProcess


class CanaryStream:
    """Which canaries got worse, as soon as there is evidence for it.

    The process of all pairs has half of ``alpha``; the j-th slice to appear has ``alpha / (2 j (j + 1))``. These add up
    to at most ``alpha``, so that a stream in which nothing changed ever raises an alarm with at most that probability.
    An alarm also needs a mean loss of at least ``floor``. Pairs must be new; see the notes of `EProcess`.

    Parameters
    ----------
    alpha
        The chance of ever raising a false alarm.
    floor
        The smallest mean loss worth a person's time; two points are 0.02.

    Examples
    --------
    >>> stream = CanaryStream()
    >>> for _ in range(14):
    ...     stream.update(-1.0, "prime")
    ...     stream.update(0.0, "composite")
    >>> stream.drift_detected, stream.moved
    (True, ('prime',))
    >>> CanaryStream.from_state(stream.state()).moved
    ('prime',)
    """

    def __init__(self, alpha: float = 0.05, floor: float = 0.05) -> None:
        self.alpha = alpha
        self.floor = floor
        self._everything = EProcess(alpha / 2.0)
        self._slices: dict[str, EProcess] = {}

    def update(self, difference: float, slice: str = "") -> None:
        """Take in one pair: its difference in [-1, 1], current less reference, and the slice it belongs to.

        Raises
        ------
        ValueError
            The difference lies outside [-1, 1].
        """
        self._everything.update(difference)
        if slice not in self._slices:
            place = len(self._slices) + 1
            self._slices[slice] = EProcess(self.alpha / (2.0 * place * (place + 1)))
        self._slices[slice].update(difference)

    @property
    def n(self) -> int:
        """Pairs taken in."""
        return self._everything.n

    @property
    def moved(self) -> tuple[str, ...]:
        """The slices for which there is evidence by themselves."""
        return tuple(sorted(name for name, process in self._slices.items() if self._alarms(process)))

    @property
    def drift_detected(self) -> bool:
        """Whether any slice has moved, or all of them together."""
        return self._alarms(self._everything) or bool(self.moved)

    def _alarms(self, process: EProcess) -> bool:
        return process.drift_detected and -process.mean >= self.floor

    def state(self) -> dict[str, Any]:
        """Everything needed to go on, as JSON has it."""
        return {
            "alpha": self.alpha,
            "floor": self.floor,
            "everything": self._everything.state(),
            "slices": {name: process.state() for name, process in self._slices.items()},
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> CanaryStream:
        """Go on from a state.

        Raises
        ------
        ValueError
            It was written with other bets than these.
        """
        stream = cls(state["alpha"], state["floor"])
        stream._everything = EProcess.from_state(state["everything"])
        stream._slices = {name: EProcess.from_state(kept) for name, kept in state["slices"].items()}
        return stream
