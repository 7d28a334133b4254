"""What a lead does with judges: hold them against people's labels, and have them compare answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from driftgate.api.run import Run, name_of
from driftgate.api.workspace import OpenWorkspace
from driftgate.ledger import Ledger

if TYPE_CHECKING:
    from driftgate.benchmarks.calibration import Calibration
    from driftgate.benchmarks.pairwise import Pairwise


@dataclass(frozen=True)
class Judging:
    """The part of :class:`driftgate.api.facade.Workspace` that concerns judges and people's labels."""

    files: OpenWorkspace
    ledger: Ledger

    def pairwise(
        self, first: str | Run, second: str | Run, *, judge: str, criteria: str, language: str = "", limit: int = 0
    ) -> Pairwise:
        """Have a judge compare the answers of two cells; see :func:`driftgate.api.pairwise.pairwise`."""
        from driftgate.api.pairwise import pairwise

        one, other = (name_of(run) for run in (first, second))
        return pairwise(
            self.files, self.ledger, one, other, judge=judge, criteria=criteria, language=language, limit=limit
        )

    def calibrate(
        self,
        judge: str,
        labels: Path | None = None,
        *,
        run: Run | str = "",
        suite: str = "",
        max_cost: float | None = None,
        advance: Callable[[int, int], None] = lambda done, texts: None,
    ) -> Calibration:
        """Hold a judge against people's labels; see :func:`driftgate.api.calibrate.calibrate_judge`."""
        from driftgate.api.calibrate import calibrate_judge

        return calibrate_judge(
            self.files, self.ledger, judge, labels, run=name_of(run), suite=suite, max_cost=max_cost, advance=advance
        )

    def draw_labels(self, judge: str, labels: Path, *, run: Run | str = "", size: int = 100, seed: int = 0) -> int:
        """Write samples for people to grade; see :func:`driftgate.api.calibrate.draw_labels`."""
        from driftgate.api.calibrate import draw_labels

        return draw_labels(self.ledger, judge, labels, run=name_of(run), size=size, seed=seed)
